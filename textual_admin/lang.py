"""The console's texts: English in the code, Chinese from a gettext catalogue; the language can change at any moment.

``_`` translates when it is called, so texts that are made once (bindings, tables of words) are marked with ``N_`` and
translated where they are shown. The catalogue is read as it is, without a build step; the console may know only the
API of the service, so it does not share the reader of the ``onecall`` command.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"zh": "中文", "en": "English"}

_FOLDER = Path(__file__).parent / "locale"
_STRINGS = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
_ENTRY = re.compile(rf"^msgid {_STRINGS}^msgstr {_STRINGS}", re.MULTILINE)


class _Current:
    """The language of this process."""

    language = "en"
    texts: Mapping[str, str] = {}


def read(language: str) -> Mapping[str, str]:
    """The catalogue of a language; nothing for English. ``msgfmt --check`` in the tests sees that it is sound."""
    path = _FOLDER / language / "LC_MESSAGES" / "console.po"
    if language == "en":
        return {}
    found = _ENTRY.findall(path.read_text(encoding="utf-8"))
    pairs = ((ast.literal_eval(f"({text})"), ast.literal_eval(f"({meant})")) for text, meant in found)
    return {text: meant for text, meant in pairs if text and meant}


def use(language: str) -> None:
    """Speak this language from now on. Raises ``ValueError`` for one that we do not have."""
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, is {language!r}")
    _Current.texts = read(language)
    _Current.language = language


def current() -> str:
    """``zh`` or ``en``."""
    return _Current.language


def other() -> str:
    """The language that the key switches to."""
    return "en" if _Current.language == "zh" else "zh"


def _(text: str) -> str:
    """The text in the present language."""
    return _Current.texts.get(text, text)


def N_(text: str) -> str:  # noqa: N802  (gettext's own name)
    """Mark a text for translation; it is translated by ``_`` where it is shown."""
    return text
