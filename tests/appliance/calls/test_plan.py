"""The numbering plan: changes are on the disk, routed by at once, told with who made them; nonsense is refused."""

import asyncio
from pathlib import Path

import pytest

from appliance.calls.numbering import Caller, Number, route
from appliance.calls.plan import NumberingPlan
from appliance.events.log import EventLog
from appliance.store.store import Store


def with_plan(path: Path, work) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        store = await Store.open(path / "onecall.db")
        try:
            events = await EventLog.open(store)
            plan = await NumberingPlan.open(store, events)
            plan.services = lambda: ("menu", "queue", "agent")
            await work(plan, events)
        finally:
            await store.close()

    asyncio.run(main())


def leads(plan: NumberingPlan, called: str) -> str:
    return route(called, Caller(False), plan, {}, "9")[0]


def test_a_number_holds_from_the_next_call_on_and_after_a_restart(tmp_path: Path) -> None:
    async def change(plan: NumberingPlan, events: EventLog) -> None:
        assert leads(plan, "95003") == "hangup:1"
        await plan.add("95003", "queue:service", name="售后", by="wang")
        assert leads(plan, "95003") == "queue:service"
        await plan.change("95003", destination="menu:main", by="wang")
        await plan.add("9600*", "queue:service", by="li")
        await plan.remove("9600*", by="li")
        rows = [(r.kind, r.data["pattern"], r.data["by"]) for r in await events.tail("number.")]
        assert rows == [
            ("number.changed", "95003", "wang"),
            ("number.changed", "95003", "wang"),
            ("number.changed", "9600*", "li"),
            ("number.removed", "9600*", "li"),
        ]

    async def again(plan: NumberingPlan, _: EventLog) -> None:
        assert plan.numbers() == [Number("95003", "menu:main", "售后")]

    with_plan(tmp_path, change)
    with_plan(tmp_path, again)


@pytest.mark.parametrize(
    ("pattern", "destination", "language", "says"),
    [
        ("abc", "queue:service", "", r"'abc' must be 1 to 24 digits"),
        ("", "queue:service", "", "must be 1 to 24 digits"),
        ("95001", "queue", "", "must be SERVICE:ARGUMENT"),
        ("95001", "fax:in", "", r"services: agent, menu, queue"),
        ("95001", "queue:service", "fr", "must be zh or en"),
        ("95002", "queue:service", "", "95002 exists already"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    tmp_path: Path, pattern: str, destination: str, language: str, says: str
) -> None:
    async def work(plan: NumberingPlan, _: EventLog) -> None:
        await plan.add("95002", "queue:service")
        with pytest.raises(ValueError, match=says):
            await plan.add(pattern, destination, language=language)
        assert plan.numbers() == [Number("95002", "queue:service")]

    with_plan(tmp_path, work)


def test_a_number_that_is_not_there_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    async def work(plan: NumberingPlan, _: EventLog) -> None:
        with pytest.raises(LookupError, match="no number 95009"):
            await plan.change("95009", name="x")
        with pytest.raises(LookupError, match="no number 95009"):
            await plan.remove("95009")

    with_plan(tmp_path, work)
