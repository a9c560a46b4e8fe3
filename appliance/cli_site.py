"""``onecall people``, ``numbers``, ``export`` and ``import``: who works here and what callers reach."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance import cli_tables as tables
from appliance import sitefiles
from appliance.api.client import Client
from appliance.api.locale import Translate
from appliance.cli_output import Failed, ask, emit, say

Options = argparse.ArgumentParser
Sub = Callable[..., argparse.ArgumentParser]


# -- the command lines -------------------------------------------------------------------------------------------------


def add_people(parser: argparse.ArgumentParser, options: Options, _: Translate) -> None:
    """``people agent-add|agent-change|agent-remove|seat-add|seat-change|seat-remove``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for action, text in (("add", _("a new agent; his PIN is made at random")), ("change", _("change an agent"))):
        one = actions.add_parser(f"agent-{action}", parents=[options], help=text)
        one.add_argument("number", metavar="NUMBER")
        one.add_argument("name", metavar="NAME") if action == "add" else one.add_argument("--name", metavar="NAME")
        one.add_argument("--speaks", choices=("zh", "en"), dest="language", help=_("the agent's language"))
        one.add_argument("--ask-pin", action="store_true", help=_("ask for the PIN, or read it from stdin"))
        if action == "change":
            one.add_argument("--new-pin", action="store_true", help=_("make a new one at random"))
    one = actions.add_parser("agent-remove", parents=[options], help=_("take an agent away"))
    one.add_argument("number", metavar="NUMBER")
    for action, text in (("add", _("a new phone; its password is made at random")), ("change", _("change a phone"))):
        one = actions.add_parser(f"seat-{action}", parents=[options], help=text)
        one.add_argument("account", metavar="ACCOUNT")
        one.add_argument("--display", metavar="NAME", help=_("the name that is shown"))
        one.add_argument("--outside", choices=("yes", "no"), help=_("whether it may call outside lines"))
        one.add_argument("--ask-password", action="store_true", help=_("ask for the password, or read it from stdin"))
        if action == "change":
            one.add_argument("--new-password", action="store_true", help=_("make a new one at random"))
    one = actions.add_parser("seat-remove", parents=[options], help=_("take a phone away"))
    one.add_argument("account", metavar="ACCOUNT")


def add_numbers(parser: argparse.ArgumentParser, options: Options, _: Translate) -> None:
    """``numbers add|change|remove``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for action, text in (("add", _("a new number")), ("change", _("let a number lead somewhere else"))):
        one = actions.add_parser(action, parents=[options], help=text)
        one.add_argument("pattern", metavar="NUMBER", help=_("the number dialled; with a * at the end a prefix"))
        where = _("where it leads, such as menu:main or queue:service")
        one.add_argument("destination" if action == "add" else "--destination", metavar="DESTINATION", help=where)
        one.add_argument("--name", metavar="NAME", help=_("the name that is shown"))
        one.add_argument("--speaks", choices=("zh", "en"), dest="language", help=_("the language callers begin in"))
    one = actions.add_parser("remove", parents=[options], help=_("take a number away"))
    one.add_argument("pattern", metavar="NUMBER")


def add_transfer(export: argparse.ArgumentParser, into: argparse.ArgumentParser, _: Translate) -> None:
    """``export FILE`` and ``import FILE``."""
    export.add_argument("file", metavar="FILE", help=_("the text file; - is stdout"))
    into.add_argument("file", metavar="FILE", help=_("the text file; - is stdin"))
    into.add_argument("--dry-run", action="store_true", help=_("show what would change, and change nothing"))
    into.add_argument("--yes", action="store_true", help=_("do not ask"))


# -- what they do ------------------------------------------------------------------------------------------------------


def _given(wanted: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options that were given."""
    return {name: getattr(wanted, name) for name in names if getattr(wanted, name, None) is not None}


