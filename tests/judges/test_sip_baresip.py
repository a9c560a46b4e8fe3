"""baresip, a real softphone, registers, is called and calls; signalling only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hw.messages import Alerting, Answer, Answered, Cleared, Dial, Hangup, Incoming, Registered, Unregistered
from tests.hw.phone.conftest import OURS, REALM, password
from tests.judges.phonebox import PhoneBox, phonebox

pytestmark = pytest.mark.judge("baresip")
_CONFIG = """\
sip_listen 127.0.0.1:0
audio_player aubridge,nil
audio_source aubridge,nil
audio_alert aubridge,nil
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
"""


@asynccontextmanager
async def baresip(folder: Path, box: PhoneBox, transport: str, *commands: str) -> AsyncIterator[None]:
    """A phone of account 201 that answers by itself and does these commands."""
    home = folder / "baresip"
    home.mkdir()
    (home / "config").write_text(_CONFIG, encoding="utf-8")
    (home / "accounts").write_text(
        f'<sip:201@{REALM}>;outbound="sip:127.0.0.1:{box.port};transport={transport}";auth_user=201;'
        f"auth_pass={password('201')};answermode=auto;regint=300;audio_codecs=PCMA/8000/1\n",
        encoding="utf-8",
    )
    arguments = [part for command in commands for part in ("-e", command)]
    process = await asyncio.create_subprocess_exec(
        "baresip", "-f", str(home), *arguments, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baresip_registers_is_called_and_leaves(tmp_path: Path, transport: str) -> None:
    async def main() -> None:
        async with phonebox(tmp_path, "201") as box:
            async with asyncio.timeout(20):
                async with baresip(tmp_path, box, transport):
                    registered = await box.next(Registered)
                    assert (registered.account, "baresip" in registered.agent) == ("201", True)
                    box.send(Dial("leg1", "phones", "201", "13800138000", media=OURS))
                    await box.next(Alerting)
                    media = (await box.next(Answered)).media
                    assert media is not None
                    assert [codec.name for codec in media.codecs] == ["PCMA"]
                    assert media.telephone_event is not None
                    box.send(Hangup("leg1"))
                    assert (await box.next(Cleared)).by == "us"
                assert (await box.next(Unregistered)).reason == "phone"

    asyncio.run(main())


def test_baresip_calls_and_is_hung_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with phonebox(tmp_path, "201") as box:
            async with asyncio.timeout(20):
                async with baresip(tmp_path, box, "udp", f"/dial sip:800@{REALM}"):
                    incoming = await box.next(Incoming)
                    assert (incoming.called, incoming.caller, incoming.line) == ("800", "201", "phones")
                    box.send(Answer(incoming.leg, OURS))
                    await asyncio.sleep(0.5)  # a call that lasts: baresip would hang up on an answer it cannot use
                    assert not box.box.any(Cleared)
                    box.send(Hangup(incoming.leg))
                    assert (await box.next(Cleared, leg=incoming.leg)).by == "us"

    asyncio.run(main())
