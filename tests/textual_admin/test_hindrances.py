"""Why an order cannot be given, decided from the row alone."""

import pytest

from appliance.api.types import AgentRow, ChannelRow, GroupRow, TrunkRow
from textual_admin.orders import (
    BLOCK,
    DRAIN,
    GROUP_CHANGE,
    GROUP_REMOVE,
    LOGIN,
    LOGOUT,
    PAUSE,
    RESUME,
    UNBLOCK,
    Order,
    hindrance,
)


def agent(state: str) -> AgentRow:
    return AgentRow("1001", "", "8001", state, 0.0)  # type: ignore[arg-type]  # the parameter is one of them


@pytest.mark.parametrize(
    ("order", "row", "why"),
    [
        (PAUSE, None, "nothing is chosen"),
        (PAUSE, agent("free"), ""),
        (PAUSE, agent("talking"), ""),
        (PAUSE, agent("paused"), "paused already"),
        (PAUSE, agent("out"), "not logged in"),
        (RESUME, agent("paused"), ""),
        (RESUME, agent("wrapup"), ""),
        (RESUME, agent("free"), "not paused"),
        (LOGIN, agent("out"), ""),
        (LOGIN, agent("free"), "logged in already"),
        (LOGOUT, agent("out"), "not logged in"),
        (BLOCK, ChannelRow("e1", 1, "busy"), ""),
        (BLOCK, ChannelRow("e1", 1, "blocked"), "blocked already"),
        (BLOCK, TrunkRow("sip", "sip", True), ""),
        (BLOCK, TrunkRow("sip", "sip", True, blocked=1), "blocked already"),
        (BLOCK, TrunkRow("e1", "pri", True, channels=30, blocked=30), "blocked already"),
        (DRAIN, TrunkRow("e1", "pri", True, channels=30, busy=2, blocked=28, draining=True), "being drained already"),
        (DRAIN, ChannelRow("e1", 1, "busy"), ""),
        (DRAIN, GroupRow("out", ("e1",), "in_order", "out", "", (), 0, 0, blocked=True), "blocked already"),
        (DRAIN, GroupRow("out", ("e1",), "in_order", "out", "", (), 1, 0, blocked=True), ""),
        (UNBLOCK, ChannelRow("e1", 1, "busy", draining=True), ""),
        (GROUP_REMOVE, TrunkRow("e1", "pri", True, channels=30), "no trunk group"),
        (GROUP_CHANGE, GroupRow("out", ("e1",), "in_order", "out", "", (), 1, 0), ""),
        (UNBLOCK, ChannelRow("e1", 1, "idle"), "not blocked"),
        (UNBLOCK, TrunkRow("e1", "pri", True, channels=30, blocked=2), ""),
        (UNBLOCK, TrunkRow("e1", "pri", True, channels=30), "not blocked"),
    ],
)
def test_an_order_says_why_not(order: Order, row: object, why: str) -> None:
    said = hindrance(order, row, frozenset())
    assert (why in said) if why else not said


def test_a_method_that_the_service_lacks_comes_first() -> None:
    assert "does not offer agents.pause" in hindrance(PAUSE, agent("free"), frozenset({"agents.pause"}))
