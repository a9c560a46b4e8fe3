"""Runs all checks, whether the service is up or down."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import attrs
from attrs import frozen

from appliance.api.client import ApiError, Client, NotRunningError, RefusedError
from appliance.api.locale import Language, Translate
from appliance.api.types import Status
from appliance.diagnosis import cards, lines, machine, service, trunks
from appliance.diagnosis.place import OfflinePlace
from appliance.events.types import Event
from appliance.findings import Finding
from appliance.pluginmanager import Plugins
from appliance.settings import ControlSettings, SettingsError, load
from appliance.setup import zones

#: How long the service may take for an answer.
_ANSWER_S = 10.0


async def examine(config: Path, socket: Path | None, language: Language, _: Translate) -> list[Finding]:
    """Every check's finding, in an order to read. ``socket`` instead of the settings file's."""
    found = list(settings(config, _))
    try:
        control = load(config)
    except SettingsError:
        return found
    answer = await _ask(socket or control.socket, language, _)
    found.append(answer.found)
    failed: list[Finding] = []
    plugins = Plugins(lambda event: failed.append(_failure(event)), disabled=control.disabled_plugins)
    plugins.load()
    if answer.status is not None:
        found += service.processes(answer.status, _)
    found += await asyncio.to_thread(_machine, config, control, answer, plugins, _)
    checks = answer.checks
    if checks is None:
        checks = await plugins.diagnose(OfflinePlace(config, control, plugins), language)
    return [*found, *checks, *failed]


@frozen
class _Answer:
    """What the service says: nothing of it when it is down."""

    found: Finding
    status: Status | None = None
    newest: float = 0.0
    checks: list[Finding] | None = None


def _machine(
    config: Path, control: ControlSettings, answer: _Answer, plugins: Plugins, _: Translate
) -> list[Finding]:
    tables = tomllib.loads(config.read_text(encoding="utf-8"))
    spans = [str(span.get("driver", "sim")) for span in tables.get("line", {}).get("spans", [])]
    listen = tables.get("phone", {}).get("listen", ("udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"))
    return [
        *machine.group(control, _),
        *service.store(control.store, plugins.migrations(), _),
        *machine.disk(control, _),
        *machine.clock(answer.newest, _),
        *machine.lines(lines.find(), spans, zones.now(tables), _),
        *(cards.check(config, _) if "dahdi" in spans else ()),
        *machine.sip(listen, answer.status is not None, _),
    ]


def _failure(event: Event) -> Finding:
    data = attrs.asdict(event)
    return Finding(f"plugin.{data.get('plugin', '')}", "fail", " ".join(str(value) for value in data.values()))


def settings(config: Path, _: Translate) -> Iterator[Finding]:
    """Whether all processes can read the settings file."""
    faults = []
    try:
        load(config)
    except SettingsError as error:
        faults.append(str(error))
    words = [sys.executable, "-m", "hw.check", "--config", str(config)]
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=30)
    if done.returncode:
        faults += done.stderr.strip().splitlines()
    for fault in dict.fromkeys(faults):  # each process says the same of a file that none can read
        yield Finding("settings", "fail", fault, _("correct the settings file; until then the service cannot start"))
    if not faults:
        yield Finding("settings", "ok", _("{} can be used").format(config))


async def _ask(socket: Path, language: Language, _: Translate) -> _Answer:
    """The service's status, the time of the newest event, what is to say of its trunks, and what its plugins find."""
    try:
        async with asyncio.timeout(_ANSWER_S), Client(socket) as client:
            status = await client.get(Status, "status")
            events = await client.events(limit=1)
            live = await client.live()
            checks = [
                *trunks.check(live.groups, live.trunks, _),
                *await client.get(list[Finding], "diagnose", language=language),
            ]
        found = Finding("service", "ok", _("OneCall {} answers at {}").format(status.version, socket))
        return _Answer(found, status, events[-1].at if events else 0.0, checks)
    except RefusedError as error:
        return _Answer(Finding("service", "fail", str(error)))
    except NotRunningError as error:
        todo = _("systemctl start onecall.target")
        return _Answer(Finding("service", "fail", _("OneCall is not running: {}").format(error), todo))
    except (ApiError, TimeoutError) as error:
        todo = _("journalctl -u onecall-control says why")
        said = str(error) or _("no answer within {:g} s").format(_ANSWER_S)
        return _Answer(Finding("service", "fail", said, todo))
