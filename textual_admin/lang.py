"""The console's texts: English in the code, Chinese from a gettext catalogue; the language can change at any moment.

``_`` translates when it is called, so texts that are made once (bindings, tables of words) are marked with ``N_`` and
translated where they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from appliance.api.locale import Translate, catalogue

LANGUAGES: Mapping[str, str] = {"zh": "中文", "en": "English"}


class _Current:
    """The language of this process."""

    language = "en"
    translate: Translate = staticmethod(lambda text: text)


def use(language: str) -> None:
    """Speak this language from now on. Raises ``ValueError`` for one that we do not have."""
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, is {language!r}")
    _Current.translate = catalogue(Path(__file__).parent, "console", language)
    _Current.language = language


def current() -> str:
    """``zh`` or ``en``."""
    return _Current.language


def other() -> str:
    """The language that the key switches to."""
    return "en" if _Current.language == "zh" else "zh"


def _(text: str) -> str:
    """The text in the present language."""
    return _Current.translate(text)


def N_(text: str) -> str:  # noqa: N802  (gettext's own name)
    """Mark a text for translation; it is translated by ``_`` where it is shown."""
    return text
