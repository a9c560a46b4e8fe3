"""``python -m hw.line.dahdi.check --config FILE``: what is right and wrong with the trunk cards, as JSON on stdout.

Facts only: each has a code and values; what they mean to an installer is said in his language by ``onecall lines
check``. Nothing is opened that a running line process has; 0 when nothing failed, 1 otherwise.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import attrs
from attrs import field, frozen

from hw.line.dahdi import abi, discovery
from hw.line.dahdi.discovery import DEVICES, WORD_OF, ChannelStatus, SpanStatus
from hw.line.dahdi.systemconf import IDLE_BITS
from hw.line.settings import DahdiSettings, LineSettings, SpanSettings
from hw.settings import SettingsError, load

State = Literal["ok", "warn", "fail"]


@frozen
class Fact:
    """One thing found: ``code`` says what (``span.alarm``), ``span`` the trunk's name if it is about one."""

    state: State
    code: str
    span: str = ""
    values: dict[str, str | int] = field(factory=dict)


def driver(devices: Path = DEVICES, modules: Path = Path("/lib/modules")) -> Fact:
    """Whether the kernel has DAHDI, and lets us use it."""
    try:
        with discovery.control(devices) as ctl:
            return Fact("ok", "module.loaded", values={"version": abi.text(abi.call(ctl, abi.GETVERSION)[0])})
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            return Fact("fail", "module.denied", values={"path": str(devices / "ctl")})
        if error.errno not in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
            return Fact("fail", "module.error", values={"error": error.strerror or ""})
    kernel = os.uname().release
    built = any((modules / kernel).rglob("dahdi.ko*"))
    return Fact("fail", "module.unloaded" if built else "module.unbuilt", values={"kernel": kernel})


def cards(
    wanted: Sequence[SpanSettings], spans: Sequence[SpanStatus], channels: Sequence[ChannelStatus]
) -> Iterator[Fact]:
    """Each span of the settings against what the kernel has, then spans that no settings name."""
    there = {span.number: span for span in spans}
    used = set()
    for each in wanted:
        if each.dahdi is None:
            continue
        used.add(each.dahdi.span)
        status = there.get(each.dahdi.span)
        if status is None:
            have = ", ".join(map(str, there)) or "-"
            yield Fact("fail", "span.absent", each.name, {"number": each.dahdi.span, "have": have})
        else:
            own = [channel for channel in channels if channel.span == status.number]
            yield from _span(each, each.dahdi, status, own)
    for number in there.keys() - used:
        yield Fact("warn", "span.unused", values={"number": number, "description": there[number].description})


def _span(
    wanted: SpanSettings, card: DahdiSettings, status: SpanStatus, channels: Sequence[ChannelStatus]
) -> Iterator[Fact]:
    facts = [*_configuration(wanted, card, status, channels), *_clock(wanted, card, status)]
    if status.alarms:
        kind = next((word for word in ("LOS", "LMFA", "LFA", "BLUE", "YELLOW", "LOOPBACK", "NOTOPEN", "RECOVER")
                     if word in status.alarm), "RED")  # fmt: skip
        facts.append(Fact("fail", f"span.alarm.{kind.lower()}", wanted.name, {"alarm": status.alarm}))
    if wrong := {name: count for name, count in status.errors.items() if count}:
        counts = ", ".join(f"{name} {count}" for name, count in wrong.items())
        facts.append(Fact("warn", "span.errors", wanted.name, {"counts": counts}))
    if not any(fact.state == "fail" for fact in facts):
        values: dict[str, str | int] = {"number": card.span, "description": status.description}
        facts.insert(0, Fact("ok", "span.ok", wanted.name, values))
    yield from facts


def _configuration(
    wanted: SpanSettings, card: DahdiSettings, status: SpanStatus, channels: Sequence[ChannelStatus]
) -> Iterator[Fact]:
    """What ``dahdi_cfg`` has made of the span against what the settings need."""
    if not any(channel.signalling for channel in channels):
        yield Fact("fail", "span.unconfigured", wanted.name, {"number": card.span})
        return
    yield from _words(wanted, channels)
    match wanted.signalling:
        case "r2":
            yield from _idle_bits(wanted, channels)
            yield from _framing(wanted, card, status, "cas")
        case "pri":
            data = [channel.position for channel in channels if channel.data]
            if data != [card.d_channel]:
                have = ", ".join(map(str, data)) or "-"
                yield Fact("fail", "span.dchannel", wanted.name, {"timeslot": card.d_channel, "have": have})
            yield from _framing(wanted, card, status, "ccs")
        case "fxo":
            dead = [channel.position for channel in channels if channel.position in wanted.channels and channel.alarms]
            if dead:
                yield Fact("warn", "line.battery", wanted.name, {"channels": _numbers(dead)})


