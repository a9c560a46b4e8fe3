"""A caller in a queue: rung for at once, told his place, joined, followed through no-answer, hang-up and overflow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hw.messages import Alerting, Answered, ChannelState, Hangup, LineState, Mix, Play, Played, Stop
from plugins.acd import plugin
from tests.appliance.calls.desk import THEIRS
from tests.plugins.acd.floor import Floor, floor

SERVICE = '[service]\nname = "客服"\nagents = ["1001", "1002"]\n'


def run(path: Path, scenario: Callable[[Floor], Awaitable[None]], queues: str = SERVICE, settings: str = "") -> None:
    async def main() -> None:
        async with floor(path, queues, settings) as f:
            await scenario(f)

    asyncio.run(main())


def test_a_caller_reaches_the_agent_who_is_idle_longest_and_everything_is_in_the_log(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1002", "1001")
        f.desk.caller("95001")
        dial = await f.rings("8002")
        assert (dial.caller, dial.name) == ("13800138000", "客服")
        f.desk.say("phone", Alerting(dial.leg))
        await f.event("acd.alerting", agent="1002")
        assert f.state("1002") == "ringing"
        f.desk.say("phone", Answered(dial.leg, THEIRS))
        await f.event("contact.bridged", peer=dial.leg)
        assert f.state("1002") == "talking"
        assert Mix("t1", {dial.leg: 1.0}) in f.desk.line.sent
        f.clear(dial.leg)
        await f.event("agent.state", agent="1002", state="free", was="talking")
        ended = await f.event("contact.ended")
        rows = await f.desk.events.rows(contact=ended.contact)
        kinds = [row.kind for row in rows if row.kind.startswith(("queue.", "acd."))]
        assert kinds == ["queue.entered", "acd.offered", "acd.alerting", "queue.answered", "queue.ended"]
        [row] = await f.methods["queues.list"]()
        day = row["row"]
        assert (day.offered, day.answered, day.answered_in_target, day.abandoned) == (1, 1, 1, 0)
        assert row["service_level"] == {"1": 1.0, "2": 1.0, "3": 1.0, "4": 1.0}

    run(tmp_path, scenario)


@pytest.mark.requirement("A3.10")
def test_a_free_agent_is_rung_at_once_while_an_announcement_is_still_being_said(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        f.plug("8001")
        playing = f.hold_prompts()
        f.desk.caller("95001")
        await f.desk.sent(Play, after=1)
        assert [play.items[0].value for play in playing] == ["/zh/acd.unstaffed.wav"]
        await f.login("1001")
        dial = await f.rings("8001")
        assert len(playing) == 1, "it is still being said"
        f.desk.say("phone", Alerting(dial.leg))
        offered, rings = await f.event("acd.offered", agent="1001"), await f.event("acd.alerting", agent="1001")
        assert 0.0 <= offered.data["ms"] + rings.data["ms"] < 500.0
        f.desk.say("phone", Answered(dial.leg, THEIRS))
        await f.event("contact.bridged")
        sent = f.desk.line.sent
        assert sent.index(Stop("t1", playing[0].player)) < sent.index(Mix("t1", {dial.leg: 1.0}))
        f.desk.say("line", Played("t1", playing[0].player, "stopped"))
        f.clear("t1")
        await f.event("contact.ended")

    run(tmp_path, scenario)


@pytest.mark.requirement("A3.07")
def test_a_waiting_caller_hears_music_place_and_estimated_wait(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001")
        await f.methods["agents.pause"](agent="1001", reason="meal")
        f.dispatcher.engine.handled("service", 90.0)
        f.desk.caller("95001", leg="t1")
        await f.event("queue.entered", position=1)
        f.desk.caller("95001", leg="t2")
        await f.event("queue.entered", position=2)
        await f.methods["agents.resume"](agent="1001")
        f.desk.caller("95001", leg="t3")
        await f.event("queue.entered", position=3)
        async with asyncio.timeout(5):
            while sum(isinstance(m, Play) and m.loop and m.port == "t3" for m in f.desk.line.sent) < 2:
                f.desk.arrived.clear()
                await f.desk.arrived.wait()
        said = f.voice.said
        assert said[:2] == [("acd.next", {}), ("acd.position", {"position": 2})]
        assert said[2:] == [("acd.position", {"position": 3}), ("acd.wait", {"minutes": 5})]
        assert (await f.methods["queues.list"]())[0]["row"].waiting == 3

    run(tmp_path, scenario)


def test_who_does_not_answer_loses_the_call_to_the_next_and_is_paused_after_the_second(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001", "1002")
        f.desk.caller("95001")
        f.clear((await f.rings("8001")).leg, 19)
        dial = await f.rings("8002")
        assert f.state("1001") == "free"
        f.clear(dial.leg, 18)
        f.clear((await f.rings("8001", after=1)).leg, 19)
        await f.event("agent.state", agent="1001", state="paused", reason="no-answer")
        f.desk.say("phone", Answered((await f.rings("8002", after=1)).leg, THEIRS))
        await f.event("queue.answered", agent="1002")
        causes = [row.data["cause"] for row in await f.desk.events.rows(kind="acd.not_answered")]
        assert causes == [19, 18, 19]
        f.clear("t1")
        await f.event("contact.ended")

    run(tmp_path, scenario)


def test_a_caller_who_hangs_up_stops_the_phone_and_is_abandoned(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001")
        f.desk.caller("95001")
        dial = await f.rings("8001")
        f.clear("t1")
        await f.event("queue.abandoned", queue="service")
        await f.event("leg.cleared", leg=dial.leg)
        assert any(m == Hangup(dial.leg, 16) for m in f.desk.phone.sent)
        await f.event("agent.state", agent="1001", state="free")
        f.desk.caller("95001", leg="t2")
        await f.rings("8001", after=1)
        [row] = await f.methods["queues.list"]()
        assert (row["row"].offered, row["row"].abandoned, row["row"].waiting) == (2, 1, 1)

    run(tmp_path, scenario)


@pytest.mark.requirement("A3.06")
def test_ring_all_rings_both_phones_and_the_second_who_answers_is_let_go(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001", "1002")
        f.desk.caller("95001")
        first, second = await f.rings("8001"), await f.rings("8002")
        f.desk.say("phone", Answered(first.leg, THEIRS))
        f.desk.say("phone", Answered(second.leg, THEIRS))
        bridged = await f.event("contact.bridged")
        assert bridged.data["peer"] == first.leg
        await f.event("leg.cleared", leg=second.leg)
        assert (f.state("1001"), f.state("1002")) == ("talking", "free")
        assert len(await f.desk.events.rows(kind="queue.answered")) == 1

    run(tmp_path, scenario, SERVICE + 'strategy = "ring-all"\n')


def test_the_longest_wait_ends_with_an_apology_and_the_overflow_destination(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        f.desk.caller("95001")
        overflowed = await f.event("queue.overflowed", reason="max-wait", destination="hangup:17")
        assert overflowed.data["wait_ms"] >= 50.0
        ended = await f.event("contact.ended")
        assert ended.data["cause"] == 17
        assert f.voice.said[-1] == ("acd.sorry", {})

    run(tmp_path, scenario, SERVICE + "max_wait_s = 0.05\nannounce_s = 0\n")


def test_without_agents_a_caller_is_told_so_and_sent_where_the_queue_says(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        f.desk.caller("95001")
        await f.event("queue.overflowed", reason="unstaffed", destination="hangup:20")
        await f.event("contact.ended", cause=20)
        assert [prompt for prompt, _ in f.voice.said] == ["acd.unstaffed"]

    run(tmp_path, scenario, SERVICE + 'unstaffed = "hangup:20"\n')


def test_an_agent_whose_phone_is_gone_is_passed_over_until_it_is_back(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001", "1002")
        f.unplug("8001")
        await f.event("agent.state", agent="1001", state="paused", reason="phone")
        f.desk.caller("95001")
        dial = await f.rings("8002")
        f.unplug("8002")
        await f.event("agent.state", agent="1002", state="paused", reason="phone")
        assert any(m == Hangup(dial.leg, 16) for m in f.desk.phone.sent)
        f.plug("8001")
        await f.rings("8001")

    run(tmp_path, scenario)


def test_an_agent_on_the_phone_on_his_own_is_busy_and_gets_no_calls(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001")
        f.dials_from_seat("8001", "8002")
        await f.event("agent.state", agent="1001", state="busy")
        f.desk.caller("95001")
        await f.event("queue.entered", free=0)
        f.clear("p1")  # the switchboard says so by onecall_seat_cleared
        await f.rings("8001")

    run(tmp_path, scenario)


def test_a_phone_that_dies_during_the_talk_gives_the_caller_back_to_the_queue_before_the_others(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001")
        f.desk.caller("95001", leg="t1")
        dial = await f.rings("8001")
        f.desk.say("phone", Answered(dial.leg, THEIRS))
        await f.event("contact.bridged")
        f.desk.caller("95001", leg="t2")
        await f.event("queue.entered", position=1)
        leg, _ = f.desk.switchboard.legs[dial.leg]
        f.desk.switchboard.fail(leg, 27)
        await f.event("queue.entered", after=(await f.event("queue.answered")).id, free=0)
        again = await f.rings("8001", after=1)
        assert again.leg.partition(".")[0] == dial.leg.partition(".")[0]

    run(tmp_path, scenario)


def test_wrapup_holds_the_next_call_back_until_the_agent_is_ready(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001")
        f.desk.caller("95001")
        dial = await f.rings("8001")
        f.desk.say("phone", Answered(dial.leg, THEIRS))
        await f.event("contact.bridged")
        f.clear("t1")
        await f.event("agent.state", agent="1001", state="wrapup")
        f.desk.caller("95001", leg="t2")
        await f.event("queue.entered", position=1)
        await f.methods["agents.resume"](agent="1001")
        await f.rings("8001", after=1)

    run(tmp_path, scenario, settings="[acd]\nwrapup_s = 60.0\n")


def test_logins_a_talk_and_the_figures_of_the_day_survive_a_restart(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001", "1002")
        await f.methods["agents.pause"](agent="1002", reason="meal")
        f.desk.caller("95001", leg="t1")
        dial = await f.rings("8001")
        f.desk.say("phone", Answered(dial.leg, THEIRS))
        bridged = await f.event("contact.bridged")
        f.desk.caller("95001", leg="t2")
        waits = await f.event("queue.entered", after=bridged.id)
        await f.restart_queues()
        roster = f.dispatcher.engine.roster.agents
        assert {n: (a.state, a.seat, a.reason) for n, a in roster.items()} == {
            "1001": ("talking", "8001", ""),
            "1002": ("paused", "8002", "meal"),
        }
        assert f.dispatcher.figures.waiting == {waits.contact: ("service", pytest.approx(waits.at))}
        [row] = await f.methods["queues.list"]()
        assert (row["row"].offered, row["row"].answered) == (2, 1)
        call = f.box.call_of(bridged.contact)
        assert call is not None
        await plugin.onecall_adopted(call)
        began = f.desk.events.last_id
        f.clear(dial.leg)
        await f.event("agent.state", after=began, agent="1001", state="free", was="talking")
        assert roster["1001"].state == "free"

    run(tmp_path, scenario)


def test_a_phone_that_answers_the_moment_it_rings_has_rung(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001")
        f.desk.caller("95001")
        dial = await f.rings("8001")
        f.desk.say("phone", Alerting(dial.leg))
        f.desk.say("phone", Answered(dial.leg, THEIRS))
        ended = await f.event("contact.bridged")
        kinds = [row.kind for row in await f.desk.events.rows(contact=ended.contact, kind="acd.")]
        assert kinds == ["acd.offered", "acd.alerting"]
        f.clear("t1")
        await f.event("contact.ended")

    run(tmp_path, scenario)


def test_after_a_restart_agents_are_as_they_were_and_whose_call_has_not_come_back_is_free_at_once(
    tmp_path: Path,
) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1002", "1001")
        f.desk.caller("95001")
        dial = await f.rings("8002")
        f.desk.say("phone", Answered(dial.leg, THEIRS))
        await f.event("contact.bridged")
        f.phones.lost()  # what is registered is told anew after a start
        await f.restart_queues()
        began, since = f.desk.events.last_id, f.dispatcher.engine.roster.agents["1001"].since
        f.plug("8001")
        f.plug("8002")
        f.settle()
        await f.event("agent.state", after=began, agent="1002", was="talking")
        changes = await f.desk.events.rows(began, "agent.state")
        assert {row.data["agent"] for row in changes} == {"1002"}
        first = f.dispatcher.engine.roster.agents["1001"]
        assert (first.shown[0], first.since, first.idle_since) == ("free", since, since)
        f.clear(dial.leg)
        await f.event("contact.ended")

    run(tmp_path, scenario)


def test_an_agent_whose_phone_did_not_come_back_after_a_restart_is_not_rung(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001", "1002")
        f.phones.lost()
        await f.restart_queues()
        began = f.desk.events.last_id
        f.plug("8002")
        f.settle()
        await f.event("agent.state", after=began, agent="1001", state="paused", reason="phone")
        f.desk.caller("95001")
        await f.rings("8002")
        f.clear("t1")
        await f.event("contact.ended")

    run(tmp_path, scenario)


def test_two_callers_who_hang_up_at_the_same_moment_are_both_abandoned_and_the_agent_is_free(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        f.hold_prompts()
        await f.login("1001")
        f.desk.caller("95001", leg="t1")
        await f.rings("8001")
        f.desk.caller("95001", leg="t2")
        await f.desk.sent(Play, after=2)  # music, music, and his place, which is being said
        f.clear("t1")
        f.clear("t2")
        async with asyncio.timeout(5):
            while len(await f.desk.events.rows(kind="contact.ended")) < 2:
                await asyncio.sleep(0.01)
        assert len(await f.desk.events.rows(kind="queue.abandoned")) == 2
        assert not await f.desk.events.rows(kind="service.failed")
        assert f.state("1001") == "free"

    run(tmp_path, scenario)


@pytest.mark.requirement("A3.04")
def test_the_rules_of_a_queue_change_while_callers_wait(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        f.desk.caller("95001")
        await f.event("queue.entered")
        assert (await f.methods["queues.set_strategy"](queue="service", strategy="ring-all"))["row"].waiting == 1
        with pytest.raises(ValueError, match="must be one of longest-idle, hunting, ring-all"):
            await f.methods["queues.set_strategy"](queue="service", strategy="random")
        (tmp_path / "queues.toml").write_text(SERVICE.replace("1001", "1003") + "priority = 5\n")
        [row] = await f.methods["queues.reload"]()
        assert (row["row"].strategy, [agent.agent for agent in row["agents"]]) == ("longest-idle", ["1003", "1002"])
        assert [caller["position"] for caller in row["callers"]] == [1]
        await f.event("queue.changed", strategy="ring-all")

    run(tmp_path, scenario)


def test_a_caller_whose_line_carries_one_way_at_a_time_is_told_and_no_agent_is_rung(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        await f.login("1001")
        f.desk.say("line", LineState("e1", "voicemodem", True, (ChannelState(1, "idle"),), duplex=False))
        f.desk.caller("95001")
        assert (await f.event("contact.one_way")).data["line"] == "e1"
        ended = await f.event("contact.ended")
        assert ended.data["cause"] == 65
        kinds = [row.kind for row in await f.desk.events.rows(contact=ended.contact)]
        assert not [kind for kind in kinds if kind.startswith(("queue.", "acd."))]
        assert f.state("1001") == "free"

    run(tmp_path, scenario)
