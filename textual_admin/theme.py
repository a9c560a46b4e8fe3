"""How the console looks. A Python file, so that the package carries it as it carries the code."""

from __future__ import annotations

import os
from collections.abc import Mapping

from textual_admin.words import Tone

CSS = """
Screen { layers: base; }
Heading { height: 1; background: $primary-background; color: $text; padding: 0 1; }
Tabs { height: 1; background: $panel; link-style: none; link-color: $text; link-background: $panel; }
Banner { height: auto; max-height: 3; background: $error; color: $text; text-style: bold; padding: 0 1; display: none; }
Keys { height: auto; max-height: 2; background: $panel; padding: 0 1; }
Typing { display: none; height: 1; padding: 0 1; background: $boost; }
#mode { width: 1; text-style: bold; }
#typed { width: 1fr; background: $boost; }
ContentSwitcher { height: 1fr; }
.stale ContentSwitcher { opacity: 40%; }
Panel { height: 1fr; }
.summary { height: 1; padding: 0 1; color: $text-muted; }
LiveTable { height: 1fr; background: $background; }
Overview Grid { grid-size: 1; grid-rows: auto; height: auto; }
Overview .box { height: auto; border: round $panel-lighten-2; border-title-color: $text; border-title-style: bold;
                padding: 0 1; }
Overview .latest { text-wrap: nowrap; text-overflow: ellipsis; }
.-wide Overview Grid { grid-size: 2; grid-gutter: 0 1; }
ModalScreen { align: center middle; background: $background 50%; }
.dialog { width: 66; max-width: 96%; height: auto; max-height: 90%; border: round $primary; background: $surface;
          padding: 1 2; }
.asking { border: round $warning; }
.dialog .keys { margin-top: 1; color: $text-muted; }
.form .note { margin-bottom: 1; color: $text-muted; }
.field { height: 1; }
.field .label { width: 29; }
.field Input { width: 1fr; background: $boost; }
.help { width: 76; }
.ladder { width: 96%; height: 92%; padding: 0; }
"""

#: The colour of a tone on a dark background (True) and on a light one; at least 4.5 to 1 against it (WCAG 2.2, 1.4.3).
COLOURS: Mapping[bool, Mapping[Tone, str]] = {
    True: {"good": "#8AD4A1", "busy": "#57A5E2", "warn": "#FFC473", "bad": "#E58A9E"},
    False: {"good": "#1B6331", "busy": "#004578", "warn": "#704300", "bad": "#8B1A2B"},
}

#: From this many columns on two boxes stand side by side.
WIDE = 110


def first() -> str:
    """The theme to begin with: light where the terminal says so (COLORFGBG, as rxvt and Konsole set it), else dark."""
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return "textual-light" if background in ("7", "15") else "textual-dark"


def other(theme: str) -> str:
    """The theme for the other kind of terminal."""
    return "textual-dark" if theme == "textual-light" else "textual-light"
