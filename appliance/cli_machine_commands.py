"""What ``onecall backup``, ``restore``, ``doctor``, ``lines`` and ``setup`` do, on the machine itself."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from appliance import cli_tables as tables
from appliance import settings
from appliance.api import locale
from appliance.api.client import ApiError, Client, NotRunningError
from appliance.api.locale import Translate
from appliance.backup import make
from appliance.backup import restore as restoring
from appliance.backup.manifest import BackupError
from appliance.cli_output import Failed, ask, emit, say
from appliance.diagnosis import cards, modems
from appliance.diagnosis import doctor as doctors
from appliance.diagnosis import lines as devices
from appliance.findings import Finding
from appliance.pluginmanager import Plugins
from appliance.settings import SettingsError
from appliance.setup import edit, machine
from appliance.setup.edit import EditError
from appliance.setup.lines import LINES, Modem, SetupError, use_lines
from appliance.setup.steps import Step, steps
from appliance.setup.zones import now as zone_now
from appliance.setup.zones import titles

Command = Callable[[argparse.Namespace, Translate], int]

#: A check that failed makes the exit status of ``doctor``.
DONE, BAD = 0, 1


# -- backup and restore ------------------------------------------------------------------------------------------------


def backup(wanted: argparse.Namespace, _: Translate) -> int:
    """Make one."""
    config = wanted.config or settings.DEFAULT
    made = make.backup(config, settings.load(config), Path(wanted.file), _progress(wanted))
    if wanted.json:
        emit(attrs.asdict(made, filter=lambda a, v: a.name != "sha256"))
        return DONE
    for path in made.gone:
        say(_("{} was removed meanwhile").format(path))
    say(_("{}: {} files, {:.1f} MB. It has secrets: keep it safe.").format(made.file, made.files, made.bytes / 1e6))
    return DONE


def restore(wanted: argparse.Namespace, _: Translate) -> int:
    """Check one, ask, and put it back."""
    file = Path(wanted.file)
    manifest = restoring.look(file)
    if not wanted.json:
        say(_("Made at {} on {} by OneCall {}").format(manifest.made_at, manifest.host, manifest.version))
        for part, place in manifest.parts.items():
            say(f"  {part:<10} {place}")
    question = _("Replace what is there now?")
    if not (wanted.check or wanted.yes or wanted.json) and not ask(question, _):
        raise Failed(_("Nothing was changed."))
    plugins = Plugins(lambda event: None)
    plugins.load()
    running = lambda: _answers(_socket(wanted))  # noqa: E731
    done = restoring.restore(
        file, plugins.migrations(), _progress(wanted), running=running, check_only=wanted.check
    )
    if wanted.json:
        emit({**attrs.asdict(done), "checked_only": wanted.check})
    elif wanted.check:
        say(_("{} files, all as they were. It can be restored.").format(done.files))
    else:
        say(_("{} files are back. Start it: systemctl start onecall.target").format(done.files))
    return DONE


def _progress(wanted: argparse.Namespace) -> make.Progress:
    """Percent on stderr: on one line of a terminal, else every tenth."""
    told = -1
    terminal = sys.stderr.isatty()

    def show(done: int, whole: int) -> None:
        nonlocal told
        percent = done * 100 // whole if whole else 100
        step = percent if terminal else percent // 10 * 10
        if step != told and not wanted.json:
            told = step
            print(f"\r{step:3} %" if terminal else f"{step} %", end="" if terminal and done < whole else "\n",
                  file=sys.stderr, flush=True)  # fmt: skip

    return show


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as end:
        try:
            end.connect(str(path))
        except OSError:
            return False
    return True


def _socket(wanted: argparse.Namespace) -> Path:
    """The socket given, else the settings file's, else the packaged one: the file may be what is lost."""
    try:
        return Path(wanted.socket) if wanted.socket else settings.load(wanted.config or settings.DEFAULT).socket
    except SettingsError:
        return settings.ControlSettings().socket


# -- doctor ------------------------------------------------------------------------------------------------------------


def doctor(wanted: argparse.Namespace, _: Translate) -> int:
    """Every check, a line each, with what to do below those that are not well."""
    config = wanted.config or settings.DEFAULT
    given = Path(wanted.socket) if wanted.socket else None
    found = asyncio.run(doctors.examine(config, given, locale.chosen(wanted.lang), _))
    if wanted.json:
        emit(found)
    else:
        _say_findings(found, _)
    return BAD if any(one.state == "fail" for one in found) else DONE


