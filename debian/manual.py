"""Fills the commands into the manual page of ``onecall``, from its own parser, so that no command is forgotten.

``python3 debian/manual.py <debian/man/onecall.1 >onecall.1``: the line ``@COMMANDS@`` is what is replaced.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from appliance.cli import build_parser

#: Told once for all commands, in the page's own words.
_COMMON = {"--help", "--config", "--lang", "--socket", "--json"}


def commands(parser: argparse.ArgumentParser, path: str = "") -> Iterator[str]:
    """Each command and its actions: its words, what it does, and the options that only it has."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, inner in action.choices.items():
            words = f"{path} {name}".strip()
            yield f".TP\n.B {escaped(' '.join([words, *operands(inner)]))}\n{escaped(helps.get(name, ''))}"
            yield from options(inner)
            yield from commands(inner, words)


def operands(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The words that must or may stand behind the command."""
    for action in parser._actions:
        if not action.option_strings and not isinstance(action, argparse._SubParsersAction):
            name = str(action.metavar or action.dest)
            yield f"[{name}]" if action.nargs in ("?", "*") else name


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The command's own options, indented below it."""
    own = [a for a in parser._actions if a.option_strings and not _COMMON & set(a.option_strings)]
    if own:
        yield ".RS"
        for action in own:
            choices = "|".join(map(str, action.choices or ()))
            value = "" if action.nargs == 0 else f" {action.metavar or choices or action.dest.upper()}"
            yield f".TP\n.B {escaped(action.option_strings[-1] + value)}\n{escaped(action.help or '')}"
        yield ".RE"


def escaped(text: str) -> str:
    """Text as roff takes it."""
    text = text.replace("%%", "%").replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    sys.stdout.write(sys.stdin.read().replace("@COMMANDS@\n", "\n".join(commands(build_parser(str))) + "\n"))
