"""When the service is silent, away, or refuses: the console says so, never shows old figures as new, and comes back."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from appliance.api.peer import Credentials
from appliance.events.types import LegCleared
from tests.appliance.api.serving import serving
from tests.textual_admin.seeing import SMALL, Clock, Seeing, see
from textual_admin import feed
from textual_admin.app import Console
from textual_admin.bars import banner


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "RETRY_S", 0.05)


def test_after_three_seconds_of_silence_everything_is_grey_and_nothing_can_be_ordered(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        asked: list[None] = []

        def broken() -> dict[str, int]:
            asked.append(None)
            raise RuntimeError("no view can be built")

        await see.press("3")
        await see.until("calls up: 1")
        totals, see.served.rows.totals = see.served.rows.totals, broken
        built = see.served.server.live.built
        await see.until(lambda: len(asked) > 1)  # the last view that was good has come, and no other will
        see.clock.now += 2.9
        assert banner(see.app.store) == ""
        see.clock.now += 0.2
        await see.until("! Service silent for 3 s")
        assert see.app.screen.has_class("stale")
        await see.press("x")
        await see.until("the service is silent: nothing can be ordered")
        see.served.rows.totals = totals
        await see.until(lambda: not see.sees("Service silent"))
        assert not see.app.screen.has_class("stale")
        assert see.served.server.live.built > built

    see(tmp_path, work)


def test_a_service_that_is_away_is_named_and_found_again_when_it_comes(tmp_path: Path) -> None:
    async def main() -> None:
        app = Console(tmp_path / "api.sock", "en", clock := Clock())
        async with app.run_test(size=SMALL) as pilot:
            seeing = Seeing(app, pilot, None, clock)  # type: ignore[arg-type]  # there is none yet
            await seeing.until("No answer from the service: is it running? (onecall serve)")
            for _ in range(2):
                async with serving(tmp_path):
                    await seeing.until("测试站")
                    await seeing.until(lambda: not seeing.sees("No answer"))
                await seeing.until("No answer from the service")
                assert app.screen.has_class("stale")

    asyncio.run(main())


def test_a_service_that_accepts_and_says_nothing_is_left_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "DEAF_S", 0.2)
    came: list[asyncio.StreamWriter] = []

    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)

    async def main() -> None:
        server = await asyncio.start_unix_server(deaf, str(tmp_path / "api.sock"))
        app = Console(tmp_path / "api.sock", "en", clock := Clock())
        async with app.run_test(size=SMALL) as pilot:
            seeing = Seeing(app, pilot, None, clock)  # type: ignore[arg-type]  # there is none
            await seeing.until("The service has the connection but says nothing; connecting again.")
            await seeing.until(lambda: len(came) > 1)
        server.close()
        for writer in came:
            writer.close()

    asyncio.run(main())


def test_a_user_who_is_refused_is_told_which_group_he_needs(tmp_path: Path) -> None:
    def stranger(_: socket.socket) -> Credentials:
        return Credentials(os.getpid(), 65534, 65534)

    async def work(see: Seeing) -> None:
        await see.until("Refused: nobody may not manage OneCall: add the user to the group")

    see(tmp_path, work, ask=stranger)


def test_the_newest_events_come_once_over_a_restart_of_the_connection(tmp_path: Path) -> None:
    async def main() -> None:
        app = Console(tmp_path / "api.sock", "en", clock := Clock())
        async with app.run_test(size=SMALL) as pilot:
            seeing = Seeing(app, pilot, None, clock)  # type: ignore[arg-type]  # it changes
            for cause in (16, 17):
                async with serving(tmp_path) as served:
                    served.events.append(LegCleared("l", cause, "far"), "c")
                    await seeing.until(lambda cause=cause: any(r.data.get("cause") == cause for r in app.store.events))
            assert [row.data["cause"] for row in app.store.events] == [16, 17]

    asyncio.run(main())
