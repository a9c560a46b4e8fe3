"""``onecall sms``: short messages that went and came, and a new one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.table import Table

from appliance import cli_tables as tables
from appliance.api.client import Client
from appliance.api.locale import Translate
from appliance.api.types import SmsRow
from appliance.cli_output import Failed, emit, say


def add_sms(parser: argparse.ArgumentParser, options: argparse.ArgumentParser, _: Translate) -> None:
    """``sms list|send``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", parents=[options], help=_("messages both ways, the newest last"))
    listing.add_argument("--number", default="", metavar="NUMBER", help=_("only with this number"))
    listing.add_argument("--limit", type=int, default=50, metavar="N", help=_("at most so many (50)"))
    sending = actions.add_parser("send", parents=[options], help=_("send a message; it is tried until it is sent"))
    sending.add_argument("number", metavar="NUMBER")
    sending.add_argument("text", metavar="TEXT", help=_("the text; -: from the standard input"))
    sending.add_argument("--line", default="", metavar="LINE", help=_("over this line only"))


async def sms(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List messages, or send one."""
    if wanted.action == "send":
        text = sys.stdin.read().rstrip("\n") if wanted.text == "-" else wanted.text
        if not text:
            raise Failed(_("There is no text to send."))
        sent = await client.get(SmsRow, "sms.send", number=wanted.number, text=text, line=wanted.line)
        if wanted.json:
            emit(sent)
        else:
            say(_("Message {} to {} will be sent.").format(sent.id, sent.number))
        return
    number, limit = (wanted.number, wanted.limit) if wanted.action == "list" else ("", 50)
    rows = await client.get(list[SmsRow], "sms.list", number=number, limit=limit)
    if wanted.json:
        emit(rows)
    else:
        tables.show(_table(_, rows))


def _table(_: Translate, rows: Sequence[SmsRow]) -> Table:
    states = {
        "waiting": _("waiting"), "sending": _("sending"), "sent": _("sent"), "delivered": _("delivered"),
        "undelivered": _("not delivered"), "failed": _("failed"), "unknown": _("not known"),
        "received": _("received"), "handled": _("received"),
    }  # fmt: skip
    columns = (_("Time"), "", _("Number"), _("Line"), _("State"), _("Reason"), _("Text"))
    return tables.table(
        columns,
        [
            (
                tables.clock(r.at),
                "←" if r.incoming else "→",
                r.number,
                r.line,
                states.get(r.state, r.state),
                r.reason,
                r.text,
            )
            for r in rows
        ],
    )


COMMANDS = {"sms": sms}
