"""baresip, a real softphone, registers, is called and calls; signalling only."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from hw.messages import Alerting, Answer, Answered, Cleared, Dial, Hangup, Incoming, Registered, Unregistered
from tests.hw.phone.conftest import OURS, REALM, password
from tests.judges.phonebox import PhoneBox, phonebox
from tests.judges.softphone import baresip

pytestmark = pytest.mark.judge("baresip")


def softphone(folder: Path, box: PhoneBox, transport: str, *commands: str) -> AbstractAsyncContextManager[None]:
    """A phone of account 201 that answers by itself and does these commands."""
    home = folder / "baresip"
    return baresip(home, "201", password("201"), REALM, box.port, *commands, transport=transport)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baresip_registers_is_called_and_leaves(tmp_path: Path, transport: str) -> None:
    async def main() -> None:
        async with phonebox(tmp_path, "201") as box:
            async with asyncio.timeout(20):
                async with softphone(tmp_path, box, transport):
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
                async with softphone(tmp_path, box, "udp", f"/dial sip:800@{REALM}"):
                    incoming = await box.next(Incoming)
                    assert (incoming.called, incoming.caller, incoming.line) == ("800", "201", "phones")
                    box.send(Answer(incoming.leg, OURS))
                    await asyncio.sleep(0.5)  # a call that lasts: baresip would hang up on an answer it cannot use
                    assert not box.box.any(Cleared)
                    box.send(Hangup(incoming.leg))
                    assert (await box.next(Cleared, leg=incoming.leg)).by == "us"

    asyncio.run(main())
