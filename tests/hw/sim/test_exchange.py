"""The simulated exchange: what its subscribers say and hear in the timeslots, and how it is scripted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from hw.g711 import alaw_decode
from hw.line.dsp.dtmf import HIGH, KEYS, LOW
from hw.messages import Answered, Cleared, Incoming
from hw.settings import SettingsError, structure
from hw.sim.exchange import Blocked, ExchangeSettings, NumberSettings
from hw.sim.exchange_audio import Bearers, key_press
from hw.sim.pattern import voice


async def _callers(p, n):
    callers = [p.exchange.call("400", str(each)) for each in range(n)]
    for _ in callers:
        p.trunk.answer((await p.incoming()).leg)
    for caller in callers:
        await caller.answered()
    return callers


def test_thirty_voices_cross_in_pairs_and_each_hears_only_its_partner(pair):
    async def main():
        async with pair() as p:
            callers = await _callers(p, 30)
            rows = {row: row ^ 1 for row in range(30)}
            ticking = asyncio.create_task(p.tick(rows))
            for n, caller in enumerate(callers):
                caller.say(1000 + n)
            async with asyncio.TaskGroup() as group:
                for n, caller in enumerate(callers):
                    group.create_task(caller.hears(1000 + (n ^ 1)))
            assert all(set(caller.heard) == {1000 + (n ^ 1)} for n, caller in enumerate(callers))
            ticking.cancel()

    asyncio.run(main())


def test_keys_are_tones_in_the_timeslot_of_100_ms(pair):
    async def main():
        async with pair() as p:
            first, second = await _callers(p, 2)
            ticking = asyncio.create_task(p.tick({1: 0}))
            second.keep()
            await first.press("1#")
            heard = (await _kept(second, 4800)).astype(float)
            ticking.cancel()
        on = np.flatnonzero(np.abs(heard) > 1000)
        gaps = np.flatnonzero(np.diff(on) > 100)
        assert len(gaps) == 1, "two presses with one pause"
        assert abs(on[gaps[0]] - on[0] - 800) < 10 and abs(on[-1] - on[gaps[0] + 1] - 800) < 10
        assert _tones(heard[on[0] : on[0] + 800]) == {697, 1209}
        assert _tones(heard[on[-1] - 800 : on[-1]]) == {941, 1477}

    asyncio.run(main())


async def _kept(subscriber, samples):
    """What a subscriber has heard, once it is so much: a machine that is busy ticks late."""
    async with asyncio.timeout(20):
        while len(subscriber.audio) < samples:
            await asyncio.sleep(0.02)
    return subscriber.audio


def _tones(sound):
    """The two frequencies of the eight that are loudest."""
    turn = np.exp(-2j * np.pi * np.outer(np.arange(len(sound)), (*LOW, *HIGH)) / 8000)
    return {(*LOW, *HIGH)[each] for each in np.argsort(np.abs(sound @ turn))[-2:]}


def test_a_played_sound_arrives_sample_by_sample_in_place_of_the_voice(pair):
    pcm = (np.sin(np.arange(1600) / 5) * 8000).astype(np.int16)

    async def main():
        async with pair() as p:
            first, second = await _callers(p, 2)
            first.say(42)
            second.keep()
            ticking = asyncio.create_task(p.tick({1: 0}))
            await first.play(pcm)
            heard = await _kept(second, 4800)
            ticking.cancel()
        best = max(
            np.corrcoef(heard[at : at + 1600], pcm)[0, 1] for at in range(0, len(heard) - 1600, 160)
        )
        assert best > 0.999

    asyncio.run(main())


def test_who_has_gone_is_silent_and_the_next_on_the_channel_hears_afresh(pair):
    async def main():
        async with pair() as p:
            first, second = await _callers(p, 2)
            ticking = asyncio.create_task(p.tick({1: 0}))
            first.say(42)
            await second.hears(42)
            first.hangup()
            await first.cleared()
            first.say(43)  # nobody there
            await asyncio.sleep(0.1)
            second.keep()
            assert np.abs(await _kept(second, 1600)).max() < 16
            second.hangup()
            await p.until_idle()
            _, again = await _callers(p, 2)
            assert again.channel == second.channel and not again.heard and second.heard[42]
            ticking.cancel()

    asyncio.run(main())


def test_people_whom_the_box_calls_speak_and_hang_up(pair):
    async def main():
        numbers = (NumberSettings("10086", answer_ms=10, talk_ms=50, code=77),)
        async with pair(numbers=numbers) as p:
            p.trunk.dial("out", "10086", "", "")
            await p.next(Answered)
            assert await p.next(Cleared) == Cleared("out", 16, "far")
            p.trunk.dial("out2", "10086", "", "")
            await p.next(Answered, leg="out2")
            p.trunk.hangup("out2", 16)
            await p.until_idle()
            await asyncio.sleep(0.06)  # the person's own hang-up comes too late and harms nobody

    asyncio.run(main())


def test_on_call_scripts_a_called_party(pair):
    async def main():
        async with pair() as p:
            rung = asyncio.get_running_loop().create_future()
            p.exchange.on_call = rung.set_result
            p.trunk.dial("out", "12345", "400", "")
            person = await rung
            assert (person.called, person.caller, person.calls) == ("12345", "400", False)
            person.ring()
            person.answer()
            await p.next(Answered)
            person.hangup(31)
            assert await p.next(Cleared) == Cleared("out", 31, "far")

    asyncio.run(main())


def test_without_a_line_process_calls_are_blocked_and_counted(tmp_path):
    from hw.sim.exchange import Exchange

    async def main():
        settings = structure({"spans": [{"address": str(tmp_path / "none")}]}, ExchangeSettings, "[exchange]")
        exchange = Exchange(settings)
        await exchange.start()
        with pytest.raises(Blocked):
            exchange.call("400")
        assert exchange.counters == {"offered": 0, "blocked": 1, "received": 0}
        await exchange.close()

    asyncio.run(main())


def test_settings_are_checked():
    with pytest.raises(SettingsError, match="given twice"):
        structure(
            {"spans": [], "numbers": [{"number": "1"}, {"number": "1"}]}, ExchangeSettings, "[exchange]"
        )
    with pytest.raises(SettingsError, match="unknown key adress"):
        structure({"spans": [{"adress": "x"}]}, ExchangeSettings, "[exchange]")


def test_a_second_span_takes_calls_when_the_first_is_full(pair, tmp_path):
    from hw.line.settings import SpanSettings
    from hw.line.signalling import open_trunk
    from hw.sim.exchange import Exchange, ExchangeSpanSettings

    async def main():
        trunks, came = [], asyncio.Queue()
        spans = tuple(ExchangeSpanSettings(str(tmp_path / f"e{n}"), (1, 2)) for n in range(2))
        exchange = Exchange(ExchangeSettings(spans=spans))
        async with asyncio.timeout(5):
            for n, span in enumerate(spans):
                trunk = open_trunk(SpanSettings(name=f"e{n}", address=span.address, channels=(1, 2)))
                await trunk.start(lambda e: came.put_nowait(e) if isinstance(e, Incoming) else None)
                trunks.append(trunk)
            await exchange.start()
            await exchange.wait_up()
            for each in range(4):
                exchange.call("400", str(each))
            assert [(await came.get()).line for _ in range(4)] == ["e0", "e0", "e1", "e1"]
            with pytest.raises(Blocked):
                exchange.call("400")
            for trunk in trunks:
                await trunk.close()
            await exchange.close()

    asyncio.run(main())


def test_bearers_say_a_voice_seamlessly_and_fall_silent():
    bearers = Bearers(2)
    heard, said = np.full((2, 160), 0xD5, np.uint8), np.empty((2, 160), np.uint8)
    bearers.open(0)
    bearers.say(0, 7)
    cycle = voice(7)
    out = []
    for _ in range(2 * len(cycle) // 160):
        bearers.tick(heard, said)
        out.append(alaw_decode(said[0]))
        assert (said[1] == 0xD5).all()
    assert np.abs(np.concatenate(out) - np.tile(cycle, 2).astype(int)).max() < 300, "A-law steps, nothing more"
    bearers.close(0)
    bearers.tick(heard, said)
    assert (said == 0xD5).all()


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_its_two_tones(key):
    low, high = divmod(KEYS.index(key), 4)
    assert _tones(key_press(key)[:800].astype(float)) == {LOW[low], HIGH[high]}


def test_the_exchange_writes_a_trace(tmp_path: Path):
    from hw.sim.exchange import Exchange, ExchangeSpanSettings

    async def main():
        trace = tmp_path / "x.pcap"
        exchange = Exchange(ExchangeSettings(spans=(ExchangeSpanSettings(str(tmp_path / "e"), trace=trace),)))
        await exchange.close()
        assert trace.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"

    asyncio.run(main())
