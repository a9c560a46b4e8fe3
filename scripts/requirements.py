#!/usr/bin/env python3
"""Write docs/requirements.md: every row of docs/requirements.toml with the tests that prove it.

The tests are read, not run: a test proves a row by ``@pytest.mark.requirement("A1.01")`` on itself, on its class or, as
``pytestmark``, on its module. A step of a gate that ``./test`` does not run proves one by ``# requirement: A1.01`` at
the end of its line, and is told apart. That they pass is what CI says.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "requirements.toml"
PAGE = ROOT / "docs" / "requirements.md"
COMMAND = "python3 scripts/requirements.py"
KINDS = {
    "F": "functions",
    "Q": "qualities and design constraints",
    "P": "practices and figures that software can only support",
    "M": "context, outside the software",
}


#: Gates beside ``./test``: the command, and the files that have its steps, each with a claim at the end of a line.
GATES = {"box/run": "box/*.sh", "dahdi/run": "dahdi/*.py"}
_STEP = re.compile(
    r"""^\s* (?: step\ "(?P<said>[^"]+)" | (?:async\ )?def\ (?P<named>\w+) )
        .* \#\ requirement:\ (?P<rows>[A-Z0-9. ]+)$""",
    re.VERBOSE | re.MULTILINE,
)


class Proof(NamedTuple):
    """One test that claims one row: the row's id, the test's file (from the root) and its name.

    ``gate`` is the command that runs it, where ``./test`` does not.
    """

    number: str
    file: str
    test: str
    gate: str = ""


def proofs(tests: Path) -> list[Proof]:
    """Every claim in the ``test_*.py`` files below ``tests``, then in the gates, in the order of files and lines."""
    found = [
        Proof(number, path.relative_to(tests.parent).as_posix(), test)
        for path in sorted(tests.rglob("test_*.py"))
        for test, number in _claims(ast.parse(path.read_text(encoding="utf-8"), str(path)).body)
    ]
    return [*found, *(proof for gate, files in GATES.items() for proof in _steps(tests, gate, files))]


def _steps(tests: Path, gate: str, files: str) -> Iterator[Proof]:
    for path in sorted(tests.glob(files)):
        for step in _STEP.finditer(path.read_text(encoding="utf-8")):
            said = step["said"] or step["named"].replace("_", " ")
            for number in step["rows"].split():
                yield Proof(number, path.relative_to(tests.parent).as_posix(), said, f"{tests.name}/{gate}")


def _claims(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=value):
                yield from (("all", number) for number in _numbers([value]))
            case ast.ClassDef():
                yield from ((node.name, number) for number in _numbers(node.decorator_list))
                yield from _claims(node.body)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name.startswith("test"):
                yield from ((node.name, number) for number in _numbers(node.decorator_list))


def _numbers(expressions: list[ast.expr]) -> Iterator[str]:
    for expression in expressions:
        for node in ast.walk(expression):  # parametrised tests carry marks inside pytest.param
            match node:
                case ast.Call(func=ast.Attribute(attr="requirement"), args=args):
                    yield from (str(arg.value) for arg in args if isinstance(arg, ast.Constant))


def unknown(table: dict[str, Any], claimed: list[Proof]) -> list[Proof]:
    """The claims whose number is no row of the table."""
    known = {row["id"] for row in table["requirement"]}
    return [proof for proof in claimed if proof.number not in known]


def page(table: dict[str, Any], claimed: list[Proof]) -> str:
    """The whole of docs/requirements.md."""
    tests: dict[str, list[Proof]] = defaultdict(list)
    for proof in claimed:
        tests[proof.number].append(proof)
    rows = table["requirement"]
    lines = [
        "# What the product must do, and the tests that prove it",
        "",
        f"Made by `{COMMAND}` from [requirements.toml](requirements.toml) and the marks in `tests/`; do not edit.",
        "A row is *open* until a test claims it. Kinds, documents and owners are explained in requirements.toml.",
        "`./test` runs the tests. What is marked *gate* is a step of another command that CI runs beside it:",
        f"{', '.join(f'`tests/{gate}`' for gate in GATES)}.",
        "",
        "| Kind | Rows | With a test | With a gate's step alone | Open |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind, meaning in KINDS.items():
        lines.append(_total(f"{kind}: {meaning}", [row for row in rows if row["kind"] == kind], tests))
    lines.append(_total("**all**", rows, tests))
    for area, title in table["areas"].items():
        here = [row for row in rows if row["id"].startswith(f"{area}.")]
        lines += ["", f"## {area} {title}", ""]
        lines += ["| ID | What must be shown | Kind | Owner | Tests |", "|---|---|---|---|---|"]
        lines += [_row(row, tests.get(row["id"], [])) for row in here]
    return "\n".join(lines) + "\n"


def _total(name: str, rows: list[dict[str, str]], tests: dict[str, Any]) -> str:
    proved = sum(any(not proof.gate for proof in tests.get(row["id"], ())) for row in rows)
    by_gate = sum(all(proof.gate for proof in tests[row["id"]]) for row in rows if row["id"] in tests)
    left = sum(row["id"] not in tests and row["kind"] != "M" for row in rows)
    return f"| {name} | {len(rows)} | {proved} | {by_gate} | {left} |"


def _row(row: dict[str, str], tests: list[Proof]) -> str:
    files: dict[str, list[str]] = defaultdict(list)
    for proof in tests:
        link = f"[{proof.file}](../{proof.file})"
        files[f"*gate* {link}" if proof.gate else link].append(proof.test)
    proved = "<br>".join(f"{link}: {', '.join(names)}" for link, names in files.items())
    if not proved:
        proved = "none needed" if row["kind"] == "M" else "open"
    shows = row["shows"].replace("|", "\\|") or row["asks"]
    return f"| {row['id']} | {shows} | {row['kind']} | {row['owner']} | {proved} |"


def main() -> int:
    """Rewrite the page, or with ``--check`` say whether it is stale; a claim of an unknown number fails both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is stale")
    check = parser.parse_args().check
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    claimed = proofs(ROOT / "tests")
    wrong = unknown(table, claimed)
    for proof in wrong:
        print(f"{proof.file}: {proof.test}: {proof.number} is no row of docs/requirements.toml", file=sys.stderr)
    text = page(table, claimed)
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
    if check and stale:
        print(f"docs/requirements.md is stale: run {COMMAND}", file=sys.stderr)
    elif stale:
        PAGE.write_text(text, encoding="utf-8")
    return int(bool(wrong) or (check and stale))


if __name__ == "__main__":
    sys.exit(main())
