"""A GSM module's health: SIM, PIN, network, ports; what hangs is found out and switched off and on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hw.line.serial import at, device, gsm, gsm_codes, gsm_sms
from hw.line.serial.gsm_codes import CallState, Listed
from hw.line.trunk import NoChannel
from tests.hw.line.serial.gsm_pair import gsm_pair


def test_signal_and_network_are_shown_and_without_network_nobody_calls(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            state = p.trunk.state()
            assert (state.kind, state.up, state.sms, state.signal_dbm) == ("gsm", True, True, -73)
            p.module.radio.set_network(False)
            await p.alarm("NO NETWORK")
            assert p.states() == {"alarm"}
            with pytest.raises(NoChannel):
                p.trunk.dial("out-1", "13900000000", "", "")
            p.module.radio.set_network(True)
            await p.alarm("")

    asyncio.run(main())


def test_the_right_pin_opens_the_sim_after_every_start_of_the_module(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, module_pin="4711", pin="4711") as p:
            p.module.power_cycle()
            await p.line(up=False)
            await p.line(up=True)
            assert p.module.radio.tries == 3

    asyncio.run(main())


@pytest.mark.parametrize("pcm", ["simcom", "quectel"])
def test_a_wrong_pin_is_tried_once_and_never_again_by_any_start(tmp_path: Path, pcm: str) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, module_pin="4711", pin="0000", pcm=pcm, up=False) as p:
            await p.alarm("PIN REFUSED")
            tries = p.module.radio.tries
            for _ in range(2):
                p.module.power_cycle()
                await p.alarm("GONE")
                await p.alarm("PIN REFUSED")
            assert (tries, p.module.radio.tries) == (2, 2)
        # Another start of this process sees that a try was wasted.
        assert "0000" not in repr(p.trunk._setup._settings)

    asyncio.run(main())


def test_a_pin_is_not_tried_where_the_module_does_not_say_how_often_it_may_be(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, module_pin="4711", pin="4711", up=False) as p:
            p.module.radio.silent_tries = True
            p.module.power_cycle()
            await p.alarm("PIN REFUSED")
            assert p.module.radio.tries == 3

    asyncio.run(main())


def test_a_sim_that_wants_a_pin_nobody_gave_or_is_not_there_is_an_alarm_and_comes_up_once_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gsm, "WATCH_S", 0.05)

    async def main() -> None:
        async with gsm_pair(tmp_path, module_pin="4711", up=False) as p:
            await p.alarm("SIM PIN")
            p.module.radio.sim = False
            await p.alarm("NO SIM")
            p.module.radio.sim, p.module.radio._unlocked = True, True
            p.module._see()
            await p.alarm("")
            p.module.messages.text("13800138000", "there")
            await p.until(lambda: p.trunk.counters()["sms_received"] == 1)

    asyncio.run(main())


def test_a_module_that_hangs_in_a_call_is_found_out_switched_off_and_on_and_takes_calls_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(at, "ATTENTION_S", 0.1)
    monkeypatch.setattr(device, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(gsm_sms, "STORAGE_S", 0.2)
    switched = tmp_path / "switched"

    async def main() -> None:
        async with gsm_pair(tmp_path, power_cycle=("/usr/bin/touch", str(switched))) as p:
            p.exchange.call("95001", "13800138000")
            await p.incoming()
            p.module.interpreter.hangs = True
            await p.alarm("SILENT")
            await p.until(switched.exists)
            p.module.power_cycle()
            await p.line(up=True)
            assert not p.trunk.legs()
            caller = p.exchange.call("95001", "13800138000")
            p.trunk.answer((await p.incoming()).leg)
            await caller.answered()

    asyncio.run(main())


def test_an_audio_port_that_is_gone_is_an_alarm(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            p.module._pcm.unplug()
            await p.alarm("NO AUDIO")
            p.module._pcm.plug()
            await p.alarm("")

    asyncio.run(main())


def test_what_modules_say_is_taken_apart() -> None:
    lines = ['+CLCC: 1,1,4,0,0,"+8613800138000",145,""', "+CLCC: 2,0,0,1,0", "+CLCC: nonsense", "x"]
    assert gsm_codes.calls(lines) == [Listed(1, True, CallState.INCOMING, "+8613800138000")]
    assert gsm_codes.clip('+CLIP: "13800138000",129,"",0,"Li, Si",0') == ("13800138000", False)
    assert gsm_codes.clip('+CLIP: "",128,"",0,"",1') == ("", True)
    states = ("+CREG: 0,1", "+CREG: 5", '+CREG: 1,"1A2B","01",7', "+CEREG: 0,2", "+CREG: ", "+COPS: 1")
    assert [gsm_codes.registered(line) for line in states] == [True, True, True, False, False, None]
    assert [gsm_codes.signal_dbm(line) for line in ("+CSQ: 0,0", "+CSQ: 31,99", "+CSQ: 99,99")] == [-113, -51, None]
    tries = ("+CPINR: SIM PIN,2,3", '+QPINC: "SC",3,10', "+SPIC: 1,10,3,10", "+SPIC:")
    assert [gsm_codes.tries_left(line) for line in tries] == [2, 3, 1, None]
    assert gsm_codes.cause("NO CARRIER", "+CEER: 5,34", answered=False) == 34
    assert gsm_codes.cause("NO CARRIER", "+CEER: Client ended call", answered=False) == 31
    results = ("+CMS ERROR: 500", "+CMS ERROR: 38", "+CMS ERROR: 304", "+CMS ERROR: 332", "ERROR")
    assert [gsm_codes.outcome(result) for result in results] == ["again", "again", "refused", "unknown", "again"]
