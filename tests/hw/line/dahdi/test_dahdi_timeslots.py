"""How the timeslots keep step with a card whose kernel buffers run full or dry, with a card made of two counters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.span import SILENCE

BUFFERS = 24


class Card:
    """A bearer channel as the kernel has it: numbered frames come in, frames to be sent wait."""

    def __init__(self) -> None:
        self.incoming: list[int] = []
        self.outgoing: list[int] = []
        self.sent: list[int] = []
        self.started = False
        self.fails = False
        self._next = 0

    def frames(self, count: int) -> None:
        """So many times 20 ms of the card."""
        for _ in range(count):
            if len(self.incoming) < BUFFERS:
                self.incoming.append(self._next % 200)
            self._next += 1
            self.sent.append(self.outgoing.pop(0) if self.outgoing else -1)

    def read(self, into: Any) -> bool:
        if self.fails:
            raise OSError(19, "gone")
        if not self.incoming:
            return False
        into[:] = self.incoming.pop(0)
        self.started = True
        return True

    def write(self, frame: Any) -> bool:
        if len(self.outgoing) == BUFFERS:
            return False
        self.outgoing.append(int(frame[0]))
        return True

    def waiting(self) -> tuple[int, int]:
        return len(self.incoming), len(self.outgoing)

    def flush(self) -> None:
        self.incoming.clear()


class Box:
    """Timeslots on one such channel, and what they gave."""

    def __init__(self, reserve: int = 1) -> None:
        self.card, self.heard, self.lost = Card(), [], []  # type: ignore[var-annotated]
        self.slots = DahdiTimeslots((1,), reserve)
        self.slots.attach([self.card], self.lost.append)  # type: ignore[list-item]
        self._saying = 0

    def tick(self, count: int = 1, card: int = 1) -> None:
        """Ticks, each after so many frames of the card."""
        into = np.zeros((1, 160), np.uint8)
        for _ in range(count):
            self.card.frames(card)
            self.slots.read(into)
            self.heard.append(int(into[0, 0]))
            self._saying += 1
            self.slots.write(np.full((1, 160), self._saying % 200, np.uint8))


@pytest.fixture
def box() -> Iterator[Box]:
    yield Box()


def test_in_step_every_frame_goes_through_once(box: Box) -> None:
    box.card.frames(30)  # nobody has read yet: forgotten
    box.tick(120)
    heard = box.heard[2:]
    assert heard == [(heard[0] + i) % 200 for i in range(len(heard))]
    sent = [value for value in box.card.sent if value not in (-1, SILENCE)]
    assert sent == [(sent[0] + i) % 200 for i in range(len(sent))]
    assert len(sent) > 110
    assert set(box.slots.counters().values()) == {0}


def test_ticks_that_are_late_and_caught_up_lose_nothing_while_the_reserve_lasts() -> None:
    box = Box(reserve=5)
    box.tick(20)
    for late in (2, 4, 5):
        box.card.frames(late)
        box.tick(late, card=0)
        box.tick(5)
    heard = box.heard[2:]
    assert heard == [(heard[0] + i) % 200 for i in range(len(heard))]
    assert set(box.slots.counters().values()) == {0}


def test_ticks_that_never_come_are_skipped_so_that_the_delay_does_not_stay(box: Box) -> None:
    box.tick(20)
    box.card.frames(10)  # ten ticks were skipped
    box.tick(30)
    assert box.card.waiting()[0] <= 2
    assert box.slots.counters()["slips"] >= 8
    assert box.slots.counters()["underruns"] == 1
    assert box.card.sent[-1] != -1


def test_a_frame_that_is_not_there_is_silence_and_counted(box: Box) -> None:
    box.tick(20)
    box.tick(1, card=0)
    assert box.heard[-1] == SILENCE
    assert box.slots.counters()["missing"] == 1


def test_a_card_that_is_gone_is_told_and_silent(box: Box) -> None:
    box.tick(5)
    box.card.fails = True
    box.tick()
    assert (len(box.lost), box.heard[-1]) == (1, SILENCE)
    box.slots.attach((), box.lost.append)
    box.tick()
    assert (len(box.lost), box.heard[-1]) == (1, SILENCE)
