"""Writes the few shapes of TOML that the product's own files have; reading is tomllib's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def dumps(tables: Mapping[str, Any], prefix: str = "") -> str:
    """Tables of plain values, lists and tables in them; lists of tables are written in line."""
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"[{prefix}{key(name)}]")
        lines += [f"{key(word)} = {value(item)}" for word, item in table.items() if not isinstance(item, dict)]
        lines.append("")
        inner = {word: item for word, item in table.items() if isinstance(item, dict)}
        if inner:
            lines.append(dumps(inner, f"{prefix}{key(name)}."))
    return "\n".join(lines)


def key(name: str) -> str:
    """A key, bare where it can be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else value(name)


def value(item: Any) -> str:
    """A value on one line: JSON's strings, numbers, truth values and lists are TOML's."""
    if isinstance(item, dict):
        return "{ " + ", ".join(f"{key(word)} = {value(inner)}" for word, inner in item.items()) + " }"
    if isinstance(item, list | tuple):
        return "[" + ", ".join(value(inner) for inner in item) + "]"
    return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")


def text(content: str) -> str:
    """A text of many lines, readable as it stands where TOML can have it so."""
    if "'''" in content or content.endswith("'") or re.search(r"[\x00-\x08\x0b-\x1f\x7f]", content):
        return value(content)
    return f"'''\n{content}'''"
