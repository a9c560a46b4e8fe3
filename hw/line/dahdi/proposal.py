"""``python -m hw.line.dahdi.proposal [--signalling r2]``: lines for all that the machine's cards have, as JSON.

A list of tables as ``[[line.spans]]`` takes them, empty where there is no card (or no DAHDI): each E1 span with all its
bearer channels, and of each analog span its FXO ports and its FXS ports. A port must have a number; here it gets one
that is told by its place, to be changed in the settings.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from typing import Any, Literal, get_args

from hw.line.dahdi import discovery
from hw.line.dahdi.discovery import WORD_OF, ChannelStatus, SpanStatus

Digital = Literal["pri", "r2"]
#: Channels of an E1 (G.704): a T1 has 24, and other signalling.
_E1_CHANNELS = 31
#: The first digit of a port's number; its span and its channel (two digits) follow.
_FIRST = {"fxo": "6", "fxs": "7"}


def propose(
    spans: Sequence[SpanStatus], channels: Sequence[ChannelStatus], signalling: Digital = "pri"
) -> list[dict[str, Any]]:
    """The tables. The first E1 span gives the clock of all cards, the others stand in for it, in order."""
    tables: list[dict[str, Any]] = []
    clocks = 0
    for span in spans:
        own = [channel for channel in channels if channel.span == span.number]
        if len(own) == _E1_CHANNELS and WORD_OF[signalling] in own[0].words:
            clocks += 1
            card = {"span": span.number, "timing": clocks}
            tables.append({"name": f"e{clocks}", "driver": "dahdi", "signalling": signalling, "dahdi": card})
            continue
        for kind in ("fxo", "fxs"):
            ports = [channel.position for channel in own if WORD_OF[kind] in channel.words]
            if ports:
                numbers = [f"{_FIRST[kind]}{span.number}{port:02}" for port in ports]
                tables.append({
                    "name": f"{kind}{span.number}", "driver": "dahdi", "signalling": kind, "channels": ports,
                    "dahdi": {"span": span.number}, "loop": {"numbers": numbers},
                })  # fmt: skip
    return tables


def main() -> int:
    """Print the tables: 0."""
    parser = argparse.ArgumentParser(prog="python -m hw.line.dahdi.proposal", description="Lines for the cards found.")
    parser.add_argument("--signalling", choices=get_args(Digital), default="pri", help="of digital spans (pri)")
    wanted = parser.parse_args()
    tables: list[dict[str, Any]] = []
    with contextlib.suppress(OSError), discovery.control() as ctl:
        tables = propose(discovery.spans(ctl), discovery.channels(ctl), wanted.signalling)
    print(json.dumps(tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
