"""What all tests share: a time limit, and programs that a test needs from outside."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

TIME_LIMIT_S = 60

# In CI the same tree gets the same verdict; at a developer's, every run looks at other examples.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's root."""
    return Path(__file__).resolve().parent.parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Fail a test, with its fixtures, that takes longer than ``TIME_LIMIT_S`` or its ``time_limit`` mark allows."""
    mark = item.get_closest_marker("time_limit")
    seconds = mark.args[0] if mark else TIME_LIMIT_S

    def over(*_: object) -> None:
        pytest.fail(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A judge that is not installed is a skip for a developer and a failure in CI."""
    for mark in item.iter_markers("judge"):
        for program in mark.args:
            if shutil.which(program) is None:
                (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{program} is not installed")
