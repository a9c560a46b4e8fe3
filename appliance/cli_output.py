"""How the ``onecall`` command speaks: data to stdout, talk and questions to stderr."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from cattrs.preconf.json import make_converter

from appliance.api.locale import Translate
from appliance.cli_tables import clean

_converter = make_converter()


class Failed(Exception):
    """A command that could not do what it was told; the text is a sentence in the user's language."""


def speak(_: Translate) -> None:
    """argparse's own words, its headings and errors, in the language: it looks them up by these two names."""
    argparse._ = _  # type: ignore[attr-defined]
    argparse.ngettext = lambda one, many, count: _(one if count == 1 else many)  # type: ignore[attr-defined]


def emit(value: Any) -> None:
    """Data as one line of JSON."""
    print(json.dumps(_converter.unstructure(value), ensure_ascii=False), flush=True)


def say(sentence: str, *, stdout: bool = False) -> None:
    """Talk."""
    print(clean(sentence), file=sys.stdout if stdout else sys.stderr, flush=True)


def ask(question: str, _: Translate) -> bool:
    """Whether the user says yes. One who is not at a terminal cannot."""
    if not sys.stdin.isatty():
        say(_("{} Nobody is at the terminal; --yes answers.").format(question))
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是")
