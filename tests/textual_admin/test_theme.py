"""The colours of states can be read on both kinds of terminal."""

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from textual_admin import theme


def luminance(colour: Color) -> float:
    """WCAG 2.2, relative luminance."""
    parts = (value / 255 for value in colour.rgb)
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["textual-dark", "textual-light"])
def test_every_tone_has_contrast_on_the_background_of_its_theme(name: str) -> None:
    ground = luminance(Color.parse(BUILTIN_THEMES[name].to_color_system().generate()["background"]))
    for tone, colour in theme.COLOURS[BUILTIN_THEMES[name].dark].items():
        low, high = sorted((ground, luminance(Color.parse(colour))))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (name, tone)


@pytest.mark.parametrize(
    ("said", "name"),
    [("0;15", "textual-light"), ("0;default;7", "textual-light"), ("15;0", "textual-dark"), ("", "textual-dark")],
)
def test_a_terminal_that_says_it_is_light_begins_light(monkeypatch: pytest.MonkeyPatch, said: str, name: str) -> None:
    monkeypatch.setenv("COLORFGBG", said)
    assert theme.first() == name
    assert theme.other(theme.other(name)) == name != theme.other(name)
