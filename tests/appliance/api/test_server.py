"""The API over its real socket: methods, bad input, who is let in, live views, events, clients that do not read."""

import asyncio
import json
import os
import socket
import stat
from pathlib import Path

import pytest

from appliance.api.client import Client, NotRunningError, RefusedError
from appliance.api.live import FASTEST_S, SLOWEST_S
from appliance.api.outbox import MAX_EVENTS
from appliance.api.peer import Credentials, Peer
from appliance.api.rpc import ApiError
from appliance.api.types import AgentRow, CallRow, PhoneRow, Status, TrunkRow
from appliance.events.types import LegAnswered, ServiceEntered
from tests.appliance.api.serving import Serving, run


def test_the_core_methods_give_typed_rows(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        async with served.client() as client:
            status = await client.get(Status, "status")
            assert (status.version, status.site, status.calls, status.agents) == ("1.2.3", "测试站", 1, 1)
            assert (status.phones, status.registered, status.trunks_up, status.alarms) == (2, 1, 1, ("trunk e2: RED",))
            assert await client.get(list[CallRow], "calls.list") == served.rows.calls()
            assert await client.get(list[PhoneRow], "phones.list") == served.rows.phones()
            assert await client.get(list[TrunkRow], "trunks.list") == served.rows.trunks()
            assert [agent.agent for agent in await client.get(list[AgentRow], "agents.list")] == ["1001", "1002"]
            live = await client.live()
            assert (live.queues[0].waiting, live.totals, live.channels[1].state) == (1, {"offered": 7}, "blocked")

    run(tmp_path, work)


def test_orders_reach_the_switchboard_and_are_on_record_with_who_gave_them(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        async with served.client() as client:
            await client.call("calls.hangup", contact="c1")
            await client.call("trunks.block", line="e1", channel=3, blocked=True)
            await client.call("trunks.block", line="e1", channel=None, blocked=False)
            with pytest.raises(ApiError, match="no call 'c9' is up") as error:
                await client.call("calls.hangup", contact="c9")
            assert error.value.code == -32602
            rows = await client.events(0)
        assert served.rows.done == [("hangup", "c1"), ("block", "e1", 3, True), ("block", "e1", None, False)]
        assert [(row.kind, row.contact) for row in rows] == [
            ("contact.hungup", "c1"), ("line.blocked", ""), ("line.blocked", "")
        ]  # fmt: skip
        assert {row.data["by"] for row in rows} == {"root" if os.getuid() == 0 else os.environ["USER"]}

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("line", "code", "number", "told"),
    [
        (b"{", -32700, None, "not JSON"),
        (b"\xff\xfe", -32700, None, "not JSON"),
        (b"[" * 100_000, -32700, None, "not JSON"),
        (b"7", -32600, None, "must be an object"),
        (b'{"method": "status", "id": 1}', -32600, None, 'jsonrpc must be "2.0"'),
        (b'{"jsonrpc": "2.0", "method": 5, "id": 1}', -32600, None, "method must be a string"),
        (b'{"jsonrpc": "2.0", "method": "status", "id": {}}', -32600, None, "id must be a string or a number"),
        (b'{"jsonrpc": "2.0", "method": "calls.hang", "id": 1}', -32601, 1, "calls.hangup"),
        (b'{"jsonrpc": "2.0", "method": "status", "params": [1], "id": "x"}', -32602, None, "named parameters"),
        (b'{"jsonrpc": "2.0", "method": "calls.hangup", "id": 1}', -32602, 1, "key 'contact' is missing"),
        (
            b'{"jsonrpc": "2.0", "method": "calls.hangup", "params": {"contact": 5}, "id": 1}', -32602, 1,
            "5 is not allowed (must be str) @ $.contact",
        ),
        (
            b'{"jsonrpc": "2.0", "method": "status", "params": {"fast": true}, "id": 1}', -32602, 1,
            "unknown key fast",
        ),
        (
            b'{"jsonrpc": "2.0", "method": "trunks.block", "params": {"line": "e1", "chanel": 3}, "id": 1}', -32602, 1,
            "unknown key chanel (allowed: line, channel, blocked)",
        ),
        (
            b'{"jsonrpc": "2.0", "method": "events.list", "params": {"limit": 0}, "id": 1}', -32602, 1,
            "limit must be from 1 to 10000",
        ),
        (
            b'{"jsonrpc": "2.0", "method": "subscribe", "params": {"topic": "all"}, "id": 1}', -32602, 1,
            "topic",
        ),
        (b"[]", -32600, None, "an empty batch"),
    ],
    ids=lambda value: value[:40].decode(errors="replace") if isinstance(value, bytes) else str(value),
)  # fmt: skip
def test_bad_input_is_answered_and_the_connection_goes_on(
    tmp_path: Path, line: bytes, code: int, number: object, told: str
) -> None:
    async def work(served: Serving) -> None:
        good = b'{"jsonrpc": "2.0", "method": "calls.list", "id": 99}'
        answer, after = await served.raw(line, good)
        [answer] = answer if isinstance(answer, list) else [answer]
        assert (answer["error"]["code"], answer["id"]) == (code, number)
        assert told in answer["error"]["message"]
        assert after["id"] == 99
        assert after["result"][0]["contact"] == "c1"

    run(tmp_path, work)


def test_a_batch_is_answered_as_one_and_notifications_not_at_all(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        [answers] = await served.raw(
            b'[{"jsonrpc": "2.0", "method": "calls.hangup", "params": {"contact": "c1"}},'
            b' {"jsonrpc": "2.0", "method": "calls.list", "id": 1}, 5]'
        )
        assert [answer["id"] for answer in answers] == [1, None]
        assert served.rows.done == [("hangup", "c1")]

    run(tmp_path, work)


def test_a_line_over_a_megabyte_is_refused(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        reader, writer = await asyncio.open_unix_connection(str(served.path))
        writer.write(b'{"jsonrpc": "2.0", "method": "' + b"x" * (1 << 20) + b'"}\n')
        answer = json.loads(await reader.readline())
        assert (answer["error"]["code"], "1048576 bytes" in answer["error"]["message"]) == (-32600, True)
        writer.close()
        async with served.client() as client:
            assert await client.call("calls.list")

    run(tmp_path, work)


# -- plugins' methods --------------------------------------------------------------------------------------------------


def test_plugins_methods_are_checked_by_their_annotations_limited_in_time_and_may_fail(tmp_path: Path) -> None:
    async def add(a: int, b: int = 2) -> dict[str, int]:
        return {"sum": a + b}

    async def slow() -> None:
        await asyncio.sleep(60)

    async def broken() -> None:
        raise RuntimeError("out of paper")

    async def unsayable() -> object:
        return object()

    async def who(peer: Peer) -> str:
        return peer.role

    async def mine() -> list[str]:
        raise AssertionError("the core's method comes first")

    table = {"add": add, "slow": slow, "broken": broken, "unsayable": unsayable, "who": who, "calls.list": mine}

    async def work(served: Serving) -> None:
        async with served.client() as client:
            assert await client.call("add", a=1) == {"sum": 3}
            assert await client.call("who") == "admin"
            assert len(await client.call("calls.list")) == 1
            for method, params, code, told in (
                ("add", {"a": "1"}, -32602, "'1' is not allowed (must be int) @ $.a"),
                ("who", {"peer": "root"}, -32602, "unknown key peer"),
                ("slow", {}, -32000, "not done within 0.2 s"),
                ("broken", {}, -32603, "out of paper"),
                ("unsayable", {}, -32603, "cannot be written as JSON"),
            ):
                with pytest.raises(ApiError) as error:
                    await client.call(method, **params)
                assert (error.value.code, told in str(error.value)) == (code, True), str(error.value)
            del table["add"]  # its plugin is switched off
            with pytest.raises(ApiError, match="there is no method add"):
                await client.call("add", a=1)

    run(tmp_path, work, plugins=table, timeout_s=0.2)


# -- who is let in -----------------------------------------------------------------------------------------------------


def test_the_socket_is_for_owner_and_group_and_gone_after_the_end(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        assert stat.S_IMODE(served.path.stat().st_mode) == 0o660

    run(tmp_path, work)
    assert not (tmp_path / "api.sock").exists()


def test_a_stranger_is_told_what_to_do(tmp_path: Path) -> None:
    def nobody(_: socket.socket) -> Credentials:
        return Credentials(1, 65534, 65534)

    async def work(served: Serving) -> None:
        with pytest.raises(RefusedError, match=r"nobody may not manage .*: add the user to the group no such"):
            async with served.client() as client:
                await client.call("status")
        assert served.server.counters()["refused"] == 1

    run(tmp_path, work, ask=nobody)


def test_nobody_there_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(NotRunningError, match=r"none\.sock: No such file"):
            await Client(tmp_path / "none.sock").connect()

    asyncio.run(main())


def test_calls_and_iterators_end_when_the_service_goes(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        async with served.client() as client:
            async with client.live_views() as views:
                await anext(views)
                waiting = asyncio.ensure_future(_last(views))
                await served.server.close()
                with pytest.raises(NotRunningError, match="closed the connection"):
                    await waiting
            with pytest.raises(NotRunningError):
                await client.call("status")

    async def _last(views: object) -> None:
        async for _ in views:  # type: ignore[attr-defined]
            continue

    run(tmp_path, work)


# -- live views --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A8.01")
def test_live_views_come_once_a_second_soon_after_a_change_and_only_when_watched(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        loop = asyncio.get_running_loop()
        assert served.server.live.built == 0
        async with served.client() as client:
            async with client.live_views() as views:
                first = await anext(views)
                assert (first.site, first.processes[0].process, first.queues[0].waiting) == ("测试站", "control", 1)
                began = loop.time()
                await anext(views)
                assert SLOWEST_S * 0.8 < loop.time() - began < SLOWEST_S * 1.5
                await asyncio.sleep(FASTEST_S)
                served.rows.caller = "13900139000"
                began = loop.time()
                served.events.append(LegAnswered("l1", 1.0), "c1")
                view = await anext(views)
                assert view.calls[0].caller == "13900139000"
                assert loop.time() - began < FASTEST_S
                built, began = served.server.live.built, loop.time()
                while loop.time() - began < 3 * FASTEST_S:  # a storm of changes
                    served.events.append(LegAnswered("l1", 1.0), "c1")
                    await asyncio.sleep(0.005)
                assert 2 <= served.server.live.built - built <= 4
            built = served.server.live.built
            await asyncio.sleep(SLOWEST_S * 1.2)
            assert served.server.live.built == built

    run(tmp_path, work)


def test_a_view_that_cannot_be_built_does_not_end_the_views(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        async with served.client() as client, client.live_views() as views:
            await anext(views)
            good = served.rows.calls
            served.rows.calls = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
            with pytest.raises(ApiError, match="ZeroDivisionError"):
                await client.live()
            served.server.live.touch()
            await asyncio.sleep(FASTEST_S * 1.5)
            served.rows.calls = good  # type: ignore[method-assign]
            assert (await anext(views)).calls

    run(tmp_path, work)


# -- events ------------------------------------------------------------------------------------------------------------


def test_events_come_as_they_happen_filtered_and_without_a_gap_from_a_number_on(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        for n in range(1200):
            served.events.append(ServiceEntered(f"d{n}"), "c1" if n % 2 else "c2")
        async with served.client() as client:
            async with client.follow_events("service.", "c1", after=100) as rows:
                seen = [await anext(rows) for _ in range(50)]
                for n in range(1200, 1210):
                    served.events.append(ServiceEntered(f"d{n}"), "c1" if n % 2 else "c2")
                    served.events.append(LegAnswered("l1", 1.0), "c1")
                while seen[-1].data["destination"] != "d1209":
                    seen.append(await anext(rows))
            assert [row.data["destination"] for row in seen] == [f"d{n}" for n in range(101, 1210, 2)]
            assert client.dropped == 0

    run(tmp_path, work)


def test_a_client_that_does_not_read_costs_no_memory_and_then_sees_the_newest(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        slow = socket.socket(socket.AF_UNIX)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(str(served.path))
        for number, topic in enumerate(("events", "live")):
            request = {"jsonrpc": "2.0", "id": number, "method": "subscribe", "params": {"topic": topic}}
            slow.sendall(json.dumps(request).encode() + b"\n")
        async with served.client() as other:
            while served.server.live.watchers == 0:
                await other.call("calls.list")
            total = MAX_EVENTS * 2
            for n in range(total):
                served.events.append(ServiceEntered("queue:" + "x" * 500), f"c{n}")
                if n % 100 == 0:
                    await asyncio.sleep(0)
            await served.events.flushed()
            while served.server.counters()["live_skipped"] < 1:
                served.server.live.touch()
                await asyncio.sleep(FASTEST_S)
            counters = served.server.counters()
            assert 0 < counters["events_dropped"] < total
            assert len(await other.call("calls.list")) == 1  # the others are served meanwhile
            served.rows.caller = "the newest"
            served.server.live.touch()
            await asyncio.sleep(FASTEST_S * 2)

        got, told, views = 0, 0, []
        reader, writer = await asyncio.open_unix_connection(sock=slow, limit=1 << 24)
        while not views or views[-1]["calls"][0]["caller"] != "the newest":
            message = json.loads(await reader.readline())
            got += message.get("method") == "event"
            told += message["params"]["events"] if message.get("method") == "dropped" else 0
            if message.get("method") == "live":
                views.append(message["params"])
        assert told == served.server.counters()["events_dropped"]
        assert got + told == total
        writer.close()

    run(tmp_path, work)


def test_answers_are_never_dropped_and_a_flood_of_requests_waits(tmp_path: Path) -> None:
    async def work(served: Serving) -> None:
        reader, writer = await asyncio.open_unix_connection(str(served.path))
        total = 3000
        for n in range(total):
            writer.write(b'{"jsonrpc": "2.0", "method": "calls.list", "id": %d}\n' % n)
        answers = [json.loads(await reader.readline())["id"] for _ in range(total)]
        assert answers == list(range(total))
        writer.close()

    run(tmp_path, work)
