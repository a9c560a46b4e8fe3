"""A card's channels by real system calls: audio and its delay, D channel frames, events in the way, who has what."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import numpy as np
import pytest

from hw.line.dahdi import abi
from hw.line.dahdi.channel import BearerChannel, DataChannel, gain_table
from hw.line.dahdi.loop import compare, pattern
from hw.line.dahdi.timer import CardClock
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.trunk import FRAME
from tests.hw.line.dahdi.fuse_card import Card

BEARERS = (*range(1, 16), *range(17, 32))
BOX, NET = 0, 31  # what is added to a timeslot to have DAHDI's number


@contextmanager
def slots(card: Card, base: int, timeslots: Sequence[int] = BEARERS, **more: Any) -> Iterator[DahdiTimeslots]:
    """The timeslots of one end, open."""

    def lost(error: OSError) -> None:
        raise error

    with ExitStack() as stack:
        opened = [stack.enter_context(closing(BearerChannel(card.devices, base + slot))) for slot in timeslots]
        made = DahdiTimeslots(timeslots, **more)
        made.attach(opened, lost)
        yield made


class Cable:
    """Some timeslots with both ends open, and what each heard, tick by tick: [ticks, timeslots, 160]."""

    def __init__(self, card: Card, box: DahdiTimeslots, net: DahdiTimeslots) -> None:
        self.card, self.ends = card, (box, net)
        self.heard: tuple[list[Any], list[Any]] = ([], [])

    def tick(self, says: Sequence[Any], frames: int = 1) -> None:
        """The card sends so many frames, then both ends have their tick."""
        self.card.frames(frames)
        for slots, say, heard in zip(self.ends, says, self.heard, strict=True):
            into = np.empty((len(slots.channels), FRAME), np.uint8)
            slots.read(into)
            slots.write(say)
            heard.append(into)

    def delay(self) -> int:
        """Ticks from a frame's being said by the box until the network's end hears it, on the first timeslot."""
        silence = np.full((len(self.ends[0].channels), FRAME), 0xD5, np.uint8)
        mark = silence.copy()
        mark[0] = 77
        for tick in range(50):
            self.tick((silence if tick else mark, silence))
            if self.heard[1][-1][0, 0] == 77:
                return tick
        raise AssertionError("it was never heard")


@contextmanager
def cable(card: Card, timeslots: Sequence[int] = BEARERS, **more: Any) -> Iterator[Cable]:
    with slots(card, BOX, timeslots, **more) as box, slots(card, NET, timeslots, **more) as net:
        yield Cable(card, box, net)


@pytest.mark.requirement("A1.01")
def test_thirty_timeslots_carry_every_octet_both_ways(card: Card) -> None:
    ticks = 60
    sent = [pattern(30, ticks), pattern(30, ticks)[:, ::-1].copy()]
    with cable(card) as line:
        for tick in range(ticks):
            line.tick((sent[0][tick], sent[1][tick]))
        for slots in line.ends:
            assert set(slots.counters().values()) == {0}
    for said, heard in zip(sent, line.heard[::-1], strict=True):
        for row, slot in enumerate(BEARERS):
            result = compare(slot, said[:, row].ravel(), np.stack(heard)[:, row].ravel())
            assert result.good and result.delay_ms <= 60, result


@pytest.mark.parametrize("caught_up", [True, False])
def test_a_late_tick_leaves_no_delay_behind_on_any_timeslot(card: Card, caught_up: bool) -> None:
    """Ten frames are late: their ticks come all at once, or never."""
    silence = np.full((4, FRAME), 0xD5, np.uint8)
    with cable(card, (1, 2, 3, 4)) as line:
        for _ in range(20):
            line.tick((silence, silence))
        before = line.delay()
        card.frames(10)
        for _ in range(10 * caught_up):
            line.tick((silence, silence), frames=0)
        for _ in range(20):
            line.tick((silence, silence))
        assert line.delay() <= before + 1
        for slots in line.ends:
            counted = slots.counters()
            assert counted["slips"] > 0 and counted["underruns"] == (0 if caught_up else 4), counted


def test_ticks_as_late_as_the_reserve_lose_nothing(card: Card) -> None:
    ticks = 60
    sent = pattern(1, ticks)
    with cable(card, (1,), reserve=5) as line:
        for tick in range(ticks):
            late = tick % 10 == 7
            card.frames(4 * late)
            line.tick((sent[tick], sent[tick]), frames=0 if tick % 10 in (8, 9, 0, 1) and tick > 7 else 1)
        for slots in line.ends:
            assert set(slots.counters().values()) == {0}
    assert compare(1, sent[:, 0].ravel(), np.stack(line.heard[1])[:, 0].ravel()).good


def test_clocks_that_slip_cost_octets_and_nothing_else(card: Card) -> None:
    silence = np.full((1, FRAME), 0xD5, np.uint8)
    with cable(card, (1,)) as line:
        for _ in range(20):
            line.tick((silence, silence))
        card.tell("slip", NET + 1, 200)
        for _ in range(20):
            line.tick((silence, silence))
        assert line.ends[1].counters()["missing"] == 2
        card.tell("slip", NET + 1, -400)
        for _ in range(40):
            line.tick((silence, silence))
        assert line.delay() <= 4
        assert line.ends[1].counters()["missing"] <= 2


def test_gains_are_applied_both_ways_and_a_loop_sends_back_what_comes(card: Card) -> None:
    octets, heard = np.arange(FRAME, dtype=np.uint8), np.empty(FRAME, np.uint8)
    louder, softer = (np.frombuffer(gain_table(db), np.uint8) for db in (6.0, -3.0))
    with (
        closing(BearerChannel(card.devices, 1, tx_gain_db=-3.0)) as near,
        closing(BearerChannel(card.devices, 32, rx_gain_db=6.0)) as far,
    ):
        near.write(octets)
        card.frames(1)
        assert far.read(heard)
        assert (heard == louder[softer[octets]]).all()
        far.loop_back(True)
        near.write(octets)
        card.frames(2)
        near.flush()
        near.write(octets)
        card.frames(1)
        assert near.read(heard)
        assert (heard[8:] == softer[octets][:-8]).all()


def test_a_channel_belongs_to_one_program_at_a_time(card: Card) -> None:
    with closing(BearerChannel(card.devices, 1)):
        with pytest.raises(OSError) as refused:
            BearerChannel(card.devices, 1)
        assert refused.value.errno == errno.EBUSY
    BearerChannel(card.devices, 1).close()
    for number in (0, 63):
        with pytest.raises(OSError) as refused:
            BearerChannel(card.devices, number)
        assert refused.value.errno == errno.EINVAL


def test_a_data_channel_is_no_bearer(card: Card) -> None:
    with pytest.raises(OSError) as refused:
        BearerChannel(card.devices, 16)
    assert refused.value.errno == errno.EINVAL
    DataChannel(card.devices, 16).close()  # it was let go


def test_an_event_in_the_way_is_taken_and_reading_and_writing_go_on(card: Card) -> None:
    octets, heard = np.full(FRAME, 7, np.uint8), np.empty(FRAME, np.uint8)
    with closing(BearerChannel(card.devices, 1)) as near, closing(BearerChannel(card.devices, 32)) as far:
        card.tell("event", 1, abi.EVENT_ALARM)
        card.tell("event", 32, abi.EVENT_NOALARM)
        assert near.write(octets)
        card.frames(1)
        assert far.read(heard)
        assert (heard == 7).all()
        card.tell("event", 32, abi.EVENT_ALARM)
        assert (near.take_events(), far.take_events()) == ([abi.EVENT_ALARM], [abi.EVENT_NOALARM, abi.EVENT_ALARM])


def test_d_channel_frames_come_whole_and_in_order(card: Card) -> None:
    frames = [bytes([number]) * size for number, size in enumerate((3, 4, 8, 20, 264), 1)]
    with closing(DataChannel(card.devices, 16)) as near, closing(DataChannel(card.devices, 47)) as far:
        assert all(near.write(frame) for frame in frames)
        assert far.read() == b""
        card.frames(3)
        assert [far.read() for _ in frames] == frames
        assert far.read() == b""


def test_a_frame_with_errors_is_not_delivered_but_told(card: Card) -> None:
    with closing(DataChannel(card.devices, 16)) as near, closing(DataChannel(card.devices, 47)) as far:
        card.tell("corrupt", 47, 1)
        near.write(b"first")
        near.write(b"second")
        card.frames(1)
        assert (far.read(), far.take_events()) == (b"second", [abi.EVENT_BADFCS])


def test_frames_that_the_kernel_cannot_take_are_refused(card: Card) -> None:
    with closing(DataChannel(card.devices, 16)) as near:
        taken = [near.write(b"frame") for _ in range(40)]
        assert taken == [True] * 32 + [False] * 8
        card.frames(1)
        assert near.write(b"frame")


def test_the_cards_clock_ticks_with_its_frames(card: Card) -> None:
    with closing(CardClock(card.devices)) as clock:
        assert clock.due() == 0
        card.frames(3)
        assert (clock.due(), clock.due()) == (3, 0)
        card.frames(250)
        assert (clock.due(), clock.due()) == (100, 0)
        card.tell("pass", 19)
        assert clock.due() == 0
        card.tell("pass", 1)
        assert clock.due() == 1
