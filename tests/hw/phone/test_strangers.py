"""Bytes that strangers send: the process answers or drops them, and goes on."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from pathlib import Path

from hw.link import connect
from hw.messages import Incoming, LineState, SetSipTrunks, SipTrunk, Snapshot
from hw.phone import sdp
from hw.phone.stack import undecodable
from tests.hw.phone.conftest import REALM, THEIRS, Open

_BODY = sdp.offer(THEIRS, 1, 1)
_HEAD = (
    "{method} sip:800@{realm} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{n};rport\r\n"
    "Max-Forwards: 70\r\nTo: <sip:800@{realm}>{tag}\r\nFrom: \"x\" <sip:201@{realm}>;tag=f{n}\r\nCall-ID: c{n}\r\n"
    "CSeq: {n} {method}\r\nContact: <sip:201@127.0.0.1:{port}>\r\nExpires: 60\r\nContent-Type: application/sdp\r\n"
    'Authorization: Digest username="201", realm="{realm}", nonce="1.2.3", uri="sip:x", response="0", qop=auth\r\n'
    "Replaces: a;to-tag=b;from-tag=c\r\nRefer-To: <sip:1@x>\r\nContent-Length: {length}\r\n\r\n"
)
_METHODS = ("INVITE", "REGISTER", "OPTIONS", "ACK", "BYE", "CANCEL", "REFER", "INFO", "SUBSCRIBE", "NOTIFY", "MESSAGE")
_SPICE = (b"\0", b"\r\n", b"\xff\xfe", b":", b";", b"<", b'"', b",", b"%", b"999999999999", b" ", b"sip:", b"z" * 300)


def message(chance: random.Random, number: int, port: int) -> bytes:
    """A request with up to eight mutations."""
    method, tag = chance.choice(_METHODS), chance.choice(("", ";tag=t"))
    text = _HEAD.format(method=method, realm=REALM, port=port, n=number, tag=tag, length=len(_BODY))
    data = bytearray(text.encode() + _BODY)
    for _ in range(chance.randrange(9)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randrange(40)]
            case 2:
                data[at:at] = chance.choice(_SPICE)
            case _:
                data[at:at] = data[at : at + chance.randrange(100)]
        data = data or bytearray(b"x")
    return bytes(data)


def test_mutated_requests_do_not_stop_the_process(desk: Open) -> None:
    async def main() -> None:
        chance = random.Random(20031101)
        before = undecodable()
        async with desk("201") as d:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(("127.0.0.1", 0))
                for number in range(1, 3001):
                    data = message(chance, number, sender.getsockname()[1])
                    sender.sendto(data, ("127.0.0.1", d.process.ports["udp"]))
                    await asyncio.sleep(0)  # a turn for the process: it takes one packet a turn
            assert d.process._agent.counters.get("internal_error", 0) == 0
            assert undecodable() > before + 100
            assert d.process._agent.counters["challenged"] > 50
            (phone,) = await d.registered("201")
            phone.dial("800")
            assert (await d.next(Incoming)).caller == "201"

    asyncio.run(main())


def test_rubbish_over_tcp_costs_only_its_connection(desk: Open) -> None:
    async def main() -> None:
        chance = random.Random(7)
        async with desk("201") as d:
            for number in range(60):
                _, writer = await asyncio.open_connection("127.0.0.1", d.process.ports["tcp"])
                writer.write(message(chance, number, 9) * 3)
                await writer.drain()
                writer.close()
            (phone,) = await d.registered("201", transport="tcp")
            phone.dial("800")
            assert (await d.next(Incoming)).caller == "201"

    asyncio.run(main())


def test_a_message_in_two_segments_is_one_message(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            reader, writer = await asyncio.open_connection("127.0.0.1", d.process.ports["tcp"])
            text = _HEAD.format(method="OPTIONS", realm=REALM, port=1, n=5, tag="", length=len(_BODY)).encode() + _BODY
            for part in (text[:100], text[100:-3], text[-3:]):
                writer.write(part.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
                await writer.drain()
                await asyncio.sleep(0.01)
            assert (await reader.readline()) == b"SIP/2.0 200 OK\r\n"
            writer.close()

    asyncio.run(main())


def test_an_invite_sent_three_times_is_one_call(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(("127.0.0.1", 0))
                sender.setblocking(False)
                d.send(SetSipTrunks((SipTrunk("carrier", "127.0.0.1", sender.getsockname()[1]),)))
                await d.next(LineState)
                text = _HEAD.format(
                    method="INVITE", realm=REALM, port=sender.getsockname()[1], n=1, tag="", length=len(_BODY)
                )
                lines = [line for line in text.split("\r\n") if not line.startswith(("Replaces", "Authorization"))]
                for _ in range(3):
                    sender.sendto("\r\n".join(lines).encode() + _BODY, ("127.0.0.1", d.process.ports["udp"]))
                await d.next(Incoming)
                replies = [await asyncio.get_running_loop().sock_recv(sender, 4000) for _ in range(3)]
                assert all(reply.startswith(b"SIP/2.0 100 ") for reply in replies)
                assert not d.box.any(Incoming)

    asyncio.run(main())


def test_strangers_connections_do_not_keep_the_control_process_out(tmp_path: Path) -> None:
    """Even where the descriptors that a process begins with are few."""
    (tmp_path / "c.toml").write_text(
        f"[phone]\nsocket = '{tmp_path}/phone.sock'\nlisten = ['tcp:127.0.0.1:0']\n", encoding="utf-8"
    )

    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", f"ulimit -Sn 128; exec {sys.executable} -m hw.phone --config {tmp_path}/c.toml",
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(20):
                assert process.stderr is not None
                port = int((await process.stderr.readline()).rpartition(b":")[2])
                strangers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(150)]
                link = await connect(tmp_path / "phone.sock")
                async for message in link:
                    assert isinstance(message, Snapshot)
                    break
            link.close()
            for _, writer in strangers:
                writer.close()
        finally:
            process.terminate()
            assert await process.wait() == 0

    asyncio.run(main())
