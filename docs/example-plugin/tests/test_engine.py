from datetime import datetime, time

import pytest
from onecall_branches.engine import Answer, answer
from onecall_branches.settings import Branch

BRANCH = Branch("浦东", "Pudong", "09:00-18:00", ("sun",))
HOURS = {"opens": time(9), "closes": time(18)}


@pytest.mark.parametrize(
    ("at", "prompt"),
    [
        (datetime(2026, 3, 2, 8, 59), "branches.closed_now"),
        (datetime(2026, 3, 2, 9, 0), "branches.open"),
        (datetime(2026, 3, 2, 17, 59), "branches.open"),
        (datetime(2026, 3, 2, 18, 0), "branches.closed_now"),
    ],
)
def test_an_office_is_open_from_its_first_minute_to_its_last(at: datetime, prompt: str) -> None:
    assert answer(BRANCH, at, "zh") == Answer(prompt, {"name": "浦东", **HOURS}, open=prompt == "branches.open")


def test_an_office_is_closed_all_day_on_its_day_off() -> None:
    told = answer(BRANCH, datetime(2026, 3, 1, 12), "en")
    assert told == Answer("branches.closed_today", {"name": "Pudong"}, open=False)


@pytest.mark.parametrize("hours", ["9-18", "09:00", "25:00-26:00", "09:00-18:60"])
def test_wrong_hours_are_refused(hours: str) -> None:
    with pytest.raises(ValueError):
        Branch("浦东", "Pudong", hours)
