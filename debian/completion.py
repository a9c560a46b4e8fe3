"""Writes bash's completion of the ``onecall`` command from its own parser, so that no command is forgotten."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from appliance.cli import build_parser

_SCRIPT = """\
# bash completion of onecall, made at package build from the command's parser.
_onecall() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} path= word words
    case $previous in
    --config | --socket) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --lang) mapfile -t COMPREPLY < <(compgen -W 'zh en' -- "$current"); return ;;
    esac
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in -*) ;; *) path+=" $word" ;; esac
    done
    case ${{path# }} in
{cases}
    *) words= ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    [ ${{#COMPREPLY[@]}} != 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}}
complete -F _onecall onecall
"""


def cases(parser: argparse.ArgumentParser, path: str = "") -> Iterator[str]:
    """One line a command: its words, and those of its actions after them."""
    words = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words += action.choices
            for name, inner in action.choices.items():
                yield from cases(inner, f"{path} {name}".strip())
    yield f"    '{path}') words='{' '.join(words)}' ;;"


print(_SCRIPT.format(cases="\n".join(cases(build_parser(str)))), end="")
