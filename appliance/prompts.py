"""Texts of prompts by language: what the plugins ship, and what the site puts in their place."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path

log = logging.getLogger(__name__)


class PromptTexts:
    """``texts[language][prompt id]`` is a template with values in braces."""

    def __init__(self) -> None:
        self.texts: dict[str, dict[str, str]] = {}

    def add(self, files: Mapping[str, Path]) -> None:
        """Add the texts of one plugin. Raises ``ValueError`` naming file and key of what is no text."""
        for language, path in files.items():
            self.texts.setdefault(language, {}).update(_read(path))

    def override(self, folder: Path) -> None:
        """Put the site's own texts (``zh.toml``, ``en.toml`` in ``folder``) in place; a broken file changes nothing."""
        for path in sorted(folder.glob("*.toml")):
            try:
                self.add({path.stem: path})
            except ValueError as error:
                log.error("%s", error)

    def text(self, prompt: str, language: str) -> str | None:
        """The template of a prompt, None when there is none in this language."""
        return self.texts.get(language, {}).get(prompt)


def _read(path: Path) -> dict[str, str]:
    try:
        return texts_in(str(path), path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error}") from None


def texts_in(where: str, toml: str) -> dict[str, str]:
    """Prompts in a TOML text, by id. Raises ``ValueError`` that names ``where`` and the key."""
    try:
        data = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{where}: {error}") from None
    texts: dict[str, str] = {}

    def walk(table: Mapping[str, object], prefix: str) -> None:
        for key, value in table.items():
            match value:
                case str():
                    texts[prefix + key] = value
                case dict():
                    walk(value, f"{prefix}{key}.")
                case _:
                    raise ValueError(f"{where}: {prefix}{key}: must be a text, is {value!r}")

    walk(data, "")
    return texts

