"""Plugins in a real control process without its sockets: switchboard, store, hooks and box are the product's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from appliance.box import CoreBox
from appliance.calls.call import Call
from appliance.calls.numbering import Number
from appliance.phones import Phones
from hw.messages import Digit, Play
from tests.appliance.calls.desk import Desk, desk


class House:
    """A desk whose calls are served by plugins; ``reached`` are the calls that left them for a queue."""

    def __init__(self, made: Desk, box: CoreBox) -> None:
        self.desk = made
        self.box = box
        self.reached: list[tuple[str, dict[str, Any], str]] = []

    async def queue(self, call: Call, argument: str) -> None:
        """Stands where the queues are: notes who came, with which data and language, and hangs up."""
        self.reached.append((argument, dict(call.data), call.language))

    def press(self, keys: str, leg: str = "t1") -> None:
        """The caller presses keys."""
        for key in keys:
            self.desk.say("line", Digit(leg, key, 80))

    async def heard(self, prompt: str, language: str = "zh", **values: Any) -> int:
        """Wait until the prompt is played to a caller; how many were played before it."""
        paths = [str(path) for path in await self.desk.switchboard.plugins.speak(prompt, values, language)]
        assert paths, f"{prompt} cannot be said in {language}"
        at = 0
        while [item.value for item in (await self.desk.sent(Play, "line", at)).items] != paths:
            at += 1
        return at

    async def times(self, kind: str, count: int) -> None:
        """Wait until an event of this kind has happened ``count`` times."""
        async with asyncio.timeout(5), self.desk.events.subscribe(kind) as coming:
            while len(await self.desk.events.rows(kind=kind)) < count:
                await anext(coming)

    async def event(self, kind: str) -> dict[str, Any]:
        """Wait for an event of this kind: its fields."""
        return dict((await self.desk.until(kind)).data)


@asynccontextmanager
async def house(
    path: Path, plugins: Mapping[str, ModuleType], *, etc: Path, number: str, config: str = ""
) -> AsyncIterator[House]:
    """Plugins loaded, started and stopped; 95001 leads to the destination ``number``. ``config`` is onecall.toml."""
    (path / "onecall.toml").write_text(config)
    async with desk(path) as made:
        board = made.switchboard
        box = CoreBox(
            config=path / "onecall.toml", etc=etc, var=path / "var", store=made.store, switchboard=board,
            phones=Phones(made.events, board.people, "onecall", time.time, board.telephones),
            sms=made.sms,
        )  # fmt: skip
        here = House(made, box)
        for name, module in plugins.items():
            board.plugins.register(module, name)
        board.plugins.collect({**board.plugins.services, "queue": here.queue}, etc / "prompts")
        board.numbers = [Number("95001", number)]
        board.default_destination = "queue:default"
        await board.plugins.start(box)
        try:
            yield here
        finally:
            await board.plugins.stop()
