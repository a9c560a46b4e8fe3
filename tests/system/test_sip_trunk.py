"""A SIP trunk by address: a peer that calls without registering reaches the same services as the E1."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.box import running

UAC = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="a carrier calls">
<send retrans="500"><![CDATA[
INVITE sip:95002@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:13812345678@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]
To: <sip:95002@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:13812345678@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK sip:95002@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:13812345678@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]
To: <sip:95002@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Contact: <sip:13812345678@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


@pytest.mark.requirement("A1.07")
@pytest.mark.requirement("A1.16")
@pytest.mark.judge("sipp")
def test_a_sip_peer_without_registration_is_queued_and_talks_with_an_agent_and_strangers_are_refused(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        trunk = [{"name": "carrier", "host": "127.0.0.2"}]
        async with running(tmp_path, settings={"control": {"sip_trunks": trunk}}) as box:
            phone = await box.phone("8001", 1001)
            await box.client.call("agents.login", agent="1001", seat="8001")
            await box.until(lambda v: any(t.line == "carrier" and t.kind == "sip" for t in v.trunks))
            call_from = sipp(tmp_path, box.site.sip_port, "127.0.0.2")
            async with asyncio.timeout(15):
                call = await phone.ringing()
                assert call.report.number == "13812345678"
                call.answer()
                await call.answered()
                view = await box.until(lambda v: any(c.state == "talking" for c in v.calls))
                assert view.calls[0].line == "carrier"
                call.hangup()
                assert await asyncio.to_thread(call_from.wait) == 0
            stranger = sipp(tmp_path, box.site.sip_port, "127.0.0.3")
            async with asyncio.timeout(15):
                assert await asyncio.to_thread(stranger.wait) != 0
            assert len(await box.events("contact.offered")) == 1
            await box.nothing_left()

    def sipp(path: Path, port: int, source: str) -> subprocess.Popen[bytes]:
        (path / "uac.xml").write_text(UAC)
        program = shutil.which("sipp")
        assert program is not None
        return subprocess.Popen(
            [program, f"127.0.0.1:{port}", "-sf", str(path / "uac.xml"), "-m", "1", "-i", source, "-nostdin",
             "-timeout", "12", "-timeout_error", "-recv_timeout", "10000"],
            cwd=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    asyncio.run(main())
