"""The ``onecall`` command against a served API: tables, JSON, orders, and how it ends when it cannot."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import cli
from appliance.api import locale
from appliance.api.peer import Credentials
from appliance.api.types import AgentRow
from appliance.events.types import LegAnswered, ServiceEntered
from tests.appliance.api.serving import Serving, run


@pytest.fixture(autouse=True)
def _no_language_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(locale.VARIABLE, raising=False)


async def onecall(served: Serving, *words: str) -> int:
    return await asyncio.to_thread(cli.main, [*words, "--socket", str(served.path)])


def test_tables_are_chinese_or_english(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: Serving) -> None:
        assert await onecall(served, "calls") == 0
        header, row = capsys.readouterr().out.splitlines()
        assert header.split() == ["联络", "主叫", "被叫", "线路", "状态", "服务", "对方", "时长"]
        assert row.split() == ["c1", "13800138000", "95001", "e1/1", "排队", "queue:service", "1:05"]
        assert await onecall(served, "agents", "--lang", "en") == 0
        header, row, *_ = capsys.readouterr().out.splitlines()
        assert header.split() == ["Agent", "Name", "Seat", "State", "Reason", "For", "Queues", "Answered"]
        assert row.split() == ["1001", "王芳", "8001", "talking", "2:45", "service", "3"]

    run(tmp_path, work)


def test_chinese_columns_are_aligned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: Serving) -> None:
        await onecall(served, "phones")
        header, first, second = capsys.readouterr().out.splitlines()
        where = [line[: line.index(mark)] for line, mark in ((header, "注册"), (first, "是"), (second, "否"))]
        assert len({sum(1 + (ord(char) > 0x2E7F) for char in text) for text in where}) == 1

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("status", ("测试站", "1.2.3", "1/2", "trunk e2: RED", "control")),
        ("trunks", ("e1", "pri", "30")),
        ("queues", ("service", "客户服务", "1:05", "60%")),
        ("phones", ("8001", "席位一", "10.0.0.9:5060", "15:35")),
    ],
)
def test_each_list_shows_its_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, parts: tuple[str, ...]
) -> None:
    async def work(served: Serving) -> None:
        assert await onecall(served, command) == 0
        out = capsys.readouterr().out
        for part in parts:
            assert part in out

    run(tmp_path, work)


def test_json_is_data_on_stdout_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: Serving) -> None:
        for command, key in (
            ("calls", "contact"), ("agents", "agent"), ("trunks", "line"), ("queues", "queue"), ("phones", "account")
        ):  # fmt: skip
            assert await onecall(served, command, "--json") == 0
            assert key in json.loads(capsys.readouterr().out)[0]
        assert await onecall(served, "status", "--json") == 0
        assert json.loads(capsys.readouterr().out)["site"] == "测试站"
        assert await onecall(served, "calls", "--json", "hangup", "c1") == 0  # before the action as well as after it
        assert json.loads(capsys.readouterr().out) == {"contact": "c1"}

    run(tmp_path, work)


def test_orders_are_carried_out_and_said_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def login(agent: str, seat: str) -> AgentRow:
        served_rows.append((agent, seat))
        return AgentRow(agent, "王芳", seat, "free", 1.0)

    served_rows: list[tuple[str, str]] = []

    async def work(served: Serving) -> None:
        assert await onecall(served, "calls", "hangup", "c1") == 0
        assert await onecall(served, "trunks", "block", "e1", "3") == 0
        assert await onecall(served, "trunks", "unblock", "e1", "all") == 0
        assert await onecall(served, "agents", "login", "1001", "8001") == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.splitlines() == [
            "正在挂断通话 c1。", "e1/3 不再接新呼叫。", "e1 恢复接续。", "已完成：签入 1001"
        ]  # fmt: skip
        assert served.rows.done == [("hangup", "c1"), ("block", "e1", 3, True), ("block", "e1", None, False)]
        assert served_rows == [("1001", "8001")]
        assert await onecall(served, "calls", "hangup", "c9") == 1
        assert capsys.readouterr().err == "onecall: no call 'c9' is up\n"

    run(tmp_path, work, plugins={"agents.login": login})


@pytest.mark.requirement("A9.06")
def test_events_can_be_searched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: Serving) -> None:
        for n in range(4):
            served.events.append(ServiceEntered(f"menu:{n}"), f"c{n % 2}")
            served.events.append(LegAnswered("l1", 1.5), f"c{n % 2}")

        async def ids(*words: str) -> list[int]:
            assert await onecall(served, "events", "--json", *words) == 0
            return [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()]

        assert await ids() == list(range(1, 9))
        assert await ids("--kind", "leg.", "--contact", "c1") == [4, 8]
        assert await ids("--after", "6") == [7, 8]
        assert await ids("--limit", "2") == [7, 8]
        assert await onecall(served, "events", "--after", "7") == 0
        assert capsys.readouterr().out.split()[0] == "8"

    run(tmp_path, work)


def test_followed_events_are_printed_as_they_happen(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        served.events.append(ServiceEntered("before"), "c1")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance.cli", "events", "--follow", "--json", "--after", "0",
            "--socket", str(served.path), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert json.loads(await process.stdout.readline())["data"] == {"destination": "before"}
        served.events.append(ServiceEntered("now"), "c1")
        assert json.loads(await process.stdout.readline())["data"] == {"destination": "now"}
        process.send_signal(2)
        assert await process.wait() == cli.INTERRUPTED

    run(tmp_path, work)


def test_what_strangers_send_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: Serving) -> None:
        served.rows.caller = "1380\x1b[2J\x07\n[bold]x"
        served.events.append(ServiceEntered("\x1b[2Jmenu"), "c1")
        await onecall(served, "calls")
        await onecall(served, "events")
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\x07" not in out
        assert "1380�[2J��[bold]x" in out
        assert len(out.splitlines()) == 3

    run(tmp_path, work)


# -- when it cannot ----------------------------------------------------------------------------------------------------


def test_a_service_that_does_not_run_ends_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--socket", str(tmp_path / "none.sock")]) == 3
    assert "OneCall 没有运行" in capsys.readouterr().err
    assert cli.main(["status", "--socket", str(tmp_path / "none.sock"), "--lang", "en"]) == 3
    assert "systemctl start onecall" in capsys.readouterr().err


def test_a_user_who_may_not_ends_with_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def nobody(_: socket.socket) -> Credentials:
        return Credentials(1, 65534, 65534)

    async def work(served: Serving) -> None:
        assert await onecall(served, "calls") == 4
        assert "add the user to the group" in capsys.readouterr().err

    run(tmp_path, work, ask=nobody)


def test_the_socket_is_taken_from_the_settings_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(served: Serving) -> None:
        config = tmp_path / "onecall.toml"
        config.write_text(f"[control]\nsocket = '{served.path}'\n")
        assert await asyncio.to_thread(cli.main, ["calls", "--json", "--config", str(config)]) == 0

    run(tmp_path, work)


@pytest.mark.parametrize("command", ["status", "serve"])
def test_a_broken_settings_file_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    config = tmp_path / "onecall.toml"
    config.write_text("[control]\nsokcet = '/x'\n")
    assert cli.main([command, "--config", str(config)]) == 2
    assert f"{config}: [control]: unknown key sokcet" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [], ["nothing"], ["trunks", "block", "e1", "three"], ["calls", "hangup"], ["calls", "--fast"],
        ["demo", "--seconds", "-5"], ["demo", "--sip-port", "70000"], ["demo", "--address", "nowhere"],
    ],
)  # fmt: skip
def test_a_wrong_command_line_ends_with_2(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    assert "用法：onecall" in capsys.readouterr().err


def test_the_help_and_what_is_wrong_with_a_command_line_are_in_the_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words, said in (
        (["trunks", "drain", "--help"], ("用法：", "参数", "不再接新呼叫", "显示本帮助后退出")),
        (["trunks", "drain", "e1", "x"], ("错误：参数 CHANNEL：'x' 应为信道号",)),
        (["demo", "--help"], ("运行演示呼叫中心", "每小时来电数")),
        (["demo", "--help", "--lang", "en"], ("usage:", "run a simulated call centre")),
    ):
        with pytest.raises(SystemExit):
            cli.main(words)
        told = "".join(capsys.readouterr())
        assert all(word in told for word in said), told


def test_a_reader_who_has_had_enough_is_no_error(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        for n in range(5000):
            served.events.append(ServiceEntered(f"menu:{n}"))
        command = f"{sys.executable} -m appliance.cli events --limit 5000 --json --socket {served.path} | head -1"
        process = await asyncio.create_subprocess_shell(
            command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        assert (json.loads(out)["id"], err) == (1, b"")

    run(tmp_path, work)


def test_an_ascii_terminal_is_no_reason_to_fail() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-m", "appliance.cli", "--help"], env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_admin_becomes_the_console_with_the_settings_and_the_first_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[str] = []
    monkeypatch.setattr(os, "execv", lambda program, words: became.extend(words))
    assert cli.main(["admin", "--socket", "/tmp/api.sock", "--lang", "en"]) == cli.DONE
    assert became[1:] == [
        "-m", "textual_admin", "--socket", "/tmp/api.sock", "--lang", "en",
        "--config", "/etc/onecall/onecall.toml", "--first-steps",
    ]  # fmt: skip
