"""Simulated trunk cards at the system-call border, and two trunks on one cable between them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hw.line.dahdi import card as dahdi_card
from hw.line.dahdi.systemconf import first_channels, system_conf
from hw.line.settings import DahdiSettings, SpanSettings
from hw.line.trunk import Trunk
from hw.messages import LineEvent
from tests.hw.line.dahdi.fuse_card import Card, build, cards

E = TypeVar("E")
Machine = Callable[..., AbstractContextManager[Card]]


@pytest.fixture(scope="session")
def card_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card's program, built and tried."""
    if not Path("/usr/include/fuse3").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("libfuse3-dev is not installed")
    folder = tmp_path_factory.mktemp("card")
    program = build(folder)
    try:
        with cards(program, folder / "tried", "e1", "e1"):
            return program
    except OSError as error:
        pytest.skip(f"NOTHING ON DAHDI'S SYSTEM CALLS IS TESTED: no FUSE folder can be mounted here ({error})")


@pytest.fixture
def machine(card_program: Path, tmp_path: Path) -> Machine:
    """``with machine("e1", "e1") as card``: two spans on one cable, not configured yet."""
    return lambda *kinds: cards(card_program, tmp_path / "dahdi", *(kinds or ("e1", "e1")))


@pytest.fixture
def card(machine: Machine) -> Iterator[Card]:
    """Two E1 spans on one cable, configured for primary rate by our own system.conf."""
    with machine() as made:
        configure(made, settings(1), settings(2))
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that is not there is looked for all the time."""
    monkeypatch.setattr(dahdi_card, "_RETRY_S", 0.01)


def settings(span: int, **other: Any) -> SpanSettings:
    """One end of the cable: span 1 is the box, span 2 the network."""
    card = DahdiSettings(span, timing=int(span == 1), **other.pop("card", {}))
    role = other.pop("role", "cpe" if span == 1 else "network")
    return SpanSettings(f"e{span}", "dahdi", role=role, dahdi=card, **other)


def configure(card: Card, *spans: SpanSettings) -> None:
    """Have the card use the system.conf that is made from these settings."""
    card.configure(system_conf(spans, first_channels(card.devices)))


@asynccontextmanager
async def passing(card: Card) -> AsyncIterator[None]:
    """Time passes on the line, as fast as this loop gets round."""

    async def passes() -> None:
        while True:
            card.frames(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(passes())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    """Until something holds that no event tells of."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


class End:
    """A trunk and what it told: ``events`` that nobody has taken."""

    def __init__(self, trunk: Trunk) -> None:
        self.trunk = trunk
        self.events: list[LineEvent] = []
        self._came = asyncio.Event()

    def take(self, event: LineEvent) -> None:
        self.events.append(event)
        self._came.set()

    async def next(self, kind: type[E], **fields: Any) -> E:
        """Take the first event of this kind with these fields, waiting for it."""
        while True:
            for event in self.events:
                if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items()):
                    self.events.remove(event)
                    return event
            self._came.clear()
            async with asyncio.timeout(10):
                await self._came.wait()

    async def up(self, up: bool = True) -> None:
        """Until the line is up, or not."""
        await until(lambda: self.trunk.state().up == up)

    async def idle(self) -> None:
        """Until every channel may be taken."""
        await until(lambda: {channel.state for channel in self.trunk.state().channels} == {"idle"})

    def busy(self) -> list[int]:
        """The channels that have a call."""
        return [channel.channel for channel in self.trunk.state().channels if channel.state == "busy"]