def _say_findings(found: Sequence[Finding], _: Translate) -> None:
    marks = {"ok": _("ok"), "warn": _("warning"), "fail": _("FAULT")}
    rows = []
    for one in found:
        rows.append((marks[one.state], one.check, one.found))
        if one.todo:
            rows.append(("", "", f"→ {one.todo}"))
    tables.show(tables.table(("", "", ""), rows))
    states = [one.state for one in found]
    say(_("{} checks: {} warnings, {} faults").format(len(found), states.count("warn"), states.count("fail")))


# -- lines and setup ---------------------------------------------------------------------------------------------------


def lines(wanted: argparse.Namespace, _: Translate) -> int:
    """What lines there are and could be, what is wrong with the cards, or which to use."""
    config = wanted.config or settings.DEFAULT
    if wanted.action == "use":
        text = _with_lines(
            _text(config), config, wanted.kind, address=wanted.address, ports=wanted.port, number=wanted.number,
            signalling=wanted.signalling, _=_,
        )  # fmt: skip
        question = _("Use the lines {!r} from the next start on, and no others?").format(wanted.kind)
        if not wanted.yes and not ask(question, _):
            raise Failed(_("Nothing was changed."))
        old = machine.put(config, text, _)
        if wanted.json:
            emit({"lines": wanted.kind, "before": str(old)})
        else:
            _say_lines(text, _)
            _restart(old, _)
        return DONE
    if wanted.action == "check":
        drivers = [span.get("driver") for span in tomllib.loads(_text(config)).get("line", {}).get("spans", [])]
        facts = [*cards.check(config, _, used="dahdi" in drivers), *modems.check(config, _)]
        if wanted.json:
            emit(facts)
        else:
            _say_findings(facts, _)
        return BAD if any(one.state == "fail" for one in facts) else DONE
    if wanted.action in ("conf", "loop"):
        return cards.tool(wanted.action, config, *([wanted.name] if wanted.action == "loop" else []))
    told = tomllib.loads(_text(config))
    spans = told.get("line", {}).get("spans", [])
    found = devices.find()
    if wanted.json:
        zone = {"zone": zone_now(told), "zones": titles(_)}
        emit({"spans": spans, "cards": found.cards, "serial": found.serial, "kinds": list(LINES), **zone})
        return DONE
    rows = [(_("in use"), span.get("name", ""), span.get("driver", "sim")) for span in spans]
    rows += [(_("card"), card, "") for card in found.cards] + [(_("serial port"), port, "") for port in found.serial]
    rows += [(_("to choose"), kind, f"onecall lines use {kind}") for kind in LINES]
    tables.show(tables.table(("", "", ""), rows))
    return DONE


def _say_lines(text: str, _: Translate) -> None:
    """The lines that were chosen, and of analog ports the numbers that they were given."""
    for span in tomllib.loads(text)["line"]["spans"]:
        say(f"{span['name']}: {span['driver']}, {span['signalling']}")
        if numbers := span.get("loop", {}).get("numbers"):
            say(_("its ports have the numbers {}; give them their own in the settings").format(", ".join(numbers)))


def _with_lines(
    text: str, config: Path, kind: str, address: str | None = None, ports: Sequence[str] | None = None,
    number: str | None = None, signalling: str = "pri", *, _: Translate,
) -> str:  # fmt: skip
    """The settings with other lines; modems that nobody names are asked who they are, and cards what they have."""
    try:
        found = [Modem(port) for port in ports or ()]
        if kind == "modem" and not ports:
            facts = modems.ask(config, devices.find().serial)
            found = modems.usable(facts)
            for one in modems.unclear(facts, _):
                say(one.found)
                say(f"→ {one.todo}")
        spans = cards.found(signalling) if kind == "dahdi" else []
    except ValueError as error:
        raise SetupError(str(error)) from None
    return use_lines(text, kind, address, found, number or "", spans=spans, signalling=signalling)


