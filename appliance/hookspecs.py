"""The hooks: everything a plugin can give the box. One file, so that a plugin author reads one file.

A plugin is a module with functions of these names marked ``@hookimpl`` (from ``appliance.plugin``), announced under the
entry point group ``onecall.plugins``. Plain hooks return data and must return at once; coroutine hooks have a time
limit. What a hook throws is caught, recorded as ``plugin.failed``, and the call goes on by the default rule; a plugin
that keeps failing is disabled with an alarm.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from appliance.api.types import Row
    from appliance.calls.call import Call
    from appliance.calls.leg import Leg
    from appliance.findings import Finding, Place
    from appliance.plugin import Box, Method, Service
    from appliance.sitefiles import SiteFiles
    from appliance.sms.message import ShortMessage

hookspec = pluggy.HookspecMarker("onecall")


@hookspec
def onecall_services() -> Mapping[str, Service]:
    """Services by name: ``{"queue": serve}`` answers destinations ``queue:ARGUMENT`` with ``serve(call, argument)``."""
    raise NotImplementedError


@hookspec
def onecall_methods() -> Mapping[str, Method]:
    """API methods by name (``queues.list``): coroutines with typed keyword parameters; results are JSON or attrs."""
    raise NotImplementedError


@hookspec
def onecall_live() -> Mapping[str, Sequence[Row]]:
    """Rows for the live view by topic (``queues``, ``agents``); asked at most a few times a second."""
    raise NotImplementedError


@hookspec
def onecall_prompts() -> Mapping[str, Path]:
    """Texts of the plugin's prompts by language: ``{"zh": file, "en": file}``, TOML tables of prompt id to template."""
    raise NotImplementedError


@hookspec
def onecall_migrations() -> Path:
    """Folder with the Alembic revisions of the plugin's tables: a branch of its own, see docs/plugins.md."""
    raise NotImplementedError


@hookspec
def onecall_site_files() -> Sequence[SiteFiles]:
    """The site's text files that the plugin reads, with their check: what an export has and an import may bring."""
    raise NotImplementedError


@hookspec
def onecall_diagnose(place: Place, language: str) -> Awaitable[Sequence[Finding]]:
    """Check what is the plugin's own, in words of ``language``; asked by ``onecall doctor``.

    Also while the service is down: then without ``onecall_start``, in the process of the command.
    """
    raise NotImplementedError


@hookspec
def onecall_start(box: Box) -> Awaitable[None]:
    """The box is up: store open, nothing routed yet. The plugin keeps ``box`` and reads its own state."""
    raise NotImplementedError


@hookspec
def onecall_stop() -> Awaitable[None]:
    """The box stops: all calls are over. Called in reverse order of start."""
    raise NotImplementedError


@hookspec(firstresult=True)
def onecall_speak(prompt: str, values: Mapping[str, Any], language: str) -> Awaitable[Sequence[Path]] | None:
    """Sound files (WAV, 8 kHz mono) that say a prompt with its values; None if this plugin cannot."""
    raise NotImplementedError


@hookspec
def onecall_bridged(call: Call, peer: Leg) -> Awaitable[None]:
    """A caller has just been joined with ``peer`` (an agent, an extension, an outside line). Recording begins here."""
    raise NotImplementedError


@hookspec
def onecall_adopted(call: Call) -> Awaitable[None]:
    """A call that was up has been taken over after a restart of the control process."""
    raise NotImplementedError


@hookspec
def onecall_seat_cleared(seat: str, cause: int) -> Awaitable[None]:
    """A leg to or from a phone has ended: an agent whose own call is over can be offered the next."""
    raise NotImplementedError


@hookspec
def onecall_sms_received(message: ShortMessage) -> Awaitable[None]:
    """A short message has come in and is on the disk. After a restart in this moment it may be told twice, never not.

    One after the other; what takes long belongs into ``box.spawn``. Answer with ``box.send_sms``.
    """
    raise NotImplementedError
