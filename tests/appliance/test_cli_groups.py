"""``onecall groups`` and ``onecall trunks drain`` against a served API with real trunks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from appliance.api.types import TrunkRow
from hw.messages import ChannelState, LineState
from tests.appliance.api.site_serving import SiteServing, run_site
from tests.appliance.test_cli_site import onecall

Capture = pytest.CaptureFixture[str]


@pytest.mark.requirement("A1.23")
def test_groups_are_added_listed_changed_tried_and_removed(tmp_path: Path, capsys: Capture) -> None:
    async def work(served: SiteServing) -> None:
        assert await onecall(served, "groups", "add", "city", "--lines", "e1:20", "--routes", "=1") == 0
        far = ("--routes", "00=2,strip=2,prepend=17951", "0=barred", "--caller", "4008", "--restricted", "yes")
        assert await onecall(served, "groups", "add", "far", "--lines", "e1", "e9", "--order", "round_robin", *far) == 0
        assert await onecall(served, "groups") == 0
        shown = capsys.readouterr().out
        for word in ("city", "e1:20", "far", "4008 (restricted)", "00=2,strip=2,prepend=17951"):
            assert word in shown
        assert await onecall(served, "groups", "try", "0033123", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert [(way["group"], way["line"], way["number"], way["caller"]) for way in found["attempts"]] == [
            ("city", "e1", "0033123", "95001"), ("far", "e1", "1795133123", "4008"),
        ]  # fmt: skip
        assert await onecall(served, "groups", "try", "0101234") == 0
        said = capsys.readouterr().out
        assert "city" in said and "far: barred" in said
        assert await onecall(served, "groups", "change", "city", "--direction", "in", "--routes", "--json") == 0
        assert json.loads(capsys.readouterr().out)["routes"] == []
        assert await onecall(served, "groups", "try", "10086") == 0
        assert "10086 cannot be called now: cause 3." in capsys.readouterr().out
        assert await onecall(served, "groups", "add", "x", "--lines", "e1", "--routes", "0=cheap") == 1
        assert "must be PREFIX=COST" in capsys.readouterr().err
        assert await onecall(served, "groups", "try", "abc") == 1
        assert "number 'abc' must be 1 to 24 digits" in capsys.readouterr().err
        assert await onecall(served, "groups", "remove", "far") == 0
        assert [group.name for group in served.trunks.groups.groups()] == ["city"]

    run_site(tmp_path, work)


def test_a_group_is_blocked_and_taken_back(tmp_path: Path, capsys: Capture) -> None:
    async def work(served: SiteServing) -> None:
        await onecall(served, "groups", "add", "city", "--lines", "e1")
        assert await onecall(served, "groups", "block", "city") == 0
        assert served.trunks.choose("10086").attempts == ()
        capsys.readouterr()
        assert await onecall(served, "groups", "drain", "city", "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"name": "city", "busy": 0, "drained": True}
        assert await onecall(served, "groups", "unblock", "city") == 0
        assert served.trunks.choose("10086").attempts

    run_site(tmp_path, work)


def test_a_trunk_is_drained_with_its_progress(tmp_path: Path, capsys: Capture) -> None:
    async def work(served: SiteServing) -> None:
        rows = served.rows

        def told(busy: int) -> None:
            """The line process tells how many channels are busy yet; the console and the command see it."""
            states = tuple(ChannelState(n, "busy" if n <= busy else "blocked") for n in range(1, 31))
            served.trunks.line_changed(LineState("e1", "pri", True, states))
            row = TrunkRow("e1", "pri", True, "", 30, busy, 30 - busy, draining=served.trunks.draining("e1"))
            rows.trunks = lambda: [row]  # type: ignore[method-assign]

        told(2)
        assert await onecall(served, "trunks", "drain", "e1") == 0
        assert capsys.readouterr().err == "No new calls; still to end: 2\n"
        assert rows.done == [("block", "e1", None, True)]
        told(2)
        waiting = asyncio.create_task(onecall(served, "trunks", "drain", "e1", "--wait", "--json"))
        out = ""
        for busy in (2, 1, 0):
            while f'"busy": {busy}' not in out:
                await asyncio.sleep(0.01)
                out += capsys.readouterr().out
            if busy:
                told(busy - 1)
        assert await waiting == 0
        out += capsys.readouterr().out
        assert json.loads(out.splitlines()[-1]) == {"line": "e1", "channel": None, "busy": 0, "drained": True}
        assert [row.data["line"] for row in await served.events.tail("line.drained")] == ["e1"]

    run_site(tmp_path, work)


def test_who_waits_is_told_when_somebody_takes_the_trunk_back(tmp_path: Path, capsys: Capture) -> None:
    async def work(served: SiteServing) -> None:
        served.rows.trunks = lambda: [TrunkRow("e1", "pri", True, "", 30)]  # type: ignore[method-assign]
        assert await onecall(served, "trunks", "drain", "e1", "--wait") == 1
        assert "taken back into service" in capsys.readouterr().err
        assert await onecall(served, "trunks", "drain", "e1", "99") == 1
        assert "no channel 99 on line e1" in capsys.readouterr().err

    run_site(tmp_path, work)


def test_groups_are_part_of_the_sites_text(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "site.toml"

    async def first(served: SiteServing) -> None:
        await onecall(
            served, "groups", "add", "长途", "--lines", "e1:20", "carrier", "--routes", "0=0.25", "00=barred",
            "--shows", "01012340000-01012340099", "--most", "25",
        )  # fmt: skip
        assert await onecall(served, "export", str(file)) == 0
        assert "[groups]" in file.read_text()

    async def second(served: SiteServing) -> None:
        await onecall(served, "groups", "add", "old", "--lines", "e1")
        capsys.readouterr()
        assert await onecall(served, "import", str(file), "--yes") == 0
        shown = capsys.readouterr().out
        changes = [line.split()[:3] for line in shown.splitlines()]
        assert changes == [["remove", "group", "old"], ["add", "group", "长途"]]
        assert await onecall(served, "export", "-") == 0
        assert capsys.readouterr().out == file.read_text()
        broken = file.read_text().replace("0=0.25", "0=cheap")
        (tmp_path / "broken.toml").write_text(broken)
        assert await onecall(served, "import", str(tmp_path / "broken.toml"), "--yes") == 1
        assert "must be PREFIX=COST" in capsys.readouterr().err

    run_site(tmp_path / "one", first)
    run_site(tmp_path / "two", second)
