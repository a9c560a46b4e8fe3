"""What an installer is told of his cards: spans, configuration, alarms, clock; and the system.conf that we make."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from hw.g711 import alaw_decode, ulaw_decode
from hw.line.dahdi import abi, loop
from hw.line.dahdi.channel import gain_table
from hw.line.dahdi.check import cards, driver, examine
from hw.line.dahdi.discovery import ChannelStatus, SpanStatus
from hw.line.dahdi.span import DahdiSpan, choose
from hw.line.dahdi.systemconf import ranges, system_conf
from hw.line.settings import DahdiSettings, LineSettings, LoopSettings, SpanSettings

BEARERS = (*range(1, 16), *range(17, 32))
FRAMING = abi.CONFIG_CCS | abi.CONFIG_HDB3 | abi.CONFIG_CRC4
SPAN = SpanStatus(1, "WCT1/0", "Wildcard TE110P", 0, {"bpv": 0}, 0, 1, 31, 31, FRAMING, "Digium", "TE110P", "E1")
CAN_BE = abi.SIG_CLEAR | abi.SIG_CAS
CHANNELS = [
    ChannelStatus(number, 1, number, abi.SIG_HDLCFCS if number == 16 else abi.SIG_CLEAR, CAN_BE, f"WCT1/0/{number}")
    for number in range(1, 32)
]


def line(name: str = "e1", span: int = 1, role: Any = "cpe", **card: Any) -> SpanSettings:
    return SpanSettings(name, "dahdi", role=role, dahdi=DahdiSettings(span, **card))


#: The same card with signalling bits.
CAS_SPAN = attrs.evolve(SPAN, line_config=abi.CONFIG_HDB3 | abi.CONFIG_CRC4)
CAS_CHANNELS = [
    attrs.evolve(channel, signalling=abi.SIG_CAS, idle_bits=0b1111) for channel in CHANNELS if channel.position != 16
]


def codes(wanted: SpanSettings, span: SpanStatus = SPAN, channels: list[ChannelStatus] = CHANNELS) -> set[str]:
    return {fact.code for fact in cards([wanted], [span], channels)}


@pytest.mark.requirement("A1.01")
def test_a_span_as_the_settings_want_it_is_in_order() -> None:
    assert codes(line()) == {"span.ok"}


@pytest.mark.parametrize(
    ("alarms", "code"),
    [
        (abi.ALARM_RED, "red"), (abi.ALARM_RED | abi.ALARM_LOS, "los"), (abi.ALARM_RED | abi.ALARM_LFA, "lfa"),
        (abi.ALARM_LMFA | abi.ALARM_YELLOW, "lmfa"), (abi.ALARM_BLUE, "blue"), (abi.ALARM_YELLOW, "yellow"),
        (abi.ALARM_LOOPBACK, "loopback"), (abi.ALARM_NOTOPEN, "notopen"), (abi.ALARM_RECOVER, "recover"),
    ],
)  # fmt: skip
def test_an_alarm_is_told_by_what_it_says_of_the_wiring(alarms: int, code: str) -> None:
    assert codes(line(), attrs.evolve(SPAN, alarms=alarms)) == {f"span.alarm.{code}"}


def test_a_configuration_that_differs_is_told() -> None:
    assert codes(line(crc4=False)) == {"span.framing"}
    assert codes(line(d_channel=31)) == {"span.dchannel"}
    assert codes(line(), SPAN, CHANNELS[:20]) == {"span.bearers"}
    assert codes(line(), SPAN, [attrs.evolve(channel, signalling=0) for channel in CHANNELS]) == {"span.unconfigured"}
    assert codes(line(span=2)) == {"span.absent", "span.unused"}


@pytest.mark.requirement("A1.14")
def test_a_span_with_signalling_bits_is_checked_for_what_r2_needs() -> None:
    r2 = attrs.evolve(line(), signalling="r2")
    assert codes(r2, CAS_SPAN, CAS_CHANNELS) == {"span.ok"}
    assert codes(r2) == {"span.bearers", "span.framing"}
    assert codes(line(), CAS_SPAN, CAS_CHANNELS) == {"span.bearers", "span.dchannel", "span.framing"}
    idle = [attrs.evolve(channel, idle_bits=0b1101 if channel.position < 3 else 0b1111) for channel in CAS_CHANNELS]
    [wrong] = cards([r2], [CAS_SPAN], idle)
    assert (wrong.code, wrong.values) == ("span.idlebits", {"channels": "1, 2", "bits": "1111", "have": "1101"})
    [wrong] = cards([r2], [CAS_SPAN], CAS_CHANNELS[1:])
    assert wrong.values == {"channels": "1", "wanted": "cas", "have": "-"}


#: A card with two telephones' ports and two lines' ports.
MIXED_SPAN = attrs.evolve(SPAN, line_config=0, channels=4, kind="WCTDM", sync_source=0)
MIXED = [
    ChannelStatus(number, 1, number, kind, kind, f"WCTDM/4/{number - 1}")
    for number, kind in ((1, abi.SIG_FXOKS), (2, abi.SIG_FXOKS), (3, abi.SIG_FXSKS), (4, abi.SIG_FXSKS))
]


def ports(signalling: Any, *channels: int) -> SpanSettings:
    numbers = LoopSettings(numbers=tuple(f"80{channel}" for channel in channels))
    return SpanSettings(signalling, "dahdi", signalling, channels=channels, loop=numbers, dahdi=DahdiSettings(1))


@pytest.mark.requirement("A1.14")
def test_the_ports_of_an_analog_card_are_checked_for_their_modules_and_lines() -> None:
    telephones, lines = ports("fxs", 1, 2), ports("fxo", 3, 4)
    assert {fact.code for fact in cards([telephones, lines], [MIXED_SPAN], MIXED)} == {"span.ok"}
    [wrong] = cards([ports("fxo", 2, 3)], [MIXED_SPAN], MIXED)
    assert (wrong.code, wrong.values) == ("span.modules", {"channels": "2", "wanted": "fxo"})
    bare = [attrs.evolve(channel, signalling=0 if channel.position == 4 else channel.signalling) for channel in MIXED]
    [wrong] = cards([lines], [MIXED_SPAN], bare)
    assert (wrong.code, wrong.values) == ("span.bearers", {"channels": "4", "wanted": "fxsks", "have": "-"})
    dead = [attrs.evolve(channel, alarms=abi.ALARM_RED if channel.position > 2 else 0) for channel in MIXED]
    [ok, warning] = cards([lines], [MIXED_SPAN], dead)
    assert (ok.code, warning.state, warning.code) == ("span.ok", "warn", "line.battery")
    assert warning.values == {"channels": "3, 4"}


def test_the_clock_must_come_from_one_side() -> None:
    assert "clock.own" in codes(line(timing=0))
    assert "clock.taken" in codes(line(role="network"))
    assert "clock.free" in codes(line(), attrs.evolve(SPAN, sync_source=0))
    assert codes(line(), attrs.evolve(SPAN, sync_source=0, kind="DYNAM")) == {"span.ok"}


def test_errors_of_the_line_are_a_warning() -> None:
    [ok, errors] = cards([line()], [attrs.evolve(SPAN, errors={"bpv": 3, "crc4": 0, "fas": 1})], CHANNELS)
    assert (ok.state, errors.state, errors.values) == ("ok", "warn", {"counts": "bpv 3, fas 1"})


def test_a_kernel_without_the_module_is_told_apart_from_one_that_has_not_loaded_it(tmp_path: Path) -> None:
    assert driver(tmp_path, tmp_path).code == "module.unbuilt"
    folder = tmp_path / os.uname().release / "updates/dkms"
    folder.mkdir(parents=True)
    (folder / "dahdi.ko.xz").touch()
    assert driver(tmp_path, tmp_path).code == "module.unloaded"
    [fact] = examine(LineSettings(tmp_path / "s", spans=(line(),)), tmp_path)
    assert (fact.state, fact.values) == ("fail", {"kernel": os.uname().release})


def test_system_conf_has_each_span_and_its_channels_where_the_card_has_them() -> None:
    text = system_conf([line(echo_canceller="mg2"), line("e2", 2, role="network", timing=0, crc4=False)], {1: 1, 2: 32})
    assert text.splitlines()[2:13] == [
        "# e1", "span=1,1,0,ccs,hdb3,crc4", "bchan=1-15,17-31", "dchan=16", "echocanceller=mg2,1-15,17-31", "",
        "# e2", "span=2,0,0,ccs,hdb3", "bchan=32-46,48-62", "dchan=47", "",
    ]  # fmt: skip
    assert "loadzone=cn" in text
    assert "loadzone=us\ndefaultzone=us" in system_conf([line()], {}, "hk")  # DAHDI has no table of Hong Kong's
    assert system_conf([line()], {}) == system_conf([line()], {1: 1})


@pytest.mark.requirement("A1.14")
def test_a_channel_of_an_r2_line_shows_blocked_while_nobody_serves_it() -> None:
    text = system_conf([attrs.evolve(line(crc4=False, echo_canceller="mg2"), signalling="r2")], {1: 1})
    assert text.splitlines()[2:6] == [
        "# e1", "span=1,1,0,cas,hdb3", "cas=1-15,17-31:1111", "echocanceller=mg2,1-15,17-31"
    ]  # fmt: skip


@pytest.mark.requirement("A1.14")
def test_the_two_kinds_of_ports_of_one_card_stand_in_one_file() -> None:
    text = system_conf([ports("fxs", 1, 2), ports("fxo", 3, 4), line("e1", 2)], {1: 1, 2: 5})
    assert text.splitlines()[1:12] == [
        "", "# fxs", "fxoks=1-2", "", "# fxo", "fxsks=3-4", "",
        "# e1", "span=2,1,0,ccs,hdb3,crc4", "bchan=5-19,21-35", "dchan=20",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([5], "5"), ([3, 1, 2], "1-3"), ([1, 2, 4, 7, 8], "1-2,4,7-8")]
)
def test_ranges(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_gain_tables_keep_octets_at_0_db_and_change_the_level_otherwise() -> None:
    assert gain_table(0.0) == bytes(range(256))
    octets = np.arange(256, dtype=np.uint8)
    plain = alaw_decode(octets).astype(float)
    middle = (np.abs(plain) > 500) & (np.abs(plain) < 10_000)
    louder = alaw_decode(np.frombuffer(gain_table(6.0), np.uint8)).astype(float)
    assert np.abs(louder[middle] / plain[middle] - 10 ** (6 / 20)).max() < 0.1


def test_the_octets_of_a_card_with_the_other_law_are_told_in_ours_and_back() -> None:
    rx, tx = gain_table(0.0, abi.LAW_MULAW, abi.LAW_ALAW), gain_table(0.0, abi.LAW_ALAW, abi.LAW_MULAW)
    octets = np.arange(256, dtype=np.uint8)
    far, near = ulaw_decode(octets).astype(float), alaw_decode(np.frombuffer(rx, np.uint8)).astype(float)
    assert (np.abs(far - near) <= np.maximum(np.abs(far) / 24, 24)).all()  # within half a step of either law
    assert [rx[tx[octet]] == octet for octet in range(256)].count(True) > 200  # steps of A-law that µ-law keeps apart


def test_channels_are_chosen_by_their_timeslots_or_refused_in_words() -> None:
    data, bearers = choose(1, CHANNELS, BEARERS)
    assert (data.position, [channel.position for channel in bearers]) == (16, list(BEARERS))
    with pytest.raises(OSError, match=r"one D channel is needed, 0 are configured \(dchan=\)"):
        choose(1, CHANNELS[:15], (1,))
    with pytest.raises(OSError, match="timeslots 16 are not configured as bchan="):
        choose(1, CHANNELS, (1, 16))


def test_a_span_without_the_kernel_module_cannot_be_opened_and_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        span = DahdiSpan(line(), tmp_path)
        with pytest.raises(OSError, match="DAHDI's kernel module is not loaded"):
            await span.open(lambda _frame: None, lambda _alarm: None)
        assert span.alarm == "RED"
        span.send(b"abc")
        assert span.counters()["d_dropped"] == 1
        span.close()

    asyncio.run(main())


def test_settings_need_a_span_for_the_driver_and_only_for_it() -> None:
    with pytest.raises(ValueError, match=r"the driver dahdi needs it, and no other: \{ span = 1 \}"):
        SpanSettings("e1", "dahdi")
    with pytest.raises(ValueError, match="needs it, and no other"):
        SpanSettings("e1", "sim", dahdi=DahdiSettings(1))


def test_the_loop_test_tells_delay_and_errors_apart_from_nothing_at_all() -> None:
    sent = loop.pattern(1, 50).ravel()
    heard = np.concatenate([np.full(400, 0xD5, np.uint8), sent])[: len(sent)]
    good = loop.compare(7, sent, heard)
    assert (good.timeslot, good.delay_ms, good.wrong, good.good) == (7, 50.0, 0, True)
    heard[5000] ^= 1
    assert (loop.compare(7, sent, heard).wrong, loop.compare(7, sent, heard).good) == (1, False)
    assert loop.compare(7, sent, np.full(len(sent), 0xD5, np.uint8)).delay_ms == -1
