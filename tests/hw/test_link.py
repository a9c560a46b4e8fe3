"""The link: every message survives it, rubbish is answered, and what ended while nobody listened is told."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, get_args

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import messages
from hw.link import MAX_UNREAD, Link, LinkError, LinkServer, connect, decode, encode
from hw.messages import Cleared, Fault, Hangup, LineState, Message, Recorded, Snapshot
from hw.settings import SettingsError, load

st.register_type_strategy(float, st.floats(allow_nan=False))  # not a number is not equal to itself


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(get_args(Message)).flatmap(st.from_type))
def test_every_message_comes_out_as_it_went_in(message: Message) -> None:
    line = encode(message)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"not json", "not JSON"),
        (b'{"type":"Explode"}', "Explode"),
        (b"[]", "unknown message type None"),
        (b'{"type":"Dial","leg":"a"}', "wrong fields in Dial"),
    ],
)
def test_a_line_that_is_no_message_is_an_error_that_says_what_is_wrong(line: bytes, said: str) -> None:
    with pytest.raises(LinkError, match=said):
        decode(line)


async def first(link: Link, kind: type[Any]) -> Any:
    async with asyncio.timeout(5):
        async for message in link:
            if isinstance(message, kind):
                return message
    raise AssertionError(f"the link ended before a {kind.__name__}")


def test_commands_go_down_events_come_up_and_what_ended_while_nobody_listened_is_in_the_next_snapshot(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        commands: asyncio.Queue[Message] = asyncio.Queue()
        server = LinkServer(tmp_path / "x.sock", snapshot=lambda: Snapshot("line"), command=commands.put_nowait)
        await server.start()
        server.send(Cleared("t1", 16))
        server.send(LineState("e1", "pri", True))  # a state, not an end: the next snapshot's business
        server.send(Recorded("r", "/x.wav", 1000))

        link = await connect(tmp_path / "x.sock")
        assert (await first(link, Snapshot)).missed == (Cleared("t1", 16), Recorded("r", "/x.wav", 1000))
        link.send(Hangup("t2", 17))
        async with asyncio.timeout(5):
            assert await commands.get() == Hangup("t2", 17)
        server.send(Cleared("t2", 17, "us"))
        assert await first(link, Cleared) == Cleared("t2", 17, "us")

        newer = await connect(tmp_path / "x.sock")
        assert (await first(newer, Snapshot)).missed == ()
        async with asyncio.timeout(5):
            assert [m async for m in link] == [], "the old connection is closed"
        newer.close()
        await server.close()

    asyncio.run(main())


def test_rubbish_on_the_link_is_answered_by_a_fault_and_the_next_command_is_taken(tmp_path: Path) -> None:
    async def main() -> None:
        commands: asyncio.Queue[Message] = asyncio.Queue()
        server = LinkServer(tmp_path / "x.sock", snapshot=lambda: Snapshot("phone"), command=commands.put_nowait)
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "x.sock"))
        writer.write(b"rubbish\n" + encode(Hangup("p1")))
        link = Link(reader, writer)
        assert "not JSON" in (await first(link, Fault)).reason
        async with asyncio.timeout(5):
            assert await commands.get() == Hangup("p1")
        link.close()
        await server.close()

    asyncio.run(main())


def test_all_messages_are_exported() -> None:
    assert {kind.__name__ for kind in get_args(Message)} <= set(messages.__all__)


@frozen
class Table:
    port: int = 1
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[t]\nport = 'x'", r"\[t\]: 'x' is not allowed \(must be int\) @ \$\.port"),
        ("[t]\nprot = 1", r"unknown key prot \(allowed: port, names\)"),
        ("[t]\nnames = [1]", r"1 is not allowed \(must be str\) @ \$\.names\[0\]"),
        ("t = 3", r"t: must be a table"),
        ("[t", "not TOML"),
    ],
)
def test_a_broken_settings_file_is_named_with_key_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "onecall.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said) as error:
        load(path, "t", Table)
    assert str(path) in str(error.value)


def test_a_peer_that_reads_no_more_is_given_up_and_what_ended_meanwhile_is_told_to_the_next(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "x.sock"
        server = LinkServer(path, snapshot=lambda: Snapshot("line"), command=lambda message: None)
        await server.start()
        stuck = await asyncio.open_unix_connection(str(path), limit=1 << 10)
        await stuck[0].readline()
        noise = Fault("x", "y" * 10_000)
        sent = 0
        while server.connected:
            server.send(noise)
            sent += 1
            assert sent * 10_000 < 3 * MAX_UNREAD, "what waits for a stuck peer grows for ever"
            if sent == 300:
                server.send(Cleared("t1", 16))
            if sent % 50 == 0:
                await asyncio.sleep(0)
        server.send(Cleared("t2", 17))
        assert server.dropped > MAX_UNREAD // 10_100 - 50, "what is lost is counted"
        newer = await connect(path)
        assert (await first(newer, Snapshot)).missed == (Cleared("t1", 16), Cleared("t2", 17))
        newer.close()
        stuck[1].close()
        await server.close()

    asyncio.run(main())


def test_a_flood_of_commands_leaves_room_for_the_tick(tmp_path: Path) -> None:
    async def main() -> None:
        taken = 0

        def command(message: Message) -> None:
            nonlocal taken
            taken += 1
            busy_until = time.perf_counter() + 0.0001
            while time.perf_counter() < busy_until:
                pass

        server = LinkServer(tmp_path / "x.sock", snapshot=lambda: Snapshot("line"), command=command)
        await server.start()
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "x.sock"))
        writer.write(encode(Hangup("t1")) * 5_000)
        turns = 0
        async with asyncio.timeout(20):
            while taken < 5_000:
                await asyncio.sleep(0)
                turns += 1
        assert turns > 5_000 / 20, "the loop turned between the commands"
        writer.close()
        await server.close()

    asyncio.run(main())
