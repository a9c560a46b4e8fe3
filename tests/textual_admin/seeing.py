"""A console on a terminal of a given size, before a real API server whose rows the test writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.appliance.api.serving import Serving, serving
from textual_admin import lang
from textual_admin.app import Console

#: Where lines end and dialogs begin is no matter.
_FRAMES = dict.fromkeys(map(ord, " \n\u00a0│▌▐╭╮╰╯─"))

SMALL, LARGE = (80, 24), (120, 40)


class Clock:
    """Monotonic seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Seeing:
    """The console, the fingers on its keys, and the service behind it."""

    def __init__(self, app: Console, pilot: Pilot[None], served: Serving, clock: Clock) -> None:
        self.app, self.pilot, self.served, self.clock = app, pilot, served, clock

    def text(self) -> str:
        """What stands on the terminal."""
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())

    def sees(self, what: str) -> bool:
        """Whether a text stands there, be it broken over lines or framed."""
        return what.translate(_FRAMES) in self.text().translate(_FRAMES)

    async def until(self, what: str | Callable[[], object]) -> None:
        """Wait until a text is seen, or something holds."""
        holds = what if callable(what) else lambda: self.sees(what)
        try:
            async with asyncio.timeout(10):
                while not holds():
                    await self.pilot.pause(0.02)
        except TimeoutError:
            raise AssertionError(f"never seen: {what}\n{self.text()}") from None

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*text)


def see(
    folder: Path,
    work: Callable[[Seeing], Awaitable[None]],
    *,
    size: tuple[int, int] = SMALL,
    language: str = "en",
    serve: Callable[..., AbstractAsyncContextManager[Serving]] = serving,
    console: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    """Run a console (made with more of ``console``) before a service and let the test work with both."""

    async def main() -> None:
        async with serve(folder, **more) as served:
            clock = Clock()
            app = Console(served.path, language, clock, **(console or {}))
            async with app.run_test(size=size, notifications=True) as pilot:
                await work(Seeing(app, pilot, served, clock))

    try:
        asyncio.run(main())
    finally:
        lang.use("en")  # for the next test
