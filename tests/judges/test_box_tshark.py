"""tshark reads what the whole box says on the D channel and in SIP: no malformed frame, nothing that it warns of."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.judges.programs import WRONG, tshark
from tests.system.box import Box, running


@asynccontextmanager
async def capture(port: int, path: Path) -> AsyncIterator[None]:
    """What goes over the loopback interface to and from SIP's port, as an independent program sees it."""
    process = await asyncio.create_subprocess_exec(
        "dumpcap", "-q", "-i", "lo", "-f", f"port {port}", "-w", str(path), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    while b"File:" not in (line := await process.stderr.readline()):
        assert line, "dumpcap ended"
    try:
        yield
    finally:
        process.terminate()
        await process.communicate()


async def calls(box: Box) -> None:
    """One call that the caller gives up, one through menu and queue with hold and transfer, one to nobody."""
    phone, colleague = await box.seated("1001", "8001", 1001), await box.phone("8005", 1005)
    given_up = box.exchange.call("95002", "13800138002")
    ringing = await phone.ringing()
    given_up.hangup()
    await ringing.ended()
    caller = box.exchange.call("95001", "13800138000", "李四")
    await caller.answered()
    await caller.press("1")
    call = await phone.ringing()
    call.answer()
    await caller.hears(1001)
    await call.hold()
    await call.resume()
    transferring = asyncio.create_task(call.transfer("8005"))
    target = await colleague.ringing()
    target.answer()
    await transferring
    await caller.hears(1005)
    caller.hangup()
    await target.ended()
    nobody = box.exchange.call("84444", "13800138001")
    assert await nobody.cleared() == 1
    await box.nothing_left()


@pytest.mark.judge("tshark", "dumpcap")
@pytest.mark.skipif(os.geteuid() != 0, reason="captures on the loopback interface, which root may")
def test_tshark_finds_nothing_wrong_in_sip_and_q931(tmp_path: Path) -> None:
    sip, q931 = tmp_path / "sip.pcapng", tmp_path / "e1.pcap"

    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="onecall-") as sockets:
            span = {"name": "e1", "address": f"{sockets}/e1", "trace": str(q931)}
            async with running(tmp_path, settings={"line": {"spans": [span]}}) as box, asyncio.timeout(50):
                async with capture(box.site.sip_port, sip):
                    await calls(box)
        as_sip = ("-d", f"udp.port=={box.site.sip_port},sip")
        methods = set(await tshark(sip, "sip.Method", *as_sip, field="sip.Method"))
        assert methods >= {"REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "REFER", "NOTIFY"}
        assert not await tshark(sip, WRONG, *as_sip)
        messages = set(await tshark(q931, "q931", field="q931.message_type"))
        assert messages >= {"0x05", "0x02", "0x07", "0x0f", "0x45", "0x4d", "0x5a"}, "SETUP to RELEASE COMPLETE, §3.1"
        assert not await tshark(q931, WRONG)

    asyncio.run(main())
