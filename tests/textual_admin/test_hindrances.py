"""Why an order cannot be given, decided from the row alone."""

import pytest

from appliance.api.types import AgentRow, ChannelRow, TrunkRow
from textual_admin.orders import BLOCK, LOGIN, LOGOUT, PAUSE, RESUME, UNBLOCK, Order, hindrance


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
        (BLOCK, TrunkRow("sip", "sip", True), "no channels"),
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
