"""The site's own files below ``etc`` that are part of what an export has: queues, menus, texts of prompts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from attrs import frozen


@frozen
class SiteFiles:
    """Text files that somebody reads: ``pattern`` is a file or ``folder/*.toml`` below ``etc``.

    ``check(name, text)`` raises ``ValueError`` for a text that cannot be used. ``changed`` is called after files have
    changed; one that looks for itself needs none.
    """

    pattern: str
    check: Callable[[str, str], object]
    changed: Callable[[], object] = lambda: None

    def matches(self, name: str) -> bool:
        """Whether a file, named from ``etc`` on, is one of these."""
        return fnmatchcase(name, self.pattern) and name.count("/") == self.pattern.count("/") and ".." not in name


def read(etc: Path, kinds: Iterable[SiteFiles]) -> dict[str, str]:
    """All such files there are, by name. Raises ``OSError``, ``ValueError`` for one that is not UTF-8."""
    found: dict[str, str] = {}
    for kind in kinds:
        for path in sorted(etc.glob(kind.pattern)):
            try:
                found[path.relative_to(etc).as_posix()] = path.read_bytes().decode()
            except UnicodeDecodeError as error:
                raise ValueError(f"{path}: is not UTF-8: {error}") from None
    return dict(sorted(found.items()))


def check(files: Mapping[str, str], kinds: Sequence[SiteFiles]) -> None:
    """Raise ``ValueError`` for a file that nobody reads, or that its reader says cannot be used."""
    for name, text in files.items():
        readers = [kind for kind in kinds if kind.matches(name)]
        if not readers:
            allowed = ", ".join(kind.pattern for kind in kinds)
            raise ValueError(f"file {name}: is none of the site's files ({allowed})")
        for kind in readers:
            kind.check(name, text)


class Written:
    """Files put in place, each whole, that can be taken back until ``keep``."""

    def __init__(self, etc: Path) -> None:
        self._etc = etc
        self._before: dict[Path, bytes | None] = {}

    def write(self, name: str, text: str | None) -> None:
        """Put a file in place; None removes it. Raises ``OSError``."""
        path = self._etc / name
        self._before[path] = path.read_bytes() if path.exists() else None
        _put(path, None if text is None else text.encode())

    def undo(self) -> None:
        """As it was before."""
        for path, content in self._before.items():
            _put(path, content)


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        path.parent.chmod(0o755)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.chmod(0o644)  # the service, which is another user, reads it
    if path.exists():  # who may read it stays as it was
        state = path.stat()
        part.chmod(state.st_mode & 0o7777)
        if os.geteuid() == 0:
            os.chown(part, state.st_uid, state.st_gid)
    part.replace(path)
