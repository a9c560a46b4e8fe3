"""The ladder: who told whom, from a contact's events."""

from typing import Any

import pytest

from appliance.api.types import EventRow
from textual_admin.ladder import cells, drawing, rungs


def contact(*events: tuple[str, dict[str, Any]]) -> list[EventRow]:
    offered = ("contact.offered", {"leg": "in", "caller": "1380"})
    return [EventRow(n, 100.0 + n / 4, kind, "c", data) for n, (kind, data) in enumerate([offered, *events])]


@pytest.mark.parametrize(
    ("kind", "data", "lanes"),
    [
        ("leg.answered", {"leg": "in"}, ("box", "caller")),
        ("leg.dialled", {"leg": "out"}, ("box", "peer")),
        ("leg.alerting", {"leg": "out"}, ("peer", "box")),
        ("leg.answered", {"leg": "out"}, ("peer", "box")),
        ("leg.cleared", {"leg": "in", "by": "far"}, ("caller", "box")),
        ("leg.cleared", {"leg": "in", "by": "us"}, ("box", "caller")),
        ("leg.cleared", {"leg": "out", "by": "us"}, ("box", "peer")),
        ("contact.bridged", {"leg": "in", "peer": "out"}, ("caller", "peer")),
        ("contact.held", {"leg": "out", "on": True}, ("peer", "box")),
        ("queue.entered", {"queue": "a"}, ("box", "box")),
        ("fax.sent", {}, ("box", "box")),
    ],
)
def test_each_event_goes_from_who_began_it_to_who_is_told(
    kind: str, data: dict[str, Any], lanes: tuple[str, str]
) -> None:
    first, second = rungs(contact((kind, data)))
    assert (first.source, first.target) == ("caller", "box")
    assert (second.source, second.target, second.after_s) == (*lanes, 0.25)


def test_all_rungs_are_equally_wide() -> None:
    ladder = rungs(contact(("leg.dialled", {"leg": "out"}), ("contact.bridged", {}), ("menu.entered", {})))
    assert [drawing(rung) for rung in ladder] == [
        "│───────────>│            │",
        "│            │───────────>│",
        "│<═══════════════════════>│",
        "│            ●            │",
    ]
    assert cells(ladder[0])[0].text == "+0.000"


def test_a_contact_without_events_has_no_rungs() -> None:
    assert rungs([]) == []
