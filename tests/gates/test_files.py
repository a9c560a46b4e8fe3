"""A file has one reason to change: none of the product's is over 400 lines, and the native parts are not committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

LIMIT = 400
ROOMS = ("appliance", "hw", "plugins", "textual_admin")


def tracked(root: Path, *patterns: str) -> list[Path]:
    """Files that git knows or would add, below the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return [root / name for name in names if (root / name).exists()]


def test_no_file_is_over_the_limit(root: Path) -> None:
    files = tracked(root, *(f"{room}/*.{kind}" for room in ROOMS for kind in ("py", "c", "h")))
    assert files
    sizes = {path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in sizes.items() if lines > LIMIT} == {}


def test_nothing_built_is_committed(root: Path) -> None:
    command = ["git", "ls-files", "--", "*.so", "*.o", "*.mo", "*.pyc", "hw/**/_*.c"]
    assert subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout == ""
