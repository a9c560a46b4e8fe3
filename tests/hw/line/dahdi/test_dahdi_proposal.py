"""What lines the cards of a machine could be, proposed as tables that the settings take."""

from __future__ import annotations

import cattrs
import pytest

from hw.line.dahdi import abi
from hw.line.dahdi.discovery import ChannelStatus, SpanStatus
from hw.line.dahdi.proposal import propose
from hw.line.settings import SpanSettings

E1 = abi.SIG_CLEAR | abi.SIG_CAS


def span(number: int, channels: int, kind: str = "E1") -> SpanStatus:
    return SpanStatus(number, f"S{number}", "a card", 0, {}, 0, 0, 0, channels, 0, "", "", kind)


def channels(number: int, first: int, *can: int) -> list[ChannelStatus]:
    """A span's channels, not configured, with what each can be."""
    return [ChannelStatus(first + at, number, at + 1, 0, each, "") for at, each in enumerate(can)]


@pytest.mark.requirement("A9.16")
def test_every_e1_span_and_every_port_becomes_a_line() -> None:
    spans = [span(1, 31), span(2, 4, "WCTDM"), span(3, 31)]
    mixed = (abi.SIG_FXOKS, abi.SIG_FXSKS, abi.SIG_FXSKS, 0)  # the last has no module
    found = [*channels(1, 1, *[E1] * 31), *channels(2, 32, *mixed), *channels(3, 36, *[E1] * 31)]
    tables = propose(spans, found, "r2")
    assert [(table["name"], table["signalling"], table["dahdi"]["span"]) for table in tables] == [
        ("e1", "r2", 1), ("fxo2", "fxo", 2), ("fxs2", "fxs", 2), ("e2", "r2", 3)
    ]  # fmt: skip
    assert [table["dahdi"].get("timing") for table in tables] == [1, None, None, 2]
    assert [table.get("channels") for table in tables] == [None, [2, 3], [1], None]
    assert tables[1]["loop"] == {"numbers": ["6202", "6203"]}
    assert tables[2]["loop"] == {"numbers": ["7201"]}
    for table in tables:
        cattrs.structure(table, SpanSettings)


def test_a_t1_span_and_a_machine_without_cards_become_nothing() -> None:
    assert propose([span(1, 24, "T1")], channels(1, 1, *[E1] * 24)) == []
    assert propose([], []) == []
