"""``onecall people``, ``numbers``, ``export`` and ``import`` against a served API."""

import asyncio
import io
import json
import stat
from pathlib import Path

import pytest

from appliance import cli
from appliance.api import locale
from appliance.api.types import SetupState
from tests.appliance.api.site_serving import SiteServing, run_site


@pytest.fixture(autouse=True)
def _no_language_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(locale.VARIABLE, raising=False)


async def onecall(served: SiteServing, *words: str) -> int:
    return await asyncio.to_thread(cli.main, [*words, "--socket", str(served.path), "--lang", "en"])


@pytest.mark.requirement("A9.05")
def test_people_are_added_changed_and_removed_and_secrets_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(served: SiteServing) -> None:
        assert await onecall(served, "people", "agent-add", "1003", "王芳", "--json") == 0
        made = json.loads(capsys.readouterr().out)
        assert await served.people.check_pin("1003", made["pin"])
        monkeypatch.setattr("sys.stdin", io.StringIO("135790\n"))
        assert await onecall(served, "people", "agent-change", "1003", "--name", "王小芳", "--ask-pin") == 0
        assert "135790" not in "".join(capsys.readouterr())
        assert await served.people.check_pin("1003", "135790")
        assert await onecall(served, "people", "seat-add", "8003", "--display", "前台", "--outside", "yes") == 0
        assert "It is not shown again." in capsys.readouterr().err
        before = served.people.ha1("8003")
        assert await onecall(served, "people", "seat-change", "8003", "--new-password", "--json") == 0
        assert len(json.loads(capsys.readouterr().out)["password"]) == 16
        assert served.people.ha1("8003") != before
        assert await onecall(served, "people") == 0
        out = capsys.readouterr().out
        assert "王小芳" in out
        assert "8003" in out
        assert await onecall(served, "people", "seat-remove", "8003") == 0
        assert await onecall(served, "people", "agent-remove", "1003") == 0
        assert (served.people.agents(), served.people.seats()) == ([], [])
        rows = await served.events.tail()
        assert {row.kind for row in rows} == {"agent.changed", "agent.removed", "seat.changed", "seat.removed"}
        assert {row.data["by"] for row in rows} == {served_by()}
        assert "135790" not in json.dumps([row.data for row in rows])

    run_site(tmp_path, work)


def served_by() -> str:
    import os
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def test_an_agent_who_is_logged_in_is_not_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: SiteServing) -> None:
        await served.people.add_agent("1001", "王芳")
        assert await onecall(served, "people", "agent-remove", "1001") == 1
        assert "agent 1001 is logged in" in capsys.readouterr().err
        assert served.people.agent("1001") is not None

    run_site(tmp_path, work)


def test_numbers_are_listed_and_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: SiteServing) -> None:
        assert await onecall(served, "numbers", "add", "95001", "menu:main", "--name", "热线") == 0
        assert await onecall(served, "numbers", "change", "95001", "--destination", "queue:service") == 0
        assert await onecall(served, "numbers", "add", "95002", "fax:in") == 1
        assert "services: agent, extension, hangup, menu, queue" in capsys.readouterr().err
        assert await onecall(served, "numbers", "--json") == 0
        [row] = json.loads(capsys.readouterr().out)
        assert row == {"pattern": "95001", "destination": "queue:service", "name": "热线", "language": ""}
        assert await onecall(served, "numbers") == 0
        assert "queue:service" in capsys.readouterr().out
        assert await onecall(served, "numbers", "remove", "95001") == 0
        assert served.numbers.numbers() == []

    run_site(tmp_path, work)


def test_a_site_is_exported_shown_and_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.toml"

    async def first(served: SiteServing) -> None:
        await served.people.add_agent("1001", "王芳", pin="2468")
        await served.numbers.add("95001", "menu:main")
        (served.folder / "etc" / "queues.toml").write_text("# 排队\n[service]\nname = '客服'\n")
        assert await onecall(served, "export", str(file)) == 0
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    async def second(served: SiteServing) -> None:
        capsys.readouterr()
        assert await onecall(served, "import", str(file), "--dry-run") == 0
        shown = capsys.readouterr().out
        assert [line.split()[:3] for line in shown.splitlines()] == [
            ["add", "agent", "1001"], ["add", "number", "95001"], ["add", "file", "queues.toml"],
        ]  # fmt: skip
        assert served.people.agents() == []
        assert not (served.folder / "etc" / "queues.toml").exists()
        assert await onecall(served, "import", str(file)) == 1
        assert "Nothing was changed." in capsys.readouterr().err
        assert await onecall(served, "import", str(file), "--yes") == 0
        assert await served.people.check_pin("1001", "2468")
        assert (served.folder / "etc" / "queues.toml").read_text().startswith("# 排队")
        capsys.readouterr()
        assert await onecall(served, "export", "-") == 0
        assert capsys.readouterr().out == file.read_text()
        assert await onecall(served, "import", str(file), "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"changes": [], "done": False}

    run_site(tmp_path / "one", first)
    run_site(tmp_path / "two", second)


def test_files_are_taken_back_when_the_service_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: SiteServing) -> None:
        queues = served.folder / "etc" / "queues.toml"
        queues.write_text("name = 'old'\n")
        file = tmp_path / "site.toml"
        assert await onecall(served, "export", str(file)) == 0
        file.write_text(file.read_text().replace("old", "new") + '"menus/x.toml" = "a = \'b\'"\n')

        async def refuse(plan: object, by: str) -> list[str]:
            assert queues.read_text() == "name = 'new'\n"
            raise ValueError("the disk is full")

        served.site.apply = refuse  # type: ignore[method-assign]
        assert await onecall(served, "import", str(file), "--yes") == 1
        assert "the disk is full" in capsys.readouterr().err
        assert queues.read_text() == "name = 'old'\n"
        assert not (served.folder / "etc" / "menus" / "x.toml").exists()

    run_site(tmp_path, work)


def test_the_admin_says_once_that_the_site_is_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: SiteServing) -> None:
        async with served.client() as client:
            assert await client.get(SetupState, "site.setup") == SetupState(False)
            assert await onecall(served, "setup", "--done") == 0
            assert "The site is set up" in capsys.readouterr().err
            state = await client.get(SetupState, "site.setup")
            assert (state.done, state.by, state.at > 0) == (True, served_by(), True)
        assert await onecall(served, "setup", "--done", "--json") == 0
        assert json.loads(capsys.readouterr().out)["done"] is True

    run_site(tmp_path, work)


def test_nobody_says_so_to_a_service_that_does_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["setup", "--done", "--socket", str(tmp_path / "none.sock"), "--lang", "en"]
    assert cli.main(words) == cli.NOT_RUNNING
    assert "OneCall is not running" in capsys.readouterr().err
