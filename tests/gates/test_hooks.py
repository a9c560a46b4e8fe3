"""Every hook is documented, implemented by a real plugin or an example, and used by a test."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance import hookspecs

HOOKS: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction)
    if hasattr(function, "onecall_spec")
}


def text_of(*folders: Path) -> str:
    """All Python, Markdown and TOML below the folders, the gates left out."""
    return "\n".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".py", ".md", ".toml"} and "gates" not in path.parts
    )


def test_there_are_hooks() -> None:
    assert HOOKS
    assert all(name.startswith("onecall_") for name in HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_says_what_it_is_for(hook: str) -> None:
    assert inspect.getdoc(HOOKS[hook])


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_described_to_plugin_authors(hook: str, root: Path) -> None:
    page = (root / "docs" / "plugins.md").read_text(encoding="utf-8")
    described = bool(re.search(rf"^(#+ |\| ?)`?{hook}\b", page, re.MULTILINE))
    assert described, f"docs/plugins.md has no heading or row for {hook}"


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_implemented(hook: str, root: Path) -> None:
    source = text_of(root / "plugins", root / "docs")
    implemented = bool(re.search(rf"^ *(async )?def {hook}\(", source, re.MULTILINE))
    assert implemented, f"no plugin or example implements {hook}"


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_in_a_test(hook: str, root: Path) -> None:
    named = bool(re.search(rf"\b{hook}\b", text_of(root / "tests")))
    assert named, f"no test names {hook}"
