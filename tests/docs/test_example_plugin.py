"""A new business service is one package: installed beside the product, with no line of the product changed."""

from __future__ import annotations

import ast
import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, time
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest

import plugins.speech.plugin as speech
from appliance.plugin import Digits
from appliance.pluginmanager import GROUP, Plugins
from hw.messages import ChannelState, LineState, SendSms, SmsReceived
from tests.plugins.house import House, house

CONFIG = """
[branches.offices.021]
zh = "上海浦东"
en = "Shanghai Pudong"
hours = "08:30-18:00"
[branches.offices.022]
zh = "天津"
en = "Tianjin"
closed = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built and installed by pip into a folder of its own."""
    source, target = tmp_path_factory.mktemp("source") / "example", tmp_path_factory.mktemp("site")
    shutil.copytree(root / "docs/example-plugin", source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*command, "--target", target, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def branches(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The plugin's module, found as the control process finds it."""
    monkeypatch.syspath_prepend(str(installed))
    yield entry_points(group=GROUP)["branches"].load()
    for name in [name for name in sys.modules if name.startswith("onecall_branches")]:
        del sys.modules[name]


def call(path: Path, branches: ModuleType, scenario: Callable[[House], Awaitable[None]]) -> None:
    async def main() -> None:
        etc = path / "etc"
        etc.mkdir()
        modules = {"branches": branches, "speech": speech}
        async with asyncio.timeout(20), house(path, modules, etc=etc, number="branches:", config=CONFIG) as here:
            await scenario(here)
            assert "plugin.failed" not in await here.desk.kinds()

    asyncio.run(main())


@pytest.mark.requirement("A9.12")
def test_the_installed_package_is_found_and_offers_its_service(branches: ModuleType) -> None:
    failures: list[object] = []
    plugins = Plugins(failures.append)
    plugins.load()
    plugins.collect({}, Path("/none"))
    assert "branches" in plugins.names()
    assert {"branches"} <= set(plugins.services) and {"branches.list"} <= set(plugins.methods)
    assert plugins.prompts.text("branches.open", "zh")


@pytest.mark.requirement("A9.12")
@pytest.mark.requirement("A4.06")
def test_a_caller_hears_the_hours_of_the_office_he_typed_and_reaches_an_agent(
    tmp_path: Path, branches: ModuleType
) -> None:
    async def scenario(here: House) -> None:
        here.box.now = datetime(2026, 3, 2, 12, 30).timestamp
        here.desk.caller("95001")
        await here.heard("branches.number")
        here.press("021#")
        await here.heard("branches.open", name="上海浦东", opens=time(8, 30), closes=time(18))
        await here.heard("branches.more")
        here.press("0")
        await here.desk.until("contact.ended")
        assert [(queue, data["branch"]) for queue, data, _ in here.reached] == [("service", "021")]
        assert await here.event("branches.asked") == {"number": "021", "found": True, "open": True}

    call(tmp_path, branches, scenario)


def test_an_unknown_office_is_told_and_after_three_tries_an_agent_helps(tmp_path: Path, branches: ModuleType) -> None:
    async def scenario(here: House) -> None:
        here.desk.caller("95001")
        await here.heard("branches.number")
        here.press("999#998#022#")
        await here.heard("branches.unknown", number=Digits("998"))
        await here.heard("branches.closed_today", name="天津")
        here.press("1")
        await here.desk.until("contact.ended")
        assert [queue for queue, _, _ in here.reached] == ["service"]
        assert await here.desk.switchboard.plugins.methods["branches.list"]() == {
            "021": "08:30-18:00", "022": "09:00-17:00",
        }  # fmt: skip

    call(tmp_path, branches, scenario)


@pytest.mark.requirement("A9.12")
def test_an_office_s_number_as_a_short_message_is_answered_by_one(tmp_path: Path, branches: ModuleType) -> None:
    assert branches.onecall_sms_received

    async def scenario(here: House) -> None:
        here.box.now = datetime(2026, 3, 2, 12, 30).timestamp
        here.desk.say("line", LineState("gsm1", "gsm", True, (ChannelState(1, "idle"),), sms=True))
        for name, text in (("a", "hello"), ("b", " 021\n")):
            here.desk.say("line", SmsReceived(name, "gsm1", "13800138000", text))
        sent = await here.desk.sent(SendSms)
        assert (sent.line, sent.number) == ("gsm1", "13800138000")
        assert "上海浦东" in sent.text and "08:30" in sent.text
        asked = await here.desk.until("branches.asked")
        queued = await here.desk.until("sms.queued")
        [came] = [row for row in await here.desk.events.rows(kind="sms.received") if row.data["id"].endswith("-b")]
        assert asked.contact == queued.contact == came.contact

    call(tmp_path, branches, scenario)


@pytest.mark.requirement("A9.12")
@pytest.mark.requirement("A9.13")
def test_the_example_imports_nothing_of_the_product_but_the_public_face(root: Path) -> None:
    ours = {"appliance", "hw", "plugins", "textual_admin"}
    found = set()
    for file in (root / "docs/example-plugin/onecall_branches").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found |= {name for name in names if name.partition(".")[0] in ours}
    assert found == {"appliance.plugin"}


@pytest.mark.requirement("A9.12")
def test_no_line_of_the_product_knows_of_the_example(root: Path) -> None:
    files = [file for room in ("appliance", "hw", "plugins", "textual_admin") for file in (root / room).rglob("*.py")]
    assert len(files) > 50
    assert [file for file in files if "onecall_branches" in file.read_text(encoding="utf-8")] == []


def test_the_example_s_own_tests_pass(root: Path, installed: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root / "docs/example-plugin/tests")]
    environment = {**os.environ, "PYTHONPATH": f"{installed}:{root}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout
