"""The span as a whole: alarm and return, restart, blocking, glare, an exchange that does not answer, the trace."""

from __future__ import annotations

import asyncio
import shutil
import subprocess

import pytest

from hw.line.signalling import restarts
from hw.line.trunk import NoChannel
from hw.messages import Alerting, Answered, Cleared, Fault, LineState, Proceeding, Refused
from hw.sim.exchange import Blocked, NumberSettings


async def _up(p, caller_number="1"):
    """A call that is up: the caller and our leg."""
    caller = p.exchange.call("400", caller_number)
    leg = (await p.incoming()).leg
    p.trunk.answer(leg)
    await caller.answered()
    return caller, leg


def test_a_cut_cable_clears_every_leg_with_27_and_the_line_comes_back_by_itself(pair):
    async def main():
        async with pair(numbers=(NumberSettings("10086", answers="never"),)) as p:
            caller, leg = await _up(p)
            p.trunk.dial("out", "10086", "", "")
            await p.next(Alerting)
            p.exchange.spans[0].cut()
            assert await p.next(Cleared, leg=leg) == Cleared(leg, 27, "fault")
            assert await p.next(Cleared, leg="out") == Cleared("out", 27, "fault")
            assert (await caller.cleared(), caller.by) == (27, "fault")
            state = await p.line(up=False)
            assert state.alarm == "RED" and {c.state for c in state.channels} == {"alarm"} and not p.trunk.legs()
            with pytest.raises(NoChannel):
                p.trunk.dial("out2", "10086", "", "")
            with pytest.raises(Blocked):
                p.exchange.call("400")
            p.exchange.spans[0].mend()
            assert (await p.line(up=True)).alarm == ""
            await p.exchange.wait_up()
            caller, leg = await _up(p)
            caller.hangup()
            await p.until_idle()

    asyncio.run(main())


def test_the_line_comes_back_when_the_line_process_does(pair):
    async def main():
        async with pair() as p:
            caller, leg = await _up(p)
            await p.trunk.close()
            assert await p.next(Cleared) == Cleared(leg, 41, "us")
            assert await caller.cleared() == 41
            await p.exchange.spans[0].wait_up(False)
            await p.trunk.start(p.emit)
            await p.line(up=True)
            await p.exchange.wait_up()
            await _up(p)

    asyncio.run(main())


def test_every_change_of_the_line_is_told(pair):
    async def main():
        async with pair() as p:
            told = [e for e in p.events if isinstance(e, LineState)]
            assert [(e.up, e.alarm) for e in told] == [(False, "RED"), (False, "D channel"), (True, "")]
            p.events.clear()
            _, leg = await _up(p)
            busy = await p.next(LineState)
            assert [(c.channel, c.leg) for c in busy.channels if c.state == "busy"] == [(1, leg)]

    asyncio.run(main())


def test_the_exchange_restarts_a_channel(pair):
    async def main():
        async with pair() as p:
            caller, leg = await _up(p)
            other, other_leg = await _up(p, "2")
            p.exchange.spans[0].restart(caller.channel)
            assert await p.next(Cleared) == Cleared(leg, 41, "far")
            assert other.phase == "up" and [each.leg for each in p.trunk.legs()] == [other_leg]
            again, _ = await _up(p, "3")
            assert again.channel == caller.channel
            for each in (again, other):
                each.hangup()
            await p.until_idle()

    asyncio.run(main())


def test_a_restart_of_a_channel_that_is_not_ours_clears_nothing(pair):
    async def main():
        async with pair() as p:
            caller, _ = await _up(p)
            p.exchange.spans[0].restart(16)
            other, _ = await _up(p, "2")
            assert (caller.phase, other.phase) == ("up", "up")
            caller.hangup()
            other.hangup()
            await p.until_idle()

    asyncio.run(main())


def test_we_restart_one_channel_and_then_all(pair):
    async def main():
        async with pair() as p:
            first, leg = await _up(p)
            second, other = await _up(p, "2")
            p.trunk.restart(first.channel)
            assert p.trunk.state().channels[0].state == "blocked"
            assert await p.next(Cleared) == Cleared(leg, 41, "us")
            assert await first.cleared() == 41
            assert second.phase == "up"
            p.trunk.restart(None)
            assert await p.next(Cleared) == Cleared(other, 41, "us")
            assert p.states() == {"blocked"}
            with pytest.raises(NoChannel):
                p.trunk.dial("out", "10086", "", "")
            await p.until_idle()

    asyncio.run(main())


def test_an_unacknowledged_restart_blocks_the_channel_and_is_told(pair, monkeypatch):
    monkeypatch.setattr(restarts, "T316_S", 0.05)

    async def main():
        async with pair() as p:
            p.exchange.spans[0].d_delay_s = 0.5
            p.trunk.restart(4)
            fault = await p.next(Fault)
            assert "channel 4" in fault.reason
            assert p.trunk.state().channels[3].state == "blocked"

    asyncio.run(main())


def test_blocked_channels_are_skipped_both_ways_and_calls_on_them_go_on(pair):
    async def main():
        async with pair(channels=(1, 2, 3), numbers=(NumberSettings("10086", answers="never"),)) as p:
            caller, _ = await _up(p)
            p.trunk.block(1, True)
            p.trunk.block(3, True)
            assert [c.state for c in p.trunk.state().channels] == ["busy", "idle", "blocked"]
            assert caller.phase == "up"
            forced = p.exchange.call("400", "9", channel=3)
            assert await forced.cleared() == 44
            assert await p.next(Refused) == Refused("e1", "400", "9", 44)
            assert p.trunk.dial("out", "10086", "", "") == 2
            with pytest.raises(NoChannel):
                p.trunk.dial("out2", "10086", "", "")
            assert await p.exchange.call("400", "8", channel=3).cleared() == 34
            p.trunk.block(None, False)
            assert p.trunk.dial("out2", "10086", "", "") == 3
            caller.hangup()
            p.trunk.hangup("out", 16)
            p.trunk.hangup("out2", 16)
            await p.until_idle()

    asyncio.run(main())


def test_glare_gives_the_channel_to_the_exchange_and_our_call_another(pair):
    async def main():
        async with pair(channels=(1, 2, 3), numbers=(NumberSettings("10086", answer_ms=0),)) as p:
            # Both SETUPs are on their way on channel 3 before either side reads.
            assert p.trunk.dial("out", "10086", "4008", "") == 3
            caller = p.exchange.call("400", "1", channel=3)
            call = await p.incoming()
            assert call.channel == caller.channel == 3
            # Told before the incoming call, so that a channel never has two legs.
            assert p.history.index(Proceeding("out", 2)) < p.history.index(call)
            await p.next(Answered)
            assert p.trunk.channel_of("out") == 2
            p.trunk.answer(call.leg)
            await caller.answered()
            [person] = [each for each in p.exchange.subscribers if not each.calls]
            assert (person.channel, person.caller) == (2, "4008")
            caller.hangup()
            p.trunk.hangup("out", 16)
            await p.until_idle()

    asyncio.run(main())


def test_glare_without_another_channel_clears_our_call_with_44(pair):
    async def main():
        async with pair(channels=(1,), numbers=(NumberSettings("10086", answer_ms=0),)) as p:
            p.trunk.dial("out", "10086", "", "")
            caller = p.exchange.call("400", "1", channel=1)
            call = await p.incoming()
            assert Cleared("out", 44, "far") in p.history[: p.history.index(call)]
            p.trunk.answer(call.leg)
            await caller.answered()
            caller.hangup()
            await p.until_idle()

    asyncio.run(main())


def test_an_exchange_that_never_answers_our_setup_ends_in_cleared(pair):
    async def main():
        async with pair() as p:
            # T303 of 4 s runs twice (Q.931 §5.1.1); shortened here, libpri runs it all the same.
            p.trunk._d.set_timer("T303", 100)
            p.exchange.spans[0].d_delay_s = 1.0
            p.trunk.dial("out", "10086", "", "")
            assert await p.next(Cleared) == Cleared("out", 18, "fault")
            assert "busy" not in p.states()

    asyncio.run(main())


