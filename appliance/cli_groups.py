"""``onecall groups``: trunk groups, which one a number takes; and waiting until a trunk or a group is drained."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from appliance import cli_tables as tables
from appliance.api.client import Client
from appliance.api.locale import Translate
from appliance.api.types import Live
from appliance.cli_output import Failed, emit, say

_LISTS = ("members", "shows", "routes")


def add_groups(parser: argparse.ArgumentParser, options: argparse.ArgumentParser, _: Translate) -> None:
    """``groups add|change|remove|block|unblock|drain|try``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for action, text in (("add", _("a new group of trunks")), ("change", _("change a group"))):
        one = actions.add_parser(action, parents=[options], help=text)
        lines = "--lines LINE[:MOST] ..." if action == "add" else "[--lines LINE[:MOST] ...]"
        one.usage = f"%(prog)s NAME {lines} [--OPTION ...]"  # the name first: --lines takes all words behind it
        one.add_argument("name", metavar="NAME")
        one.add_argument(
            "--lines", dest="members", nargs="+", metavar="LINE[:MOST]", required=action == "add",
            help=_("its lines in their order; with :MOST at most so many of its calls on that one"),
        )  # fmt: skip
        one.add_argument(
            "--order", dest="hunting", choices=("in_order", "round_robin", "most_idle"), help=_("which line is next")
        )
        one.add_argument("--direction", choices=("both", "in", "out"), help=_("which calls it takes"))
        one.add_argument("--caller", metavar="NUMBER", help=_("the number that its calls show; empty: the site's"))
        one.add_argument(
            "--shows", nargs="*", metavar="NUMBER[-NUMBER]",
            help=_("numbers that its lines may show; none: only that one"),
        )  # fmt: skip
        one.add_argument("--restricted", choices=("yes", "no"), help=_("ask that the number is not shown (CLIR)"))
        one.add_argument(
            "--routes", nargs="*", metavar="PREFIX=COST",
            help=_("numbers that it carries, such as 0=0.1 00=2,strip=2,prepend=17951 0081=barred; none: all"),
        )  # fmt: skip
        one.add_argument("--most", type=int, metavar="N", help=_("at most so many calls at once; 0: no limit"))
    for action, text in (
        ("remove", _("take a group away; its calls go on")),
        ("block", _("no new calls for a group")),
        ("unblock", _("calls for a group again")),
    ):
        one = actions.add_parser(action, parents=[options], help=text)
        one.add_argument("name", metavar="NAME")
    one = actions.add_parser("drain", parents=[options], help=_("no new calls; tells when the last has ended"))
    one.add_argument("name", metavar="NAME")
    add_wait(one, _)
    one = actions.add_parser("try", parents=[options], help=_("which group a call to a number takes, and why"))
    one.add_argument("number", metavar="NUMBER", help=_("as it is dialled behind the outside prefix"))


def add_wait(parser: argparse.ArgumentParser, _: Translate) -> None:
    """``--wait`` of the commands that drain."""
    parser.add_argument("--wait", action="store_true", help=_("wait until the last call has ended"))


