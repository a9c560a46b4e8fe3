"""The queues: hooks of the plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from appliance.plugin import Box, Call, Method, Row, Service, SettingsError, SiteFiles, hookimpl

from . import codes, service
from .dispatcher import Dispatcher
from .methods import Methods, agent_rows, queue_rows
from .settings import AcdSettings, queues_in, read_queues

_HERE = Path(__file__).parent

#: The dispatcher of the box that runs; hooks that offer things are asked before there is one.
_running: list[Dispatcher] = []


def _dispatcher() -> Dispatcher:
    if not _running:
        raise LookupError("the queues are not running (the log says why)")
    return _running[-1]


@hookimpl
def onecall_services() -> Mapping[str, Service]:
    """``queue:NAME`` and ``agent:login|logout|pause|resume``."""

    async def queue(call: Call, name: str) -> None:
        await service.serve(_dispatcher(), call, name)

    async def agent(call: Call, what: str) -> None:
        await codes.serve(_dispatcher(), call, what)

    return {"queue": queue, "agent": agent}


@hookimpl
def onecall_methods() -> Mapping[str, Method]:
    """``agents.*`` and ``queues.*``."""
    return Methods(_dispatcher).table()


@hookimpl
def onecall_live() -> Mapping[str, Sequence[Row]]:
    """All queues and all agents."""
    if not _running:
        return {}
    return {"queues": queue_rows(_dispatcher()), "agents": agent_rows(_dispatcher())}


@hookimpl
def onecall_prompts() -> Mapping[str, Path]:
    """What callers and agents are told."""
    return {language: _HERE / "prompts" / f"{language}.toml" for language in ("zh", "en")}


@hookimpl
def onecall_migrations() -> Path:
    """The branch ``acd``."""
    return _HERE / "migrations"


@hookimpl
def onecall_site_files() -> Sequence[SiteFiles]:
    """The file of queues."""
    if not _running:
        return []
    settings = _dispatcher().settings

    def check(name: str, text: str) -> None:
        try:
            queues_in(name, text, settings)
        except SettingsError as error:
            raise ValueError(str(error)) from None

    return [SiteFiles(settings.queues, check, _dispatcher().reload)]


@hookimpl
async def onecall_start(box: Box) -> None:
    """Read the queues and what was before. Raises ``SettingsError``: then there are no queues."""
    settings = box.settings("acd", AcdSettings)
    dispatcher = Dispatcher(box, settings, read_queues(box.etc / settings.queues, settings))
    await dispatcher.start()
    _running.append(dispatcher)


@hookimpl
async def onecall_stop() -> None:
    """Stop the clock of the queues."""
    while _running:
        _running.pop().stop()


@hookimpl
async def onecall_adopted(call: Call) -> None:
    """An agent of ours may be talking in it."""
    _dispatcher().adopted(call)


@hookimpl
async def onecall_seat_cleared(seat: str, cause: int) -> None:
    """An agent whose own call is over can be offered the next."""
    _dispatcher().check_phone(seat)
