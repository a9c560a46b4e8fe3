"""Running text in lines. Chinese has no spaces: it breaks between any two of its characters, yet no line begins with
a closing mark or ends with an opening one (GB/T 15834, 5.1). Textual would break at spaces alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells
from rich.text import Text
from textual.geometry import Size
from textual.widgets import Static

_CLOSING = frozenset("，。；：、！？）》」』”’…")
_OPENING = frozenset("（《「『“‘")


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` cells; its own line ends and the spaces that begin a line stay."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for unit in _units(paragraph):
            if line.strip() and cell_len(line + unit.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            *full, unit = chop_cells(unit, width) if cell_len(unit.rstrip()) > width else [unit]
            lines += full
            line += unit
        lines.append(line.rstrip())
    return lines


def _units(text: str) -> Iterator[str]:
    """What no line end divides: words, and Chinese characters with the marks that belong to them."""
    begin = 0
    for at in range(1, len(text)):
        before, after = text[at - 1], text[at]
        chinese = _wide(before) or _wide(after)
        if (before == " " and after != " ") or (
            chinese and after != " " and after not in _CLOSING and before not in _OPENING
        ):
            yield text[begin:at]
            begin = at
    yield text[begin:]


def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


class Prose(Static):
    """Text to be read, as wide as there is room."""

    def __init__(self, text: str, classes: str | None = None) -> None:
        super().__init__("", markup=False, classes=classes)
        self._text = text

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Its lines."""
        return len(wrap(self._text, max(width, 1)))

    def render(self) -> Text:
        """Broken here, so that nobody else breaks it."""
        return Text("\n".join(wrap(self._text, max(self.content_size.width, 1))), no_wrap=True)
