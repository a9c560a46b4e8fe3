"""The ``onecall`` command: runs the service, the demo or the console, and asks and tells the service over its API."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from appliance import cli_groups, cli_machine, cli_site, cli_sms, settings
from appliance.api import locale
from appliance.api.client import Client, NotRunningError, RefusedError
from appliance.api.locale import Translate
from appliance.api.rpc import ApiError
from appliance.cli_commands import COMMANDS
from appliance.cli_output import Failed, speak
from appliance.cli_tables import clean
from appliance.settings import ControlSettings, SettingsError

#: Ways to end. 2 is also argparse's for a wrong command line.
DONE, FAILED, WRONG, NOT_RUNNING, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130

LOCALE = Path(__file__).parent / "locale"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):  # a Chinese name on an ASCII terminal is no reason to fail
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    _ = locale.translator(LOCALE, "onecall", _language(given))
    speak(_)
    if given[:1] == ["demo"]:
        status: int = importlib.import_module("appliance.demo").main(given[1:], _)
        return status
    parser = build_parser(_)
    wanted, rest = parser.parse_known_args(given)
    if rest and wanted.command != "admin":
        parser.error(_("unknown arguments: {}").format(" ".join(rest)))
    try:
        return _run(wanted, rest, _)
    except SettingsError as error:
        return _fail(str(error), WRONG)
    except RefusedError as error:
        return _fail(str(error), REFUSED)
    except NotRunningError as error:
        sentence = _("OneCall is not running ({}). Start it: systemctl start onecall.target")
        return _fail(sentence.format(error), NOT_RUNNING)
    except (ApiError, Failed) as error:
        return _fail(str(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _run(wanted: argparse.Namespace, rest: Sequence[str], _: Translate) -> int:
    match wanted.command:
        case "serve":
            config = wanted.config or settings.DEFAULT
            settings.load(config)  # a fault in it is a sentence for the user, before anything is logged
            return int(importlib.import_module("appliance.__main__").main(["--config", str(config)]))
        case name if name in cli_machine.NAMES:
            return _on_the_machine(wanted, _)
        case "admin":
            path, language = str(_socket(wanted)), locale.chosen(wanted.lang)
            config = ("--config", str(wanted.config or settings.DEFAULT), "--first-steps")
            words = [sys.executable, "-m", "textual_admin", "--socket", path, "--lang", language, *config, *rest]
            os.execv(sys.executable, words)  # noqa: S606  (the console takes this process's place)
        case _:
            asyncio.run(_ask(wanted, _))
    return DONE


async def _ask(wanted: argparse.Namespace, _: Translate) -> None:
    async with Client(_socket(wanted)) as client:
        await COMMANDS[wanted.command](client, wanted, _)


def _on_the_machine(wanted: argparse.Namespace, _: Translate) -> int:
    """What needs no service; each says in a sentence what stopped it."""
    commands = importlib.import_module("appliance.cli_machine_commands")
    try:
        return int(commands.COMMANDS[wanted.command](wanted, _))
    except commands.STOPPED as error:
        return _fail(str(error), FAILED)


def _socket(wanted: argparse.Namespace) -> Path:
    """The one given, else that of the settings file, else the packaged one."""
    if wanted.socket is not None:
        return Path(wanted.socket)
    if wanted.config is not None:
        return settings.load(wanted.config).socket
    try:
        return settings.load(settings.DEFAULT).socket
    except SettingsError:  # a user who may use the socket need not be able to read the file
        return ControlSettings().socket


def _language(arguments: Sequence[str]) -> locale.Language:
    """``--lang`` before anything is parsed: the help is in it too."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--lang")
    return locale.chosen(finder.parse_known_args(arguments)[0].lang)


def _fail(sentence: str, status: int) -> int:
    print("onecall: " + "\n".join(clean(line) for line in sentence.splitlines()), file=sys.stderr)
    return status


