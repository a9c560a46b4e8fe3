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

SCENARIOS = Path(__file__).parent / "sipp"
pytestmark = pytest.mark.judge("sipp", "tshark")


async def start(
    folder: Path, box: PhoneBox, *arguments: str, port: int, transport: str = "u1"
) -> asyncio.subprocess.Process:
    """SIPp towards the box from ``port``."""
    values = folder / "values.csv"
    proof = f"[authentication username=201 password={password('201')}]"
    values.write_text(f"SEQUENTIAL\n{REALM};201;{proof}\n", encoding="utf-8")
    return await asyncio.create_subprocess_exec(
        "sipp", f"127.0.0.1:{box.port}", "-i", "127.0.0.1", "-p", str(port), "-t", transport, "-inf", str(values),
        "-nostdin", "-timeout", "20s", "-timeout_error", *arguments, cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def succeeded(sipp: asyncio.subprocess.Process) -> None:
    """Every call went as the scenario says; SIPp's own words when not."""
    _, said = await sipp.communicate()
    assert sipp.returncode == 0, said.decode()


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
            sipp = await start(
                tmp_path, box, "-sf", str(SCENARIOS / "call.xml"), "-m", "50", "-r", "50",
                port=free_port(), transport=transport,
            )  # fmt: skip
            await succeeded(sipp)
            for _ in range(50):
                assert (await box.next(Cleared)).cause == 16

    asyncio.run(main())


def test_sipp_registers_and_is_called(tmp_path: Path) -> None:
    async def main() -> None:
        async with phonebox(tmp_path, "201") as box:
            port = free_port()
            await register(tmp_path, box, port)
            sipp = await start(tmp_path, box, "-sn", "uas", "-m", "10", port=port)
            for number in range(10):
                box.send(Dial(f"leg{number}", "phones", "201", "800", media=OURS))
                assert (await box.next(Answered, leg=f"leg{number}")).media is not None
                box.send(Hangup(f"leg{number}"))
            await succeeded(sipp)

    asyncio.run(main())


def test_sipp_calls_as_a_carrier(tmp_path: Path) -> None:
    async def main() -> None:
        async with phonebox(tmp_path) as box:
            port = free_port()
            box.send(SetSipTrunks((SipTrunk("carrier", "127.0.0.1", port),)))
            await box.next(LineState)
            answer_all(box)
            sipp = await start(tmp_path, box, "-sn", "uac", "-s", "95533", "-m", "50", "-r", "50", port=port)
            await succeeded(sipp)
            assert (await box.next(Incoming)).called == "95533"
        assert await tshark(tmp_path, "sip.Method == INVITE") >= 50
        assert await tshark(tmp_path, "sip.Status-Code == 200") >= 100
        assert await tshark(tmp_path, "_ws.malformed or _ws.expert.severity >= 6291456") == 0  # warnings and worse

    asyncio.run(main())


async def tshark(folder: Path, wanted: str) -> int:
    """How many messages of the trace pass a display filter."""
    process = await asyncio.create_subprocess_exec(
        "tshark", "-r", str(folder / "sip.pcap"), "-Y", wanted, "-T", "fields", "-e", "frame.number",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0
    return len(output.splitlines())
