"""Figures, filters and ages as text."""

import time

import pytest

from textual_admin import figures
from textual_admin.panels.panel import accepted


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0:00"), (0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "1:00:00"), (90061, "25:01:01")],
)
def test_a_duration_counts_whole_seconds(seconds: float, text: str) -> None:
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(-0.1, "0.0 s"), (0.24, "0.2 s"), (9.94, "9.9 s"), (9.96, "10 s")])
def test_an_age_has_tenths_while_they_matter(seconds: float, text: str) -> None:
    assert figures.age(seconds) == text


@pytest.mark.parametrize(("ms", "text"), [(6.9, "7 ms"), (999.4, "999 ms"), (1650, "1.6 s"), (65_000, "1:05")])
def test_milliseconds_are_said_in_the_unit_that_reads_best(ms: float, text: str) -> None:
    assert figures.millis(ms) == text


def test_what_never_began_has_no_time() -> None:
    assert (figures.since(0.0, 1000.0), figures.clock(0.0)) == ("", "")
    assert figures.since(935.0, 1000.0) == "1:05"
    assert figures.clock(1000.0) == time.strftime("%H:%M:%S", time.localtime(1000.0))


def test_a_share_of_nothing_is_no_number() -> None:
    assert (figures.share(0, 0), figures.share(1, 3)) == ("–", "33 %")


def test_control_characters_are_made_visible() -> None:
    assert figures.clean("a\x1b[2J\nb王") == "a�[2J�b王"


@pytest.mark.parametrize(
    ("pattern", "text", "passes"),
    [
        ("", "x", True),
        ("!", "x", True),
        ("Queue", "13:00 queue.entered", True),
        ("queue", "leg.dialled", False),
        ("!queue", "leg.dialled", True),
        ("!leg.", "leg.dialled", False),
        ("王", "1001 王芳", True),
    ],
)
def test_a_filter_keeps_what_contains_it_and_with_a_bang_what_does_not(pattern: str, text: str, passes: bool) -> None:
    assert accepted(pattern, text) is passes
