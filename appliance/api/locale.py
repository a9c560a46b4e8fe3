"""Texts in the user's language: English in the code, Chinese from a gettext .po file that is read as it is.

No build step: the file is small, and what stands in it holds at the next start.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

Language = Literal["zh", "en"]
Translate = Callable[[str], str]

LANGUAGES: tuple[Language, ...] = get_args(Language)
#: The language where nobody says which.
DEFAULT: Language = "zh"
#: The variable of the environment that says which.
VARIABLE = "ONECALL_LANG"


def chosen(wanted: str | None = None) -> Language:
    """The language asked for, else that of the environment, else Chinese; what we do not have is passed over."""
    for text in (wanted, os.environ.get(VARIABLE)):
        for language in LANGUAGES:
            if text == language:
                return language
    return DEFAULT


def translator(folder: Path, domain: str, language: Language) -> Translate:
    """A gettext-like function: English text to the language's; English itself where there is no translation.

    Reads ``folder``/LANGUAGE/LC_MESSAGES/``domain``.po. Raises ``ValueError`` naming file and line of what is no .po.
    """
    path = folder / language / "LC_MESSAGES" / f"{domain}.po"
    if language == "en" and not path.exists():
        return lambda text: text
    texts = read_po(path)
    return lambda text: texts.get(text) or text


def catalogue(package: Path, domain: str, language: str) -> Translate:
    """``translator`` for a plugin: reads ``locale`` in its folder; English for other languages than Chinese."""
    return translator(package / "locale", domain, "zh" if language == "zh" else "en")


def read_po(path: Path) -> Mapping[str, str]:
    """The translations in a .po file (GNU gettext manual, "PO Files"), fuzzy ones left out; no plurals, no contexts."""
    texts: dict[str, str] = {}
    entry: dict[str, str] = {}
    keyword, fuzzy = "", False
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], 1):
        line = line.strip()
        if not line or line.startswith("#"):
            if entry.get("msgid") and entry.get("msgstr") and not fuzzy:
                texts[entry["msgid"]] = entry["msgstr"]
            fuzzy = "fuzzy" in line if line.startswith("#,") else fuzzy and not entry
            entry, keyword = {}, ""
            continue
        word, _, quoted = line.partition(" ")
        if not line.startswith('"'):
            keyword = word
        else:
            quoted = line
        if keyword not in ("msgid", "msgstr"):
            raise ValueError(f"{path}:{number}: only msgid and msgstr are understood, not {word!r}")
        try:
            text = ast.literal_eval(quoted.strip())
        except (ValueError, SyntaxError):
            raise ValueError(f"{path}:{number}: not a quoted text: {quoted}") from None
        entry[keyword] = entry.get(keyword, "") + text
    return texts
