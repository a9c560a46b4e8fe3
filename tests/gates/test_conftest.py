"""The common test rules hold: a test that hangs fails, and a missing judge is a failure in CI."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester, root: Path) -> pytest.Pytester:
    pytester.makeconftest((root / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\nmarkers =\n    judge\n    time_limit\n")
    return pytester


def test_a_test_that_hangs_fails_and_the_next_runs(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import asyncio, pytest
        @pytest.mark.time_limit(1)
        def test_hangs():
            asyncio.run(asyncio.Event().wait())
        def test_next(): pass
        """
    )
    result = suite.runpytest_subprocess()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*still running after 1 s*"])


@pytest.mark.parametrize(("ci", "outcome"), [("true", "errors"), ("", "skipped")])
def test_a_missing_judge_fails_in_ci_only(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str
) -> None:
    monkeypatch.setenv("CI", ci)
    suite.makepyfile("import pytest\n@pytest.mark.judge('no-such-program')\ndef test_it(): raise SystemError")
    suite.runpytest_subprocess().assert_outcomes(**{outcome: 1})
