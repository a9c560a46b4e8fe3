"""What the console knows, and how long it believes it."""

from attrs import evolve

from appliance.api.types import EventRow, Live, ProcessRow
from tests.textual_admin.seeing import Clock
from textual_admin.store import KEPT, Store

LIVE = Live(1000.0, "1", "site", (), (), (), (), (), (), ())


def test_figures_are_stale_after_three_seconds_or_with_trouble_and_good_with_the_next_view() -> None:
    store = Store(clock := Clock())
    assert (store.stale, store.age_s()) == (False, None)
    store.take_live(LIVE)
    clock.now += 2.9
    assert (store.stale, round(store.age_s() or 0, 1)) == (False, 2.9)
    clock.now += 0.1
    assert store.stale
    store.take_live(LIVE)
    assert not store.stale
    store.trouble = "away"
    assert store.stale
    store.take_live(LIVE)
    assert (store.stale, store.trouble) == (False, "")


def test_the_part_of_a_core_is_reckoned_over_a_second_of_the_process_own_figures() -> None:
    store = Store(Clock())
    row = ProcessRow("line", True, 42, cpu_s=10.0, age_s=0.5)
    store.take_live(evolve(LIVE, processes=(row,)))
    store.take_live(evolve(LIVE, at=1000.4, processes=(evolve(row, age_s=0.9),)))  # the same figures, older
    assert store.cpu == {}
    store.take_live(evolve(LIVE, at=1002.0, processes=(evolve(row, cpu_s=10.5, age_s=0.5),)))
    assert store.cpu == {42: 0.25}


def test_only_the_newest_events_are_kept() -> None:
    store = Store(Clock())
    store.take_events([EventRow(n, 0.0, "x", "", {}) for n in range(KEPT + 10)], lost=3)
    assert (len(store.events), store.events[0].id, store.lost) == (KEPT, 10, 3)