def _secret(question: str) -> str:
    """A PIN or password that nobody sees: never from the command line, which everybody on the machine can read."""
    return getpass.getpass(question + " ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


async def people(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List agents and phones, or change one."""
    if wanted.action is None:
        await _list_people(client, wanted, _)
        return
    what, action = wanted.action.split("-")
    params = _given(wanted, "number", "account", "name", "language", "display")
    if getattr(wanted, "outside", None):
        params["outside"] = wanted.outside == "yes"
    for secret, question in (("pin", _("PIN:")), ("password", _("Password:"))):
        if getattr(wanted, f"ask_{secret}", False):
            params[secret] = _secret(question)
        if getattr(wanted, f"new_{secret}", False):
            params[f"new_{secret}"] = True
    answer = await client.call(f"{what}s.{action}", **params)
    if wanted.json:
        emit(answer)
        return
    say(_("Done: {} {}").format(_(action), params.get("number") or params["account"]))
    if answer.get("pin"):
        say(_("The PIN is {}. It is not shown again.").format(answer["pin"]))
    if answer.get("password"):
        say(_("The password is {}. It is not shown again.").format(answer["password"]))


async def _list_people(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    agents, seats = await client.call("people.list"), await client.call("seats.list")
    if wanted.json:
        emit({"agents": agents, "seats": seats})
        return
    rows = [(a["number"], a["name"], _("yes") if a["has_pin"] else _("no"), a["language"]) for a in agents]
    tables.show(tables.table((_("Agent"), _("Name"), "PIN", _("Language")), rows))
    say("", stdout=True)
    rows = [(s["account"], s["display"], _("yes") if s["outside"] else _("no"), "") for s in seats]
    tables.show(tables.table((_("Seat"), _("Name"), _("Calls outside"), ""), rows))


async def numbers(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List numbers, or change one."""
    if wanted.action is not None:
        params = _given(wanted, "pattern", "destination", "name", "language")
        answer = await client.call(f"numbers.{wanted.action}", **params)
        emit(answer) if wanted.json else say(_("Done: {} {}").format(_(wanted.action), wanted.pattern))
        return
    rows = await client.call("numbers.list")
    if wanted.json:
        emit(rows)
        return
    columns = (_("Number"), _("Destination"), _("Name"), _("Language"))
    tables.show(tables.table(columns, [(r["pattern"], r["destination"], r["name"], r["language"]) for r in rows]))


async def export(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """Write the site as one text, readable by its owner alone."""
    text = str(await client.call("site.export"))
    if wanted.file == "-":
        sys.stdout.write(text)
        return
    _write(Path(wanted.file), text)
    if wanted.json:
        emit({"file": wanted.file, "bytes": len(text.encode())})
    else:
        say(_("The site is in {}. It has hashes of PINs and passwords: keep it safe.").format(wanted.file))


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from None


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"{file}: {error}") from None


async def import_(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """Make the site what a text says: shown first, the files written, then all the rest in one transaction."""
    text = _read(wanted.file)
    found = await client.call("site.check", text=text)
    changes: list[dict[str, str]] = found["changes"]
    if not wanted.json:
        _show(changes, _)
    if changes and not wanted.dry_run:
        if not (wanted.yes or wanted.json) and not ask(_("Change the site so?"), _):
            raise Failed(_("Nothing was changed."))
        problems = await _apply(client, text, Path(found["etc"]), found["files"])
        for problem in problems:
            say(_("At the next start only: {}").format(problem))
        if not wanted.json:
            say(_("Done: {} changes").format(len(changes)))
    if wanted.json:
        emit({"changes": changes, "done": bool(changes) and not wanted.dry_run})


def _show(changes: list[dict[str, str]], _: Translate) -> None:
    if not changes:
        say(_("The site is as the file says already."))
        return
    tables.show(tables.table(("", "", "", ""), [(_(c["change"]), _(c["kind"]), c["name"], c["what"]) for c in changes]))


async def _apply(client: Client, text: str, etc: Path, files: Mapping[str, str | None]) -> list[str]:
    """The files first, by this user, who must be allowed to; taken back when the service then refuses."""
    written = sitefiles.Written(etc)
    try:
        for name, content in files.items():
            written.write(name, content)
        answer = await client.call("site.import", text=text)
    except OSError as error:
        written.undo()
        raise Failed(f"{error.filename}: {error.strerror}") from None
    except BaseException:
        written.undo()
        raise
    return list(answer["problems"])


COMMANDS = {"people": people, "numbers": numbers, "export": export, "import": import_}
