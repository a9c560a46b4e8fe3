"""Short messages in the control process: none is lost, none that was taken is sent twice, through every restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance.events.log import EventLog
from appliance.link.client import LinkDown
from appliance.plugin import ShortMessage, hookimpl
from appliance.pluginmanager import Plugins
from appliance.sms import message
from appliance.sms.desk import SmsDesk
from appliance.sms.message import GIVE_UP_S, Sms
from appliance.store.store import Store
from appliance.store.tables import contact, sms
from hw.messages import (
    Fault,
    LineState,
    Message,
    SendSms,
    SmsFailed,
    SmsReceived,
    SmsReport,
    SmsSent,
    SmsTaken,
    Snapshot,
)

TO, FROM = "13900000000", "13800138000"


class Office:
    """The desk, what it gave to the line process, and a plugin that notes what it is told."""

    def __init__(self) -> None:
        self.desk: SmsDesk
        self.store: Store
        self.events: EventLog
        self.lines: dict[str, LineState] = {}
        self.sent: list[Message] = []
        self.told: list[ShortMessage] = []
        self.at = 1_770_000_000.0
        self.link_up = True
        self._came = asyncio.Event()

    def send(self, command: Message) -> None:
        if not self.link_up:
            raise LinkDown("the line process is not connected")
        self.sent.append(command)
        self._came.set()

    @hookimpl
    async def onecall_sms_received(self, message: ShortMessage) -> None:
        self.told.append(message)
        self._came.set()

    def line(self, name: str = "gsm1", up: bool = True) -> None:
        """A line's state comes."""
        self.lines[name] = LineState(name, "gsm", up, sms=True)
        self.desk.handle(self.lines[name])

    def say(self, *events: Message) -> None:
        for event in events:
            assert self.desk.handle(event)

    async def given(self, kind: type[Any], count: int = 1) -> Any:
        """The last of ``count`` commands of a kind."""
        async with asyncio.timeout(5):
            while len(found := [each for each in self.sent if isinstance(each, kind)]) < count:
                self._came.clear()
                await self._came.wait()
        assert len(found) == count
        return found[-1]

    async def until_told(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.told) < count:
                self._came.clear()
                await self._came.wait()

    async def state(self, name: str) -> str:
        [row] = await self.store.rows(select(sms.c.state).where(sms.c.id == name))
        return str(row["state"])

    async def until_state(self, name: str, state: str) -> None:
        while await self.state(name) != state:
            await asyncio.sleep(0)

    async def kinds(self) -> list[str]:
        return [row.kind for row in await self.events.rows(limit=1000)]

    async def calm(self) -> None:
        """Whatever was set off is through."""
        for _ in range(5):
            await asyncio.sleep(0)
            await self.store.save()


@asynccontextmanager
async def office(
    path: Path, *, at: float = 1_770_000_000.0, knows: tuple[str, ...] = ()
) -> AsyncIterator[Office]:
    """A control process; ``knows`` is what the line process tells it to be sending."""
    made = Office()
    made.at = at
    made.store = await Store.open(path / "test.db")
    made.events = await EventLog.open(made.store, lambda: made.at)
    plugins = Plugins(made.events.append)
    plugins.register(made, "noting")
    made.desk = SmsDesk(
        made.store, made.events, plugins, lines=made.lines.values, send=made.send, now=lambda: made.at
    )
    await made.desk.open()
    made.desk.line_up(Snapshot("line", messages=knows))
    try:
        async with asyncio.timeout(20):
            yield made
    finally:
        await made.desk.close()
        await made.store.close()


def sent(given: SendSms, part: int = 1, parts: int = 1, reference: int = 7) -> SmsSent:
    return SmsSent(given.id, given.line, part, parts, reference)


