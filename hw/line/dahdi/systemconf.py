"""``python -m hw.line.dahdi.systemconf --config FILE``: DAHDI's system.conf for the spans that onecall.toml names.

It goes to stdout; ``dahdi_cfg -c`` applies it. Channel numbers are the card's where it is there, else 31 for each span.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from hw.line.dahdi import discovery
from hw.line.dahdi.discovery import WORD_OF
from hw.line.settings import DahdiSettings, LineSettings, SpanSettings
from hw.line.signalling import r2_codes
from hw.settings import SettingsError, load
from hw.zones import DEFAULT, ZONES

#: What an R2 channel shows while no line process has it open: the exchange sends it no calls.
IDLE_BITS = r2_codes.BLOCKED
#: Timeslots of an E1 that carry channels (G.704: 0 is framing).
_E1_CHANNELS = 31


def system_conf(spans: Sequence[SpanSettings], first: Mapping[int, int], zone: str = DEFAULT) -> str:
    """The file's text. ``first``: the number of each span's first channel, by span; without it as E1 spans in a row."""
    lines = ["# Made from onecall.toml by OneCall: python -m hw.line.dahdi.systemconf"]
    for span in spans:
        if span.dahdi is None:
            continue
        card = span.dahdi
        base = first.get(card.span, (card.span - 1) * _E1_CHANNELS + 1) - 1
        bearers = ranges([base + timeslot for timeslot in span.channels])
        lines += ["", f"# {span.name}", *_of_kind(span, card, base, bearers)]
        if card.echo_canceller:
            lines.append(f"echocanceller={card.echo_canceller},{bearers}")
    tones = ZONES[zone].loadzone
    return "\n".join([*lines, "", f"loadzone={tones}", f"defaultzone={tones}", ""])


def _of_kind(span: SpanSettings, card: DahdiSettings, base: int, bearers: str) -> list[str]:
    """The lines of analog ports; of an E1 with signalling bits in timeslot 16 (G.704 §5.1.3), or with a D channel."""
    word = WORD_OF[span.signalling]
    if span.signalling in ("fxo", "fxs"):
        return [f"{word}={bearers}"]
    head = f"span={card.span},{card.timing},0"
    coding = "hdb3" + ",crc4" * card.crc4
    if span.signalling == "r2":
        return [f"{head},cas,{coding}", f"{word}={bearers}:{IDLE_BITS:04b}"]
    return [f"{head},ccs,{coding}", f"{word}={bearers}", f"dchan={base + card.d_channel}"]


def ranges(numbers: Sequence[int]) -> str:
    """Numbers as system.conf has them: ``1-15,17-31``."""
    ordered = sorted(set(numbers))
    starts = ordered[:1] + [b for a, b in pairwise(ordered) if b != a + 1]
    ends = [a for a, b in pairwise(ordered) if b != a + 1] + ordered[-1:]
    return ",".join(f"{a}-{b}" if a != b else str(a) for a, b in zip(starts, ends, strict=True))


def first_channels(devices: Path = discovery.DEVICES) -> dict[int, int]:
    """The number of each span's first channel, of the spans that are there now."""
    first: dict[int, int] = {}
    with contextlib.suppress(OSError), discovery.control(devices) as ctl:
        for channel in discovery.channels(ctl):
            first.setdefault(channel.span, channel.number - channel.position + 1)
    return first


def main() -> int:
    """Print the file: 0, or 2 for settings that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m hw.line.dahdi.systemconf", description="Make DAHDI's system.conf.")
    parser.add_argument("--config", type=Path, required=True, help="the machine's settings file; [line] is read")
    try:
        settings = load(parser.parse_args().config, "line", LineSettings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    sys.stdout.write(system_conf(settings.spans, first_channels(), settings.zone))
    return 0


if __name__ == "__main__":
    sys.exit(main())