def setup(wanted: argparse.Namespace, _: Translate) -> int:
    """The first steps: answers from the command line or the terminal, then one change of the settings file."""
    if wanted.done:
        return _done(wanted, _)
    config = wanted.config or settings.DEFAULT
    before = text = _text(config)
    if not wanted.yes and not sys.stdin.isatty():
        raise Failed(_("Nobody is at the terminal: give the answers as options, with --yes."))
    if not wanted.yes:
        found = devices.find()
        say(_("cards: {}").format(", ".join(found.cards) or _("none")))
        say(_("serial ports: {}").format(", ".join(found.serial) or _("none")))
    number, modems_wanted = "", False
    for step in steps(_):
        value = _answer(step, wanted, text, _)
        if value and step.change is None:
            number = "" if value == "-" else value
        elif value is not None and step.change is not None and value != step.now(tomllib.loads(text)):
            if step.name == "lines" and value == "modem":
                modems_wanted = True  # their lines need the number, which is asked after them
            else:
                text = _with_lines(text, config, value, _=_) if step.name == "lines" else step.change(text, value)
    if modems_wanted:
        text = _with_lines(text, config, "modem", number=number, _=_)
    changed = text != before
    if changed:
        if not wanted.yes and not ask(_("Write {}?").format(config), _):
            raise Failed(_("Nothing was changed."))
        old = machine.put(config, text, _)
    told = _add_number(number, wanted, _) if number else ""
    if wanted.json:
        emit({"changed": changed, "number": number})
        return DONE
    if told:
        say(told)
    if changed:
        _restart(old, _)
    say(_("Agents and phones: onecall people. First passwords: {}").format(_var(config) / "first-secrets.toml"))
    return DONE


def _done(wanted: argparse.Namespace, _: Translate) -> int:
    """The admin's word that the first steps are finished."""

    async def work() -> object:
        async with Client(_socket(wanted)) as client:
            return await client.call("site.setup_done")

    state = asyncio.run(work())
    if wanted.json:
        emit(state)
    else:
        say(_("The site is set up: the console begins with the overview."))
    return DONE


def _answer(step: Step, wanted: argparse.Namespace, text: str, _: Translate) -> str | None:
    """The option's value, else what is typed (nothing: as it is), else None."""
    given: str | None = getattr(wanted, step.name.replace("-", "_"))
    tables = tomllib.loads(text)
    if not step.applies(tables):
        if given is not None:
            raise Failed(_("--{}: no line has it").format(step.name))
        return None
    now = step.now(tables)
    while True:
        if given is None:
            if wanted.yes:
                return None
            print(f"{step.question} [{now}]: ", end="", file=sys.stderr, flush=True)
            given = sys.stdin.readline().rstrip("\r\n") or now
            if not given:
                return None
        try:
            return step.check(given)
        except ValueError as error:
            if wanted.yes or getattr(wanted, step.name.replace("-", "_")) is not None:
                raise Failed(f"--{step.name}: {error}") from None
            say(str(error))
            given = None


def _add_number(number: str, wanted: argparse.Namespace, _: Translate) -> str:
    """The first number leads to the menu; what is to be said about it."""

    async def work() -> None:
        async with Client(_socket(wanted)) as client:
            await client.call("numbers.add", pattern=number, destination="menu:main")

    try:
        asyncio.run(work())
    except NotRunningError:
        return _("OneCall is not running. When it is: onecall numbers add {} menu:main").format(number)
    except ApiError as error:
        return str(error)
    return _("{} leads to the menu.").format(number)


def _text(config: Path) -> str:
    """The settings file's text, which is TOML. Raises ``Failed``."""
    try:
        text = config.read_text(encoding="utf-8")
        edit.parsed(text)
    except (OSError, UnicodeDecodeError, EditError) as error:
        raise Failed(f"{config}: {getattr(error, 'strerror', None) or error}") from None
    return text


def _var(config: Path) -> Path:
    return settings.load(config).var


def _restart(old: Path, _: Translate) -> None:
    say(_("The settings are changed (before: {}). They hold after: systemctl restart onecall.target").format(old))


#: What a command can be stopped by; the text is a sentence for the user.
STOPPED = (BackupError, SetupError, EditError)

COMMANDS: Mapping[str, Command] = {
    "backup": backup, "restore": restore, "doctor": doctor, "lines": lines, "setup": setup,
}  # fmt: skip