@pytest.mark.requirement("A16.01", "A1.08")
def test_a_message_goes_out_is_reported_and_stands_in_the_log_without_its_text(tmp_path: Path) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            o.line()
            new = await o.desk.send(TO, "您的运单已到达", by="admin")
            given = await o.given(SendSms)
            assert (given.id, given.line, given.number, given.text, given.start) == (
                new.id, "gsm1", TO, "您的运单已到达", 1,
            )  # fmt: skip
            o.say(sent(given), SmsReport("gsm1", "+86" + TO, 7, "trying", 0x30))
            await o.until_state(new.id, "sent")
            o.say(SmsReport("gsm1", "+86" + TO, 7, "delivered", 0))
            await o.until_state(new.id, "delivered")
            assert await o.kinds() == ["sms.queued", "sms.sent", "sms.reported"]
            rows = await o.events.rows()
            assert all("运单" not in str(row.data) for row in rows)
            [row] = await o.store.rows(select(contact))
            assert (row["channel"], row["called"], row["id"]) == ("sms", TO, rows[0].contact)

    asyncio.run(main())


def test_parts_that_were_taken_are_not_sent_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            o.line()
            new = await o.desk.send(TO, "x" * 400)
            given = await o.given(SendSms)
            o.say(sent(given, 1, 3, 11), sent(given, 1, 3, 11), SmsFailed(given.id, "gsm1", "again", "no network"))
            await o.until_state(new.id, "waiting")
            o.at += 9
            o.line()
            await o.calm()
            assert len(o.sent) == 1
            o.at += 2
            o.line()
            again = await o.given(SendSms, 2)
            assert (again.start, again.reference) == (2, given.reference)
            # The line process tells the old end once more to whoever connects; nobody takes it for the new one's.
            o.say(sent(again, 1, 3, 11), sent(again, 2, 3, 12), SmsReport("gsm1", TO, 12, "delivered", 0))
            await o.calm()
            o.say(SmsReport("gsm1", TO, 11, "delivered", 0), SmsReport("gsm1", TO, 13, "delivered", 0))
            await o.calm()
            o.say(sent(again, 3, 3, 13))
            await o.until_state(new.id, "sent")
            o.say(SmsReport("gsm1", TO, 13, "failed", 0x46))
            await o.until_state(new.id, "undelivered")

    asyncio.run(main())


def test_each_line_has_one_at_a_time_in_their_order_and_a_wish_for_a_line_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            o.line("gsm1")
            o.line("gsm2", up=False)
            await o.desk.send(TO, "first")
            o.at += 1
            wish = await o.desk.send(TO, "over the other", line="gsm2")
            o.at += 1
            await o.desk.send(TO, "second")
            first = await o.given(SendSms)
            assert first.text == "first"
            await o.calm()
            assert len(o.sent) == 1
            o.line("gsm2")
            await o.given(SendSms, 2)
            assert {(each.line, each.text) for each in o.sent} == {("gsm1", "first"), ("gsm2", "over the other")}  # type: ignore[union-attr]
            o.say(SmsSent(wish.id, "gsm1", 1, 1, 5))  # not its line
            await o.until_state(wish.id, "sending")
            o.say(sent(first))
            assert (await o.given(SendSms, 3)).text == "second"

    asyncio.run(main())


@pytest.mark.parametrize(("outcome", "state"), [("refused", "failed"), ("unknown", "unknown")])
def test_what_was_refused_or_is_unknown_is_not_tried_again(tmp_path: Path, outcome: Any, state: str) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            o.line()
            new = await o.desk.send(TO, "x")
            await o.given(SendSms)
            o.say(SmsFailed(new.id, "gsm1", outcome, "why"))
            await o.calm()
            o.at += 100_000
            o.line()
            await o.until_state(new.id, state)
            await o.calm()
            assert len(o.sent) == 1
            [failed] = await o.events.rows(kind="sms.failed")
            assert (failed.data["unknown"], failed.data["reason"]) == (state == "unknown", "why")

    asyncio.run(main())


def test_a_message_that_waits_survives_a_restart_and_is_given_up_after_a_day(tmp_path: Path) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            o.line(up=False)
            new = await o.desk.send(TO, "x")
            assert o.sent == []
        async with office(tmp_path, at=o.at + GIVE_UP_S - 1) as o:
            o.line()
            given = await o.given(SendSms)
            o.say(Fault(given.id, "message sms-1 is being sent", "SendSms"))
            await o.until_state(new.id, "waiting")
            o.at += 20
            o.line()
            await o.until_state(new.id, "failed")

    asyncio.run(main())


