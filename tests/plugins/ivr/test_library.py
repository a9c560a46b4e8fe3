"""Menu files change while calls are up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugins.ivr import engine
from plugins.ivr.library import Library
from plugins.ivr.menu import MenuError
from plugins.ivr.settings import IvrSettings

TEXT = """
start = "a"
[nodes.a]
kind = "say"
prompt = "{0}"
next = "b"
[nodes.b]
kind = "go"
destination = "queue:{0}"
"""


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[str, str]] = []
        self.library = Library(folder, IvrSettings(), lambda name, error: self.told.append((name, error)))
        self._clock = 1_000_000_000

    def write(self, text: str, name: str = "m") -> None:
        path = self.folder / f"{name}.toml"
        path.write_text(text)
        self._clock += 1  # two edits within the file system's clock tick are two edits all the same
        os.utime(path, ns=(self._clock, self._clock))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.requirement("A4.05")
def test_a_changed_file_is_for_the_next_call_and_a_running_call_ends_on_the_version_it_began(site: Site) -> None:
    site.write(TEXT.format("old"))
    running = engine.start(site.library.get("m"))
    site.write(TEXT.format("new"))
    coming = engine.start(site.library.get("m"))
    assert engine.step(running.state, "").last == engine.Go("queue:old", "queue:service")
    assert engine.step(coming.state, "").last == engine.Go("queue:new", "queue:service")
    assert running.state.menu.version != coming.state.menu.version


def test_a_file_that_did_not_change_is_not_read_again(site: Site) -> None:
    site.write(TEXT.format("old"))
    assert site.library.get("m") is site.library.get("m")


@pytest.mark.requirement("A4.05")
def test_a_broken_edit_leaves_the_last_good_version_and_is_told_once(site: Site) -> None:
    site.write(TEXT.format("old"))
    good = site.library.get("m")
    site.write("start = ")
    assert site.library.get("m") is good
    assert site.library.get("m") is good
    assert [name for name, _ in site.told] == ["m"]
    assert site.library.error("m").startswith("m.toml: not TOML")
    site.write(TEXT.format("new"))
    assert site.library.get("m").version != good.version
    assert site.library.error("m") == ""


@pytest.mark.parametrize("name", ["m", "none", "../secret", ""])
def test_a_menu_that_never_was_good_or_has_no_file_is_an_error(site: Site, name: str) -> None:
    site.write("nonsense")
    with pytest.raises(MenuError):
        site.library.get(name)
    assert site.told and site.told[0][0] == name


def test_a_removed_file_is_no_menu_any_more(site: Site) -> None:
    site.write(TEXT.format("old"))
    site.library.get("m")
    (site.folder / "m.toml").unlink()
    with pytest.raises(MenuError):
        site.library.get("m")
    assert site.library.names() == []