def test_an_exchange_that_never_answers_our_disconnect_ends_in_cleared(pair):
    async def main():
        async with pair() as p:
            _, leg = await _up(p)
            p.trunk._d.set_timer("T305", 50)
            p.trunk._d.set_timer("T308", 50)
            p.exchange.spans[0].d_delay_s = 1.0
            p.trunk.hangup(leg, 16)
            assert await p.next(Cleared) == Cleared(leg, 16, "us")
            assert "busy" not in p.states()

    asyncio.run(main())


def test_a_data_link_that_is_lost_clears_calls_after_t309_and_comes_back(pair):
    async def main():
        async with pair() as p:
            _, leg = await _up(p)
            # The cable is whole, but nothing of the D channel comes through: T200 runs out N200 times.
            p.trunk._d.set_timer("T200", 30)
            p.trunk._d.set_timer("T309", 200)
            p.exchange.spans[0].d_delay_s = 1.0
            p.trunk._d.restart(30)
            state = await p.line(up=False)
            assert state.alarm == "D channel" and [each.leg for each in p.trunk.legs()] == [leg]
            assert await p.next(Cleared) == Cleared(leg, 27, "fault")
            p.exchange.spans[0].d_delay_s = 0.0
            await p.line(up=True)
            caller, _ = await _up(p, "2")
            caller.hangup()

    asyncio.run(main())


def test_a_slow_exchange_is_no_fault(pair):
    async def main():
        async with pair(numbers=(NumberSettings("10086", answer_ms=0),)) as p:
            p.exchange.spans[0].d_delay_s = 0.1
            p.trunk.dial("out", "10086", "", "")
            await p.next(Answered)
            p.trunk.hangup("out", 16)
            assert await p.next(Cleared) == Cleared("out", 16, "us")

    asyncio.run(main())


def test_garbage_on_the_d_channel_is_counted_and_harms_nothing(pair):
    async def main():
        async with pair() as p:
            caller, _ = await _up(p)
            for frame in (b"\x00", bytes(300), b"\xff" * 20, b"\xfe\x01\x00\x00\x08", b"\x02\x01\xef\x00"):
                p.exchange.spans[0]._send(frame)
            other, _ = await _up(p, "2")
            assert p.trunk.counters()["q921_dropped"] == 2
            assert caller.phase == "up"
            caller.hangup()
            other.hangup()
            await p.until_idle()

    asyncio.run(main())


def test_a_new_exchange_takes_the_old_ones_place(pair, tmp_path):
    from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings

    async def main():
        async with pair() as p:
            caller, leg = await _up(p)
            second = Exchange(ExchangeSettings(spans=(ExchangeSpanSettings(str(tmp_path / "e1")),)))
            p.exchange.spans[0].mend = lambda: None
            await second.start()
            await second.wait_up()
            assert (await p.next(Cleared)).leg == leg
            await caller.cleared()
            await second.close()

    asyncio.run(main())


@pytest.mark.judge("tshark")
def test_tshark_reads_the_trace_in_both_directions(pair, tmp_path):
    trace = tmp_path / "d.pcap"

    async def main():
        async with pair(trace=trace, numbers=(NumberSettings("10086", answer_ms=0),)) as p:
            caller, _ = await _up(p, "13800138000")
            caller.hangup(16)
            await p.until_idle()
            p.trunk.dial("out", "10086", "4008001111", "")
            await p.next(Answered)
            p.trunk.hangup("out", 17)
            await p.until_idle()

    asyncio.run(main())
    program = shutil.which("tshark")
    assert program is not None
    fields = ("-e", "q931.message_type", "-e", "q931.called_party_number.digits")
    read = subprocess.run(
        [program, "-r", str(trace), "-Y", "q931", "-T", "fields", *fields], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in read.stdout.splitlines()]
    names = {"0x05": "SETUP", "0x02": "PROC", "0x01": "ALERT", "0x07": "CONN", "0x0f": "ACK", "0x45": "DISC",
             "0x4d": "REL", "0x5a": "RELC"}  # fmt: skip
    assert [names[row[0]] for row in rows] == [
        "SETUP", "PROC", "CONN", "ACK", "DISC", "REL", "RELC",
        "SETUP", "PROC", "ALERT", "CONN", "ACK", "DISC", "REL", "RELC",
    ]  # fmt: skip
    assert [row[1] for row in rows if row[0] == "0x05"] == ["400", "10086"]