def build_parser(_: Translate) -> argparse.ArgumentParser:
    """The command line with its help in the language of ``_``."""
    common, asking, talking = _options(_)
    *_none, action_options = _options(_, argument_default=argparse.SUPPRESS)  # what stands before the action holds

    parser = argparse.ArgumentParser(prog="onecall", description=_("OneCall, a call centre in one box."))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("serve", parents=[common], help=_("run the control process"))
    commands.add_parser("demo", help=_("run a simulated call centre"), add_help=False)
    commands.add_parser("admin", parents=[asking], help=_("the console"))
    commands.add_parser("status", parents=[talking], help=_("the box in short"))
    commands.add_parser("queues", parents=[talking], help=_("queues and who waits"))
    commands.add_parser("phones", parents=[talking], help=_("phones and where they are"))

    _add_lists(commands, talking, action_options, _)
    cli_groups.add_groups(
        commands.add_parser("groups", parents=[talking], help=_("trunk groups: which trunk a call takes and why")),
        action_options, _,
    )  # fmt: skip
    cli_sms.add_sms(
        commands.add_parser(
            "sms", parents=[talking], help=_("short messages: send one, see those that went and came")
        ),
        action_options, _,
    )  # fmt: skip
    cli_site.add_people(
        commands.add_parser("people", parents=[talking], help=_("agents and phones; add, change, remove")),
        action_options, _,
    )  # fmt: skip
    cli_site.add_numbers(
        commands.add_parser("numbers", parents=[talking], help=_("numbers that callers dial, and where they lead")),
        action_options, _,
    )  # fmt: skip
    cli_site.add_transfer(
        commands.add_parser("export", parents=[talking], help=_("the site as one text file")),
        commands.add_parser("import", parents=[talking], help=_("make the site what a text file says")), _,
    )  # fmt: skip
    cli_machine.add(commands, talking, action_options, _)
    _describe(parser)
    return parser


def _add_lists(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    talking: argparse.ArgumentParser,
    action_options: argparse.ArgumentParser,
    _: Translate,
) -> None:
    """Calls, agents, trunks and events: lists, and what can be done with what is in them."""
    calls = _actions(commands.add_parser("calls", parents=[talking], help=_("calls that are up; end one")))
    hangup = calls.add_parser("hangup", parents=[action_options], help=_("end a call"))
    hangup.add_argument("contact", metavar="CONTACT")

    agents = _actions(commands.add_parser("agents", parents=[talking], help=_("agents; log in and out, pause")))
    for action, text in (
        ("login", _("log an agent in at a seat")),
        ("logout", _("log an agent out")),
        ("pause", _("pause an agent")),
        ("resume", _("make an agent ready")),
    ):
        one = agents.add_parser(action, parents=[action_options], help=text)
        one.add_argument("agent", metavar="AGENT")
        if action == "login":
            one.add_argument("seat", metavar="SEAT")
        elif action == "pause":
            one.add_argument("reason", metavar="REASON", nargs="?", default="")

    trunks = _actions(commands.add_parser("trunks", parents=[talking], help=_("trunks; block, unblock and drain them")))
    for action, text in (
        ("block", _("no new calls on a channel")),
        ("unblock", _("calls on a channel again")),
        ("drain", _("no new calls; tells when the last has ended")),
    ):
        one = trunks.add_parser(action, parents=[action_options], help=text)
        one.add_argument("line", metavar="LINE", help=_("a line of the settings, such as e1"))
        one.add_argument(
            "channel", metavar="CHANNEL", type=partial(_channel, _=_), nargs="?", default="all",
            help=_("a number, or all (all)"),
        )  # fmt: skip
        if action == "drain":
            cli_groups.add_wait(one, _)

    events = commands.add_parser("events", parents=[talking], help=_("what happened"))
    events.add_argument("--follow", action="store_true", help=_("go on with what happens now"))
    events.add_argument("--kind", default="", help=_("only this kind; with a dot at the end, this family (contact.)"))
    events.add_argument("--contact", default="", help=_("only this contact"))
    events.add_argument("--after", type=int, metavar="ID", help=_("only events after this number"))
    events.add_argument("--limit", type=int, default=200, metavar="N", help=_("at most so many (200)"))


def _describe(parser: argparse.ArgumentParser) -> None:
    """What the list of commands says of each stands in the command's own help, too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                action.choices[choice.dest].description = choice.help
            for inner in action.choices.values():
                _describe(inner)


def _options(_: Translate, **more: Any) -> tuple[argparse.ArgumentParser, ...]:
    """Options that subcommands share: of all, of those that ask the service, of those that print data."""
    common = argparse.ArgumentParser(add_help=False, **more)
    common.add_argument("--config", type=Path, metavar="FILE", help=_("settings file (/etc/onecall/onecall.toml)"))
    common.add_argument("--lang", choices=locale.LANGUAGES, help=_("language (zh)"))
    asking = argparse.ArgumentParser(add_help=False, parents=[common], **more)
    asking.add_argument("--socket", metavar="PATH", help=_("socket of the service, instead of the settings file's"))
    talking = argparse.ArgumentParser(add_help=False, parents=[asking], **more)
    no = {"default": argparse.SUPPRESS} if more else {}
    talking.add_argument("--json", action="store_true", help=_("data as JSON on stdout"), **no)  # type: ignore[arg-type]
    return common, asking, talking


def _actions(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return parser.add_subparsers(dest="action", metavar="ACTION")


def _channel(text: str, _: Translate) -> str:
    if text != "all" and not text.isdigit():
        raise argparse.ArgumentTypeError(_("{!r} must be a channel's number, or all").format(text))
    return text


if __name__ == "__main__":
    sys.exit(main())
