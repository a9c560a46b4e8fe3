"""The requirement matrix is fresh, names only rows that exist, and finds every way a test can claim a row."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from scripts.requirements import COMMAND, PAGE, TABLE, Proof, page, proofs, unknown

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def table() -> dict:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def test_every_claim_names_a_row(table: dict) -> None:
    assert unknown(table, proofs(TESTS)) == []


def test_the_page_is_fresh(table: dict) -> None:
    fresh = PAGE.read_text(encoding="utf-8") == page(table, proofs(TESTS))
    assert fresh, f"docs/requirements.md is stale: run {COMMAND}"


def test_rows_are_whole(table: dict) -> None:
    rows = table["requirement"]
    numbers = [row["id"] for row in rows]
    assert len(set(numbers)) == len(numbers)
    for row in rows:
        assert row["doc"] in table["documents"], row["id"]
        assert row["id"].partition(".")[0] in table["areas"], row["id"]
        assert row["kind"] in "FQPM", row["id"]
        assert row["asks"], row["id"]
        assert row["shows"] or row["kind"] == "M", row["id"]


def test_claims_are_found_on_tests_classes_modules_and_parameters(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_x.py").write_text(
        """
pytestmark = [pytest.mark.slow, pytest.mark.requirement("A1.01")]
@pytest.mark.requirement("A1.02", "A1.03")
async def test_plain(): ...
@pytest.mark.requirement("A1.04")
class TestGroup:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.requirement("A1.05"))])
    def test_inside(self, x): ...
@pytest.mark.requirement("A1.06")
def helper(): ...
""",
        encoding="utf-8",
    )
    file = "tests/test_x.py"
    assert proofs(tests) == [
        Proof("A1.01", file, "all"),
        Proof("A1.02", file, "test_plain"),
        Proof("A1.03", file, "test_plain"),
        Proof("A1.04", file, "TestGroup"),
        Proof("A1.05", file, "test_inside"),
    ]


def test_steps_of_gates_are_found_and_told_apart_from_what_the_test_command_runs(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    for name, text in {
        "box/steps.sh": 'step "it is kept" keep || return # requirement: A9.10 A1.01\nstep "it is not claimed" other\n',
        "dahdi/scenarios.py": "async def calls_go_on() -> str:  # requirement: A1.02\n    ...\n",
    }.items():
        (tests / name).parent.mkdir(parents=True)
        (tests / name).write_text(text, encoding="utf-8")
    found = proofs(tests)
    assert found == [
        Proof("A9.10", "tests/box/steps.sh", "it is kept", "tests/box/run"),
        Proof("A1.01", "tests/box/steps.sh", "it is kept", "tests/box/run"),
        Proof("A1.02", "tests/dahdi/scenarios.py", "calls go on", "tests/dahdi/run"),
    ]
    row = {"doc": "S0", "asks": "a", "kind": "F", "owner": "hw", "release": "1"}
    rows = [{"id": "A1.01", "shows": "it rings", **row}, {"id": "A1.02", "shows": "it stops", **row}]
    text = page({"areas": {"A1": "Lines"}, "requirement": rows}, [Proof("A1.01", "tests/test_x.py", "test_it"), *found])
    assert "(../tests/test_x.py): test_it<br>*gate* [tests/box/steps.sh](../tests/box/steps.sh): it is kept |" in text
    assert "| **all** | 2 | 1 | 1 | 0 |" in text


def test_a_row_without_a_test_is_open_and_a_claim_of_no_row_is_told() -> None:
    row = {"doc": "S0", "asks": "a", "kind": "F", "owner": "hw", "release": "1"}
    table = {
        "areas": {"A1": "Lines"},
        "requirement": [{"id": "A1.01", "shows": "it rings", **row}, {"id": "A1.02", "shows": "it stops", **row}],
    }
    claimed = [Proof("A1.01", "tests/test_x.py", "test_rings"), Proof("A9.99", "tests/test_x.py", "test_none")]
    text = page(table, claimed)
    assert "| A1.01 | it rings | F | hw | [tests/test_x.py](../tests/test_x.py): test_rings |" in text
    assert "| A1.02 | it stops | F | hw | open |" in text
    assert "| **all** | 2 | 1 | 0 | 1 |" in text
    assert unknown(table, claimed) == claimed[1:]