async def groups(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List groups, change one, or try a number."""
    match wanted.action:
        case None:
            await _list(client, wanted, _)
        case "try":
            await _try(client, wanted, _)
        case "drain":
            answer = await client.call("groups.drain", name=wanted.name)
            await drain(client, wanted, _, answer, lambda live: _group_state(live, wanted.name))
        case "block" | "unblock":
            answer = await client.call("groups.block", name=wanted.name, blocked=wanted.action == "block")
            emit(answer) if wanted.json else say(_("Done: {} {}").format(_(wanted.action), wanted.name))
        case action:
            answer = await client.call(f"groups.{action}", name=wanted.name, **_given(wanted))
            emit(answer) if wanted.json else say(_("Done: {} {}").format(_(action), wanted.name))


def _given(wanted: argparse.Namespace) -> dict[str, Any]:
    """The options that were given."""
    names = (*_LISTS, "hunting", "direction", "caller", "most")
    given = {name: getattr(wanted, name) for name in names if getattr(wanted, name, None) is not None}
    if getattr(wanted, "restricted", None) is not None:
        given["restricted"] = wanted.restricted == "yes"
    return given


async def _list(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    rows = await client.call("groups.list")
    if wanted.json:
        emit(rows)
        return
    columns = (
        _("Group"), _("State"), _("Direction"), _("Lines"), _("Order"), _("At most"), _("Shows"), _("Routes")
    )  # fmt: skip
    tables.show(tables.table(columns, [_row(row, _) for row in rows]))


def _row(row: dict[str, Any], _: Translate) -> tuple[object, ...]:
    shown = row["caller"] or _("the site's number")
    directions = {"both": _("both ways"), "in": _("incoming"), "out": _("outgoing")}
    return (
        row["name"],
        _("blocked") if row["blocked"] else _("in service"),
        directions[row["direction"]],
        " ".join(row["members"]),
        _(row["hunting"]),
        row["most"] or _("no limit"),
        shown + (" " + _("(restricted)") if row["restricted"] else ""),
        " ".join(row["routes"]) or _("every number"),
    )


async def _try(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    found = await client.call("groups.try", number=wanted.number)
    if wanted.json:
        emit(found)
        return
    rows = [
        (
            place, way["group"] or "–", way["line"], way["number"],
            (way["caller"] or "–") + (" " + _("(restricted)") if way["restricted"] else ""), f"{way['cost']:g}",
        )
        for place, way in enumerate(found["attempts"], 1)
    ]  # fmt: skip
    if rows:
        columns = (_("Attempt"), _("Group"), _("Line"), _("Number dialled"), _("Shows"), _("Cost"))
        tables.show(tables.table(columns, rows))
    else:
        say(_("{} cannot be called now: cause {}.").format(wanted.number, found["cause"]), stdout=True)
    for each in found["passed"]:
        where = f"{each['group'] or '–'}/{each['line']}" if each["line"] else each["group"]
        say(f"{where}: {_(each['why'])}", stdout=True)


# -- draining ----------------------------------------------------------------------------------------------------------

#: Calls that are still to end, whether they are awaited, whether it is out of service; None: it is no more.
State = tuple[int, bool, bool] | None


def line_state(live: Live, line: str, channel: int | None) -> State:
    """Of a line, or of one of its channels."""
    if channel is None:
        found = [(row.busy, row.draining, row.blocked > 0) for row in live.trunks if row.line == line]
    else:
        found = [
            (int(row.state == "busy"), row.draining, row.state == "blocked")
            for row in live.channels
            if (row.line, row.channel) == (line, channel)
        ]
    return found[0] if found else None


def _group_state(live: Live, group: str) -> State:
    return next(((row.calls, row.draining, row.blocked) for row in live.groups if row.group == group), None)


async def drain(
    client: Client, wanted: argparse.Namespace, _: Translate, answer: dict[str, Any], state: Callable[[Live], State]
) -> None:
    """Tell how far a drain is; with ``--wait`` until its end. Raises ``Failed`` when somebody undoes it meanwhile."""
    told = -1
    if not wanted.wait or answer["drained"]:
        _tell(wanted, _, answer)
        return
    async with client.live_views() as views:
        async for view in views:
            found = state(view)
            if found is None or not (found[1] or found[2] or found[0]):
                raise Failed(_("It was taken back into service meanwhile."))
            busy, draining, _blocked = found
            if busy != told or not draining:
                told = busy
                _tell(wanted, _, {**answer, "busy": busy, "drained": not draining})
            if not draining:
                return


def _tell(wanted: argparse.Namespace, _: Translate, answer: dict[str, Any]) -> None:
    if wanted.json:
        emit(answer)
    elif answer["drained"]:
        say(_("No call is left; it stays out of service until it is unblocked."))
    else:
        say(_("No new calls; still to end: {}").format(answer["busy"]))


COMMANDS = {"groups": groups}
