"""The menu files: a changed file takes effect for the next call, a broken one leaves the last good version in use."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from plugins.ivr.menu import Menu, MenuError, read
from plugins.ivr.settings import IvrSettings

_NAME = re.compile(r"[\w-]+")


@frozen
class _Known:
    state: tuple[int, int, int]
    menu: Menu | None
    error: str


class Library:
    """All menus of a folder. Callers keep the ``Menu`` they were given: a new version never changes a running call."""

    def __init__(self, folder: Path, settings: IvrSettings, broken: Callable[[str, str], None]) -> None:
        """``broken`` is told a menu's name and its faults, once for each state of the file."""
        self._folder = folder
        self._settings = settings
        self._broken = broken
        self._known: dict[str, _Known] = {}

    def get(self, name: str) -> Menu:
        """The menu as its file is now; its last good version when the file is broken. Raises ``MenuError``."""
        known = self._look(name)
        if known.menu is None:
            raise MenuError(known.error)
        return known.menu

    def error(self, name: str) -> str:
        """What is wrong with a menu's file as it is now; empty when nothing is."""
        return self._look(name).error

    def names(self) -> list[str]:
        """All menus there are files of."""
        return sorted(path.stem for path in self._folder.glob("*.toml"))

    def _look(self, name: str) -> _Known:
        before = self._known.get(name)
        path = self._folder / f"{name}.toml"
        try:
            if _NAME.fullmatch(name) is None:
                raise MenuError(f"{name!r} is no menu's name (allowed: letters, digits, _ and -)")
            stat = path.stat()
            state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if before is not None and before.state == state:
                return before
            data = path.read_bytes()
        except OSError as error:
            self._known.pop(name, None)
            return self._fault(name, None, (0, 0, 0), f"{path}: cannot be read: {error.strerror}", before)
        except MenuError as error:
            return self._fault(name, None, (0, 0, 0), str(error), before)
        try:
            known = _Known(state, read(name, data, self._settings), "")
        except MenuError as error:
            return self._fault(name, before.menu if before else None, state, str(error), before)
        self._known[name] = known
        return known

    def _fault(
        self, name: str, menu: Menu | None, state: tuple[int, int, int], error: str, before: _Known | None
    ) -> _Known:
        known = _Known(state, menu, error)
        if before != known:
            self._broken(name, error)
        if state != (0, 0, 0):
            self._known[name] = known
        return known
