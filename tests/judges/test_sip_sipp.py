"""SIPp, an independent SIP stack, as phone and as carrier."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hw.messages import (
    Alert,
    Answer,
    Answered,
    Cleared,
    Dial,
    Hangup,
    Incoming,
    LineState,
    Message,
    Registered,
    SetSipTrunks,
    SipTrunk,
)
from tests.hw.phone.conftest import OURS, REALM, password
from tests.judges.phonebox import PhoneBox, free_port, phonebox
from tests.judges.programs import SCENARIOS, WRONG, sipp, succeeded, tshark

pytestmark = pytest.mark.judge("sipp", "tshark")


async def start(
    folder: Path, box: PhoneBox, *arguments: str, port: int, transport: str = "u1"
) -> asyncio.subprocess.Process:
    """SIPp as account 201 towards the box from ``port``."""
    return await sipp(folder, box.port, "201", password("201"), REALM, *arguments, port=port, transport=transport)


async def register(folder: Path, box: PhoneBox, port: int) -> None:
    await succeeded(await start(folder, box, "-sf", str(SCENARIOS / "register.xml"), "-m", "1", port=port))
    assert (await box.next(Registered)).account == "201"


def answer_all(box: PhoneBox) -> None:
    def decide(event: Message) -> None:
        if isinstance(event, Incoming):
            box.send(Alert(event.leg), Answer(event.leg, OURS))

    box.on_event = decide


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_sipp_calls_with_digest_and_every_call_is_answered_and_cleared(tmp_path: Path, transport: str) -> None:
    async def main() -> None:
        async with phonebox(tmp_path, "201") as box:
            answer_all(box)
            calls = await start(
                tmp_path, box, "-sf", str(SCENARIOS / "call.xml"), "-s", "800", "-d", "50", "-m", "50", "-r", "50",
                port=free_port(), transport=transport,
            )  # fmt: skip
            await succeeded(calls)
            for _ in range(50):
                assert (await box.next(Cleared)).cause == 16

    asyncio.run(main())


def test_sipp_registers_and_is_called(tmp_path: Path) -> None:
    async def main() -> None:
        async with phonebox(tmp_path, "201") as box:
            port = free_port()
            await register(tmp_path, box, port)
            calls = await start(tmp_path, box, "-sn", "uas", "-m", "10", port=port)
            for number in range(10):
                box.send(Dial(f"leg{number}", "phones", "201", "800", media=OURS))
                assert (await box.next(Answered, leg=f"leg{number}")).media is not None
                box.send(Hangup(f"leg{number}"))
            await succeeded(calls)

    asyncio.run(main())


def test_sipp_calls_as_a_carrier(tmp_path: Path) -> None:
    async def main() -> None:
        async with phonebox(tmp_path) as box:
            port = free_port()
            box.send(SetSipTrunks((SipTrunk("carrier", "127.0.0.1", port),)))
            await box.next(LineState)
            answer_all(box)
            calls = await start(tmp_path, box, "-sn", "uac", "-s", "95533", "-m", "50", "-r", "50", port=port)
            await succeeded(calls)
            assert (await box.next(Incoming)).called == "95533"
        assert len(await tshark(tmp_path / "sip.pcap", "sip.Method == INVITE")) >= 50
        assert len(await tshark(tmp_path / "sip.pcap", "sip.Status-Code == 200")) >= 100
        assert not await tshark(tmp_path / "sip.pcap", WRONG)

    asyncio.run(main())
