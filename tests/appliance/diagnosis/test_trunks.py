"""What the doctor says about trunk groups."""

from __future__ import annotations

from appliance.api.types import GroupRow, TrunkRow
from appliance.diagnosis.trunks import check

E1, E2 = TrunkRow("e1", "pri", True, "", 30), TrunkRow("e2", "pri", True, "", 30)


def group(name: str, *members: str, blocked: bool = False) -> GroupRow:
    return GroupRow(name, members, "in_order", "both", "", (), 0, 0, blocked)


def said(*rows: GroupRow, trunks: tuple[TrunkRow, ...] = (E1, E2)) -> list[tuple[str, str]]:
    return [(finding.state, finding.found) for finding in check(rows, trunks, lambda text: text)]


def test_groups_that_fit_the_trunks_are_well_and_so_are_none() -> None:
    assert said() == [("ok", "no trunk groups: any trunk, any call")]
    assert said(group("a", "e1:10"), group("b", "e1", "e2")) == [("ok", "trunk groups: 2")]


def test_a_line_that_is_not_there_and_a_trunk_without_a_group_are_told() -> None:
    assert said(group("a", "e1", "e3:5")) == [
        ("fail", "group a: there is no trunk e3"), ("warn", "trunk e2 is in no group: it only takes calls in"),
    ]  # fmt: skip


def test_what_is_out_of_service_is_told() -> None:
    blocked = (TrunkRow("e1", "pri", True, "", 30, 0, 30), TrunkRow("voip", "sip", True, "", 0, 0, 1), E2)
    assert said(group("a", "e1", "e2", "voip", blocked=True), trunks=blocked) == [
        ("warn", "group a takes no new calls: it is blocked"),
        ("warn", "trunk e1 takes no new calls: it is blocked"),
        ("warn", "trunk voip takes no new calls: it is blocked"),
        ("ok", "trunk groups: 1"),
    ]  # fmt: skip