def _words(wanted: SpanSettings, channels: Sequence[ChannelStatus]) -> Iterator[Fact]:
    """Channels that cannot be what they must be, and those that are not configured as that."""
    by_position = {channel.position: channel for channel in channels}
    word = WORD_OF[wanted.signalling]
    wrong = [slot for slot in wanted.channels if slot not in by_position or by_position[slot].word != word]
    if unable := [slot for slot in wrong if slot in by_position and word not in by_position[slot].words]:
        values: dict[str, str | int] = {"channels": _numbers(unable), "wanted": wanted.signalling}
        yield Fact("fail", "span.modules", wanted.name, values)
    elif wrong:
        have = ", ".join(sorted({by_position[slot].word or "-" for slot in wrong if slot in by_position})) or "-"
        yield Fact("fail", "span.bearers", wanted.name, {"channels": _numbers(wrong), "wanted": word, "have": have})


def _framing(wanted: SpanSettings, card: DahdiSettings, status: SpanStatus, framing: str) -> Iterator[Fact]:
    if not status.cable:
        return
    has = "ccs" if status.line_config & abi.CONFIG_CCS else "cas"
    has_crc4 = bool(status.line_config & abi.CONFIG_CRC4)
    if has != framing or not status.line_config & abi.CONFIG_HDB3 or has_crc4 != card.crc4:
        crc4 = "crc4" if card.crc4 else "-"
        yield Fact("fail", "span.framing", wanted.name, {"number": card.span, "framing": framing, "crc4": crc4})


def _idle_bits(wanted: SpanSettings, channels: Sequence[ChannelStatus]) -> Iterator[Fact]:
    """A channel that looks idle while nobody serves it takes the exchange's calls and loses them."""
    wrong = {
        channel.position: channel.idle_bits for channel in channels
        if channel.word == "cas" and channel.position in wanted.channels and channel.idle_bits != IDLE_BITS
    }  # fmt: skip
    if wrong:
        have = ", ".join(sorted({f"{bits:04b}" for bits in wrong.values()}))
        values: dict[str, str | int] = {"channels": _numbers(wrong), "bits": f"{IDLE_BITS:04b}", "have": have}
        yield Fact("fail", "span.idlebits", wanted.name, values)


def _numbers(channels: Iterable[int]) -> str:
    return ", ".join(map(str, channels))


def _clock(wanted: SpanSettings, card: DahdiSettings, status: SpanStatus) -> Iterator[Fact]:
    """Two clocks on one line slip: the network side gives it, the other takes it (G.703, G.823)."""
    if wanted.signalling in ("fxo", "fxs"):
        return
    if wanted.role == "cpe" and not card.timing:
        yield Fact("fail", "clock.own", wanted.name)
    elif wanted.role == "network" and card.timing:
        yield Fact("warn", "clock.taken", wanted.name)
    elif card.timing and not status.sync_source and status.cable:
        yield Fact("warn", "clock.free", wanted.name)


def examine(settings: LineSettings, devices: Path = DEVICES) -> list[Fact]:
    """All facts, the driver's first. Raises ``OSError`` for a driver that answers what it must not."""
    first = driver(devices)
    if first.state == "fail":
        return [first]
    with discovery.control(devices) as ctl:
        spans, channels = discovery.spans(ctl), discovery.channels(ctl)
    if not spans:
        return [first, Fact("fail", "card.none")]
    return [first, *cards(settings.spans, spans, channels)]


def main() -> int:
    """Print the facts."""
    parser = argparse.ArgumentParser(prog="python -m hw.line.dahdi.check", description="Check the trunk cards.")
    parser.add_argument("--config", type=Path, required=True, help="the machine's settings file; [line] is read")
    try:
        facts = examine(load(parser.parse_args().config, "line", LineSettings))
    except SettingsError as error:
        facts = [Fact("fail", "settings", values={"error": str(error)})]
    except OSError as error:
        facts = [Fact("fail", "module.error", values={"error": error.strerror or str(error)})]
    print(json.dumps([attrs.asdict(fact) for fact in facts], ensure_ascii=False))
    return int(any(fact.state == "fail" for fact in facts))


if __name__ == "__main__":
    sys.exit(main())
