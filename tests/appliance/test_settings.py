"""The control process's settings: what is allowed, and what a broken file is told."""

from pathlib import Path

import attrs
import pytest

from appliance import settings
from appliance.settings import ControlSettings, SettingsError
from hw.line.settings import LineSettings
from hw.phone.settings import PhoneSettings
from hw.settings import load

PACKAGED = Path(__file__).parents[2] / "etc" / "onecall.toml"


@pytest.mark.parametrize(
    ("table", "kind"), [("line", LineSettings), ("phone", PhoneSettings), ("control", ControlSettings)]
)
def test_the_packaged_file_says_the_defaults(table: str, kind: type[attrs.AttrsInstance]) -> None:
    found = load(PACKAGED, table, kind)
    for key in attrs.fields(kind):
        if key.default is not attrs.NOTHING and key.name != "recordings":
            assert getattr(found, key.name) == key.default, key.name


def test_the_packaged_file_names_every_key_of_control() -> None:
    text = PACKAGED.read_text(encoding="utf-8").partition("[control]")[2]
    assert [key.name for key in attrs.fields(ControlSettings) if f"\n{key.name} = " not in text] == []


def test_both_ends_of_a_link_are_given_the_same_socket() -> None:
    control = settings.load(PACKAGED)
    assert load(PACKAGED, "line", LineSettings).socket == control.line_socket
    assert load(PACKAGED, "phone", PhoneSettings).socket == control.phone_socket


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "onecall.toml"
    file.write_text("")
    assert settings.load(file) == ControlSettings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sokcet = '/run/x'", ("sokcet", "allowed: socket")),
        ("language = 'fr'", ("language", "zh")),
        ("max_failures = 0", ("max_failures", ">= 1")),
        ("ring_s = 1", ("ring_s", "3 to 180")),
        ("outside_prefix = 'x'", ("outside_prefix", "digits")),
        ("default_destination = 'nowhere'", ("default_destination", "service:argument")),
        ("realm = 'a b'", ("realm", "one word")),
        ("socket = 5", ("socket", "not a path")),
        ("disabled_plugins = 'acd'", ("disabled_plugins", "a list of plugins' names")),
        ("site = ", ("not TOML",)),
    ],
)
def test_a_broken_file_is_told_the_key_and_what_is_allowed(tmp_path: Path, text: str, told: tuple[str, ...]) -> None:
    file = tmp_path / "onecall.toml"
    file.write_text(f"[control]\n{text}\n")
    with pytest.raises(SettingsError) as error:
        settings.load(file)
    for part in (str(file), *told):
        assert part in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file"):
        settings.load(tmp_path / "none.toml")
