"""Changes keys of a TOML text and nothing else in it. Pure: text in, text out.

Only what a settings file has: tables, keys with a value of their own line or lines, and arrays of tables
(``[[line.spans]]``, or ``spans = [...]`` in ``[line]``), which are replaced as a whole. The result is read again and
must say exactly what was wanted, so a text that is written in a way we do not follow is refused, never spoilt.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from appliance import toml

_HEADER = re.compile(r"^\s*\[(\[?)\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(#.*)?$")


class EditError(ValueError):
    """A text that cannot be changed by machine; the sentence says where."""


def set_keys(text: str, table: str, values: Mapping[str, Any]) -> str:
    """``[table]`` with these keys, the rest as it was. Raises ``EditError``."""
    wanted = parsed(text)
    wanted.setdefault(table, {}).update(copy.deepcopy(dict(values)))
    lines = text.splitlines()
    for key, value in values.items():
        lines = _set(lines, table, key, f"{key} = {toml.value(value)}")
    return _checked("\n".join(lines) + "\n", wanted, table)


def set_tables(text: str, name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The array of tables ``[[table.name]]`` made ``rows``. Raises ``EditError``."""
    table, key = name.split(".")
    wanted = parsed(text)
    wanted.setdefault(table, {})[key] = [dict(row) for row in rows]
    if not rows:  # an array of tables that is empty is not there
        del wanted[table][key]
    lines = text.splitlines()
    kept: list[str] = []
    at, inside = -1, False
    for line in lines:
        if found := _HEADER.match(line):
            inside = found[1] == "[" and found[2] == name
            at = len(kept) if inside and at < 0 else at
        if not inside:
            kept.append(line)
        elif line.lstrip().startswith("#"):
            kept.append(line)  # comments stay where they are
    if at < 0:
        kept = _without(kept, table, key)
        at = _span(kept, table)[1] if f"[{table}]" in [line.strip() for line in kept] else len(kept)
    made = [line for row in rows for line in (f"[[{name}]]", *(f"{k} = {toml.value(v)}" for k, v in row.items()), "")]
    return _checked("\n".join([*kept[:at], *made, *kept[at:]]) + "\n", wanted, name)


def _set(lines: list[str], table: str, key: str, line: str) -> list[str]:
    start, end = _span(lines, table)
    if start < 0:
        return [*lines, "", f"[{table}]", line]
    if (at := _key(lines, start, end, key)) < 0:
        return [*lines[:start], line, *lines[start:]]
    last = _value_end(lines, at, end)
    comment = _comment(lines[at]) if last == at else ""
    return [*lines[:at], line + comment, *lines[last + 1 :]]


def _without(lines: list[str], table: str, key: str) -> list[str]:
    """The lines without the value of a key."""
    start, end = _span(lines, table)
    at = _key(lines, start, end, key)
    return lines if at < 0 else [*lines[:at], *lines[_value_end(lines, at, end) + 1 :]]


def _key(lines: list[str], start: int, end: int, key: str) -> int:
    """The line of a table on which the value of a key begins; -1 without it."""
    return next((at for at in range(start, end) if re.match(rf"\s*{re.escape(key)}\s*=", lines[at])), -1)


def _span(lines: list[str], table: str) -> tuple[int, int]:
    """First line after ``[table]`` and the line of the next header; -1 without such a table."""
    start = -1
    for at, line in enumerate(lines):
        if found := _HEADER.match(line):
            if start >= 0:
                return start, _before_comment(lines, at)
            if not found[1] and found[2] == table:
                start = at + 1
    return start, len(lines)


def _before_comment(lines: list[str], at: int) -> int:
    """The comment above a header belongs to that header."""
    while at > 0 and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    return at


def _value_end(lines: list[str], at: int, end: int) -> int:
    """The last line of the value that begins on line ``at``: the first where TOML is content."""
    for last in range(at, end):
        try:
            tomllib.loads("\n".join(lines[at : last + 1]))
        except tomllib.TOMLDecodeError:
            continue
        return last
    raise EditError(f"line {at + 1}: the value has no end")


def _comment(line: str) -> str:
    """The comment behind a value on one line."""
    for found in re.finditer(r"\s*#", line):
        try:
            tomllib.loads(line[: found.start()])
        except tomllib.TOMLDecodeError:
            continue
        return line[found.start() :]
    return ""


def parsed(text: str) -> dict[str, Any]:
    """The text as tomllib reads it. Raises ``EditError``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EditError(f"not TOML: {error}") from None


def _checked(text: str, wanted: dict[str, Any], where: str) -> str:
    if parsed(text) != _plain(wanted):
        raise EditError(f"[{where}] is written in a way that cannot be changed by machine; change it with an editor")
    return text


def _plain(value: Any) -> Any:
    """Lists for tuples, as TOML reads them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