@pytest.mark.parametrize("known", [True, False])
def test_a_restart_in_the_middle_waits_for_the_end_if_the_line_process_knows_it_else_it_is_unknown(
    tmp_path: Path, known: bool
) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            o.line()
            new = await o.desk.send(TO, "x")
            other = await o.desk.send(TO, "y")
            given = await o.given(SendSms)
        async with office(tmp_path, knows=(new.id,) if known else ()) as o:
            o.line()
            if known:
                await o.calm()
                assert o.sent == []  # the line is not free yet
                o.say(sent(given), sent(given))
            assert (await o.given(SendSms)).id == other.id
            assert await o.state(new.id) == ("sent" if known else "unknown")

    asyncio.run(main())


def test_a_message_is_marked_before_it_is_handed_over_and_comes_back_when_the_link_is_down(tmp_path: Path) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            o.link_up = False
            o.line()
            new = await o.desk.send(TO, "x")
            await o.until_state(new.id, "waiting")
            o.link_up = True
            states: list[Any] = []
            send = o.send

            def noting(command: Message) -> None:
                states.append(asyncio.get_running_loop().create_task(o.state(new.id)))
                send(command)

            o.desk._outbox._send = noting
            o.desk.line_up(Snapshot("line"))
            await o.given(SendSms)
            assert [await each for each in states] == ["sending"]

    asyncio.run(main())


@pytest.mark.requirement("A16.01", "A16.02", "A1.08")
def test_a_message_that_comes_is_kept_before_the_module_may_forget_it_and_plugins_are_told_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            came = SmsReceived("abc", "gsm1", FROM, "几点开门？", 2, 1)
            o.say(came, came)
            taken = await o.given(SmsTaken, 2)
            assert taken == SmsTaken("abc", "gsm1")
            await o.until_told(1)
            await o.calm()
            [told] = o.told
            assert (told.number, told.text, told.line, told.missing) == (FROM, "几点开门？", "gsm1", 1)
            assert await o.kinds() == ["sms.received"]
            [row] = await o.store.rows(select(contact))
            assert (row["id"], row["channel"], row["caller"]) == (told.contact, "sms", FROM)
            assert [m.state for m in await o.desk.messages(number=FROM)] == ["handled"]
        async with office(tmp_path) as o:
            o.say(came)
            await o.given(SmsTaken)
            await o.calm()
            assert o.told == []

    asyncio.run(main())


def test_what_plugins_were_not_told_of_before_a_restart_is_told_after_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            o.desk._inbox._unhandled.put_nowait = lambda _message: None  # type: ignore[method-assign]  # dies here
            o.say(SmsReceived("abc", "gsm1", FROM, "x"))
            await o.given(SmsTaken)
        async with office(tmp_path) as o:
            await o.until_told(1)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("number", "text", "line", "reason"),
    [("", "x", "", "number"), ("139 00", "x", "", "number"), ("1" * 21, "x", "", "number"), (TO, " ", "", "text"),
     (TO, "x" * 2001, "", "text"), (TO, "x", "e1", "carries no short messages")],
)  # fmt: skip
def test_what_can_never_be_sent_is_refused_at_once(
    tmp_path: Path, number: str, text: str, line: str, reason: str
) -> None:
    async def main() -> None:
        async with office(tmp_path) as o:
            with pytest.raises(LookupError, match="no line"):
                await o.desk.send(TO, "x")
            o.line()
            with pytest.raises((ValueError, LookupError), match=reason):
                await o.desk.send(number, text, line=line)
            assert await o.kinds() == []

    asyncio.run(main())


def test_the_rules_pauses_grow_numbers_are_compared_by_their_end_and_the_oldest_goes_first() -> None:
    assert [message.pause_s(tries) for tries in (1, 2, 6, 60)] == [10.0, 30.0, 3600.0, 3600.0]
    assert message.same_number("+8613900000000", "13900000000") and message.same_number("10086", "10086")
    assert not message.same_number("10086", "8610086") and not message.same_number("13900000000", "13900000001")
    old, late, other = (Sms(name, False, TO, "x", at) for name, at in (("a", 1.0), ("b", 2.0), ("c", 0.0)))
    late.next_at, other.wanted = 50.0, "gsm2"
    assert message.choose([late, old, other], "gsm1", 10.0) is old
    assert message.choose([late], "gsm1", 10.0) is None
    assert message.choose([late, old, other], "gsm2", 60.0) is other
