"""Menus: a caller hears a prompt, presses a key, and is taken on. Files in etc/menus, see README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from appliance.plugin import Box, Call, Method, Service, SiteFiles, hookimpl
from plugins.ivr.library import Library
from plugins.ivr.menu import MenuError, prompts, read
from plugins.ivr.service import MenuBroken
from plugins.ivr.service import serve as serve_menu
from plugins.ivr.settings import IvrSettings


@frozen
class MenuRow:
    """One menu file: the version in use (empty when none is), what is wrong with the file, prompts without a text.

    A prompt in ``missing`` may have a recorded clip all the same.
    """

    menu: str
    version: str
    error: str
    missing: tuple[str, ...]


class Ivr:
    """The plugin's one state."""

    def __init__(self, box: Box) -> None:
        """Reads the settings. Raises ``SettingsError``."""
        self._box = box
        self._settings = box.settings("ivr", IvrSettings)
        self._library = Library(
            box.etc / "menus", self._settings, lambda menu, error: self._tell(MenuBroken(menu, error))
        )

    def _tell(self, event: MenuBroken) -> None:
        self._box.events.append(event)

    async def serve(self, call: Call, argument: str) -> None:
        """``menu:NAME`` or ``menu:NAME/NODE``."""
        await serve_menu(call, argument, self._library, self._settings)

    def check(self, name: str, text: str) -> None:
        """Raises ``ValueError`` for a menu file's text that cannot be used."""
        try:
            read(Path(name).stem, text.encode(), self._settings)
        except MenuError as error:
            raise ValueError(str(error)) from None

    def row(self, name: str) -> MenuRow:
        """How the file of a menu is now; reads it when it has changed."""
        error = self._library.error(name)
        try:
            menu = self._library.get(name)
        except MenuError:
            return MenuRow(name, "", error, ())
        texts = self._box.prompts
        missing = [f"{language}/{one}" for one in prompts(menu) for language in texts if one not in texts[language]]
        return MenuRow(name, menu.version, error, tuple(missing))

    def rows(self) -> list[MenuRow]:
        """All menu files."""
        return [self.row(name) for name in self._library.names()]


_ivr: Ivr | None = None


def _started() -> Ivr:
    if _ivr is None:
        raise RuntimeError("the menus are not started")
    return _ivr


@hookimpl
async def onecall_start(box: Box) -> None:
    """Read the settings and check every menu file, so that a broken one is told before the first call."""
    global _ivr
    _ivr = Ivr(box)
    _ivr.rows()


@hookimpl
def onecall_services() -> Mapping[str, Service]:
    """``menu:NAME``."""
    return {"menu": _serve}


@hookimpl
def onecall_methods() -> Mapping[str, Method]:
    """``menus.list``: every menu file with its version and faults; asking checks what has changed."""
    return {"menus.list": _list}


@hookimpl
def onecall_site_files() -> Sequence[SiteFiles]:
    """The menus; a changed one is seen at the next call."""
    return [] if _ivr is None else [SiteFiles("menus/*.toml", _ivr.check)]


@hookimpl
def onecall_prompts() -> Mapping[str, Path]:
    """What the interpreter itself says; the menus' own texts are the site's, in etc/prompts."""
    folder = Path(__file__).parent / "prompts"
    return {"zh": folder / "zh.toml", "en": folder / "en.toml"}


async def _serve(call: Call, argument: str) -> None:
    await _started().serve(call, argument)


async def _list() -> list[MenuRow]:
    return _started().rows()
