"""Files that are broken, missing or cannot be written: each process says so clearly, and calls go on."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

import pytest

from appliance.api.types import Status
from hw.sim.phone import Phone, PhoneCall
from hw.sim.subscriber import Subscriber
from tests.system.box import Box, own_etc, running

CODE = 4711


@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("hw.line", '[line]\nsocket = "/x"\nrtp_port = 16384\n', ["unknown key rtp_port", "allowed:", "rtp_ports"]),
        ("hw.phone", '[phone]\nsocket = "/x"\nlisten = ["tls:1.2.3.4:5061"]\n', ["listen", "udp:ADDRESS:PORT"]),
        ("appliance", "[control]\nring_s = 1\n", ["ring_s", "from 3 to 180 seconds"]),
        ("appliance", "[control\n", ["not TOML"]),
    ],
)
def test_a_broken_settings_file_ends_the_process_with_status_2_and_a_sentence(
    tmp_path: Path, root: Path, module: str, text: str, said: list[str]
) -> None:
    file = tmp_path / "onecall.toml"
    file.write_text(text, encoding="utf-8")

    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, "--config", str(file), cwd=root, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()
        sentence = errors.decode()
        assert process.returncode == 2, sentence
        assert all(part in sentence for part in (str(file), *said)), sentence
        assert "Traceback" not in sentence

    asyncio.run(main())


def test_a_store_that_cannot_be_written_ends_the_control_process_with_a_sentence(tmp_path: Path, root: Path) -> None:
    (tmp_path / "var").write_text("a file where a folder belongs", encoding="utf-8")
    file = tmp_path / "onecall.toml"
    file.write_text(f'[control]\nstore = "{tmp_path}/var/onecall.db"\nvar = "{tmp_path}/var"\n', encoding="utf-8")

    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", "--config", str(file), cwd=root, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()
        assert process.returncode == 1, errors.decode()
        assert f"{tmp_path}/var" in errors.decode() and "Traceback" not in errors.decode()

    asyncio.run(main())


async def talk(box: Box, phone: Phone, caller: Subscriber) -> PhoneCall:
    """The agent answers; each hears the other."""
    call = await phone.ringing()
    call.answer()
    caller.say(CODE)
    await still_talking(call, caller, phone)
    return call


async def still_talking(call: PhoneCall, caller: Subscriber, phone: Phone) -> None:
    """Two cycles more in each direction."""
    at_desk, at_caller = call.report.codes.get(CODE, 0), caller.heard[phone.code]
    await call.heard(CODE, at_desk + 2)
    await caller.hears(phone.code, at_caller + 2)


def test_with_a_broken_menu_a_missing_prompt_and_no_folder_for_recordings_callers_are_served_all_the_same(
    tmp_path: Path,
) -> None:
    etc = own_etc(tmp_path, {"95003": "menu:silent"})
    (etc / "menus" / "main.toml").write_text('start = "nowhere"\n[nodes.x]\nkind = "sing"\n', encoding="utf-8")
    (etc / "menus" / "silent.toml").write_text(
        'start = "hello"\noperator = "queue:service"\n[nodes.hello]\nkind = "say"\nprompt = "there.is.none"\n'
        'next = "queue:service"\n',
        encoding="utf-8",
    )

    async def main() -> None:
        async with running(tmp_path, settings={"control": {"etc": str(etc)}}) as box, asyncio.timeout(40):
            box.site.recordings.write_text("a file where a folder belongs", encoding="utf-8")
            phone = await box.seated("1001", "8001", 1001)
            broken = await box.until_event("menu.broken", lambda e: e.data["menu"] == "main")
            assert "main.toml" in broken.data["error"]
            for called, said in (("95001", "menu.broken"), ("95003", "prompt.failed")):
                caller = box.exchange.call(called, f"138{called:0>8}")
                call = await talk(box, phone, caller)
                assert await box.events(said)
                caller.hangup()
                await call.ended()
                await box.nothing_left()
            failed = await box.events("prompt.failed")
            assert [e.data["prompt"] for e in failed if e.data["prompt"] == "there.is.none"]
            failed = await box.events("recording.failed")
            assert len(failed) == 2 and all("folder" in e.data["reason"] for e in failed)
            assert all(e.data["talked"] for e in await box.events("contact.ended"))

    asyncio.run(main())


def full_disk(box: Box, name: str, full: bool) -> None:
    """Let a process write no file any further (EFBIG, as ENOSPC on a full disk), or let it write again."""
    pid = box.children[name].pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))


def test_when_the_disk_is_full_calls_go_on_without_recording_and_store_and_both_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(tmp_path) as box, asyncio.timeout(50):
            phone = await box.seated("1001", "8001", 1001)
            caller = box.exchange.call("95002", "13800138000")
            call = await talk(box, phone, caller)
            full_disk(box, "line", True)
            lost = await box.until_event("recording.failed", lambda e: True)
            assert lost.data["reason"]
            full_disk(box, "line", False)
            await still_talking(call, caller, phone)

            failed = (await box.client.get(Status, "status")).store["failed"]
            full_disk(box, "control", True)
            second = box.exchange.call("95002", "13800138001")  # a call that comes now is served too
            await second.answered()
            caller.hangup()
            await call.ended()
            call = await talk(box, phone, second)
            assert (await box.client.get(Status, "status")).store["failed"] > failed
            assert any("not saved" in alarm for alarm in (await box.live()).alarms)
            full_disk(box, "control", False)
            await still_talking(call, second, phone)
            second.hangup()
            await call.ended()
            await box.nothing_left()

            third = box.exchange.call("95002", "13800138002")
            call = await talk(box, phone, third)
            third.hangup()
            await call.ended()
            kinds = await box.kinds_of("13800138002")
            assert kinds.count("contact.bridged") == 1
            await box.until_event("recording.made", lambda e: True)
            await box.nothing_left()

    asyncio.run(main())
