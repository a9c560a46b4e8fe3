"""What each subcommand of ``onecall`` does with the API: data goes to stdout, talk to stderr."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from appliance import cli_groups, cli_site, cli_sms
from appliance import cli_tables as tables
from appliance.api.client import Client
from appliance.api.locale import Translate
from appliance.api.types import CallRow, EventRow, Status
from appliance.cli_output import emit, say

Command = Callable[[Client, argparse.Namespace, Translate], Awaitable[None]]


async def _do(client: Client, wanted: argparse.Namespace, said: str, method: str, **params: Any) -> None:
    """Call a method that changes something; its answer with --json, else a sentence."""
    answer = await client.call(method, **params)
    if wanted.json:
        emit(answer)
    else:
        say(said)


async def status(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """The box in short."""
    found = await client.get(Status, "status")
    if wanted.json:
        emit(found)
        return
    for part in tables.status(_, found):
        tables.show(part)
        print()


async def calls(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List calls, or end one."""
    if wanted.action == "hangup":
        said = _("Call {} is being ended.").format(wanted.contact)
        await _do(client, wanted, said, "calls.hangup", contact=wanted.contact)
        return
    live = await client.live()
    rows: tuple[CallRow, ...] = live.calls
    if wanted.json:
        emit(rows)
    else:
        tables.show(tables.calls(_, rows, live.at))


async def agents(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List agents, or change what one does."""
    if wanted.action is not None:
        more = {"login": ("seat",), "pause": ("reason",)}.get(wanted.action, ())
        params = {name: getattr(wanted, name) for name in more}
        said = _("Done: {} {}").format(_(wanted.action), wanted.agent)
        await _do(client, wanted, said, f"agents.{wanted.action}", agent=wanted.agent, **params)
        return
    live = await client.live()
    if wanted.json:
        emit(live.agents)
    else:
        tables.show(tables.agents(_, live.agents, live.at))


async def trunks(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List trunks, or block, unblock and drain channels."""
    if wanted.action is not None:
        blocked = wanted.action == "block"
        channel = None if wanted.channel == "all" else int(wanted.channel)
        if wanted.action == "drain":
            answer = await client.call("trunks.drain", line=wanted.line, channel=channel)
            await cli_groups.drain(
                client, wanted, _, answer, lambda live: cli_groups.line_state(live, wanted.line, channel)
            )
            return
        if channel is None:
            said = _("{} takes no more new calls.") if blocked else _("{} takes calls again.")
        else:
            said = _("{}/{} takes no more new calls.") if blocked else _("{}/{} takes calls again.")
        said = said.format(wanted.line, wanted.channel)
        await _do(client, wanted, said, "trunks.block", line=wanted.line, channel=channel, blocked=blocked)
        return
    live = await client.live()
    if wanted.json:
        emit(live.trunks)
    else:
        tables.show(tables.trunks(_, live))


async def queues(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List queues."""
    live = await client.live()
    if wanted.json:
        emit(live.queues)
    else:
        tables.show(tables.queues(_, live.queues))


async def phones(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """List phones."""
    live = await client.live()
    if wanted.json:
        emit(live.phones)
    else:
        tables.show(tables.phones(_, live.phones, live.at))


async def events(client: Client, wanted: argparse.Namespace, _: Translate) -> None:
    """Print events, and with --follow those that come, until interrupted."""

    def tell(row: EventRow) -> None:
        if wanted.json:
            emit(row)
        else:
            print(tables.event_line(row), flush=True)

    if not wanted.follow:
        for row in await client.events(wanted.after, wanted.kind, wanted.contact, wanted.limit):
            tell(row)
        return
    async with client.follow_events(wanted.kind, wanted.contact, wanted.after) as rows:
        async for row in rows:
            tell(row)
            if client.dropped:
                print(_("{} events were lost, this output is too slow").format(client.dropped), file=sys.stderr)
                client.dropped = 0


COMMANDS: Mapping[str, Command] = {
    "status": status,
    "calls": calls,
    "agents": agents,
    "trunks": trunks,
    "queues": queues,
    "phones": phones,
    "events": events,
    **cli_site.COMMANDS,
    **cli_groups.COMMANDS,
    **cli_sms.COMMANDS,
}
