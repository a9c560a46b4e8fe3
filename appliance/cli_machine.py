"""The command lines of what is done on the machine itself: backup, restore, doctor, lines, setup."""

from __future__ import annotations

import argparse

from appliance.api.locale import Translate
from appliance.setup.lines import LINES, SIGNALLING
from appliance.setup.steps import steps

#: Done by ``appliance.cli_machine_commands``, which is loaded only then: the others are to be quick.
NAMES = ("backup", "restore", "doctor", "lines", "setup")


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    talking: argparse.ArgumentParser,
    action_options: argparse.ArgumentParser,
    _: Translate,
) -> None:
    """Add them; ``talking`` are the options of all that print, ``action_options`` those of an action."""
    one = commands.add_parser("backup", parents=[talking], help=_("the whole site into one file, while it runs"))
    one.add_argument("file", metavar="FILE", help=_("the backup; .gz or .tgz at the end compresses it"))
    one = commands.add_parser("restore", parents=[talking], help=_("put a backup back; the service must be stopped"))
    one.add_argument("file", metavar="FILE", help=_("the backup"))
    one.add_argument("--check", action="store_true", help=_("only check it"))
    one.add_argument("--yes", action="store_true", help=_("do not ask"))
    commands.add_parser("doctor", parents=[talking], help=_("what is wrong, and what to do"))
    lines = commands.add_parser("lines", parents=[talking], help=_("lines, cards and modems; choose which to use"))
    actions = lines.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("check", parents=[action_options], help=_("what is wrong with cards and modems, and what to do"))
    actions.add_parser("conf", parents=[action_options], help=_("DAHDI's system.conf for these settings"))
    loop = actions.add_parser("loop", parents=[action_options], help=_("test a span that is looped at its far end"))
    loop.add_argument("name", metavar="LINE")
    use = actions.add_parser("use", parents=[action_options], help=_("use the simulator or real lines"))
    use.add_argument("kind", metavar="KIND", choices=tuple(LINES), help=", ".join(LINES))
    use.add_argument("--address", metavar="PATH", help=_("where the simulated exchange is"))
    use.add_argument("--signalling", choices=SIGNALLING, default="pri", help=_("of a card's digital spans (pri)"))
    port = _("a voice modem's serial port; without, all that are found, GSM modules too")
    use.add_argument("--port", metavar="PORT", action="append", help=port)
    use.add_argument("--number", metavar="NUMBER", help=_("the number that callers dial, for modems"))
    use.add_argument("--yes", action="store_true", help=_("do not ask"))
    one = commands.add_parser("setup", parents=[talking], help=_("the first steps: name, address, number, lines"))
    for step in steps(_):
        one.add_argument(f"--{step.name}", metavar="VALUE", help=step.question)
    one.add_argument("--yes", action="store_true", help=_("ask nothing; what is not given stays as it is"))
    one.add_argument("--done", action="store_true", help=_("say that the site is set up, and ask nothing"))
