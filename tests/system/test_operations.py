"""The box is run: people and numbers changed under calls, backed up while it talks, restored, examined."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.backup.manifest import BackupError
from appliance.backup.restore import restore
from tests.system.box import Box, own_etc, running


async def onecall(box: Box, *words: str) -> tuple[int, Any]:
    """The command as a user runs it: exit status and the JSON it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance.cli", *words, "--json", "--config", str(box.site.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out) if out.strip() else said.decode()


@pytest.mark.requirement("A9.05")
def test_a_number_a_phone_and_an_agent_made_while_it_runs_take_the_next_call(tmp_path: Path) -> None:
    async def main() -> None:
        settings = {"control": {"etc": str(own_etc(tmp_path, {}))}}
        async with running(tmp_path, settings=settings) as box, asyncio.timeout(50):
            box.exchange.call("95777", "13800138000")
            ended = await box.until_event("contact.ended", lambda e: True)
            assert ended.data["cause"] == 1
            status, seat = await onecall(box, "people", "seat-add", "8020", "--display", "新席位")
            assert status == 0
            phone = await box.phone("8020", 1020, password=seat["password"])
            assert (await onecall(box, "numbers", "add", "95777", "extension:8020"))[0] == 0
            caller = box.exchange.call("95777", "13800138001")
            call = await phone.ringing()
            call.answer()
            caller.say(4711)
            await call.heard(4711, 1)
            status, _ = await onecall(box, "export", str(tmp_path / "site.toml"))
            assert status == 0
            changed = (tmp_path / "site.toml").read_text().replace("新席位", "前台")
            (tmp_path / "site.toml").write_text(changed)
            status, answer = await onecall(box, "import", str(tmp_path / "site.toml"))
            assert (status, answer["done"]) == (0, True), answer
            await box.until(lambda view: any(p.display == "前台" and p.registered for p in view.phones))
            await call.heard(4711, 3)  # the call has gone on all the while
            caller.hangup()
            await box.nothing_left()

    asyncio.run(main())


@pytest.mark.requirement("A9.10")
def test_a_backup_taken_during_a_call_brings_the_site_back(tmp_path: Path) -> None:
    async def main() -> None:
        settings = {"control": {"etc": str(own_etc(tmp_path, {}))}}
        file = tmp_path / "site.tar"
        async with running(tmp_path, settings=settings) as box, asyncio.timeout(55):
            agent = await box.seated("1001", "8001", 1001)
            caller = box.exchange.call("95002", "13800138000")
            call = await agent.ringing()
            call.answer()
            caller.say(4711)
            await call.heard(4711, 1)
            caller.hangup()
            [recording] = await box.until_recordings(1)
            kept = recording.read_bytes()
            status, made = await onecall(box, "backup", str(file))
            assert status == 0, made
            status, findings = await onecall(box, "doctor")
            states = {one["check"]: one["state"] for one in findings}
            processes = ("process.line", "process.phone", "process.control")
            up = ("service", *processes, "store.file", "speech.prompt", "lines.up")
            assert {check: states[check] for check in up} == dict.fromkeys(up, "ok"), findings
            assert (status, [c for c, state in states.items() if state == "fail"]) == (0, [])

            recording.unlink()
            await onecall(box, "people", "agent-add", "1555", "后来的")
            with pytest.raises(BackupError, match="is in use by OneCall"):
                restore(file)
            await box.client.close()
            assert await box.children["control"].stop()
            status, findings = await onecall(box, "doctor")
            assert (status, findings[1]["state"]) == (1, "fail")
            status, restored = await onecall(box, "restore", str(file), "--yes")
            assert status == 0, restored
            assert recording.read_bytes() == kept
            await box.start("control")
            people = await box.client.call("people.list")
            assert "1555" not in [one["number"] for one in people]
            [listed] = await box.client.call("recordings.list", contact=(await box.events("recording.made"))[0].contact)
            assert listed["path"] == str(recording)

    asyncio.run(main())
