"""The hooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from appliance.plugin import Box, Call, Method, Service, ShortMessage, hookimpl
from onecall_branches.service import reply, serve
from onecall_branches.settings import BranchSettings

_box: Box
_settings = BranchSettings()


@hookimpl
async def onecall_start(box: Box) -> None:
    """Keep the box and read the settings; a wrong key is told with what is allowed."""
    global _box, _settings
    _box, _settings = box, box.settings("branches", BranchSettings)


@hookimpl
def onecall_services() -> Mapping[str, Service]:
    """``branches:``."""
    return {"branches": _serve}


@hookimpl
def onecall_methods() -> Mapping[str, Method]:
    """``branches.list``: the offices, for the console."""
    return {"branches.list": _list}


@hookimpl
def onecall_prompts() -> Mapping[str, Path]:
    """The texts; a site can put its own into etc/prompts, or record clips."""
    folder = Path(__file__).parent / "prompts"
    return {"zh": folder / "zh.toml", "en": folder / "en.toml"}


@hookimpl
async def onecall_sms_received(message: ShortMessage) -> None:
    """An office's number as a short message is answered with its hours; what is none is somebody else's."""
    await reply(message, _box, _settings)


async def _serve(call: Call, argument: str) -> None:
    await serve(call, _box, _settings)


async def _list() -> dict[str, str]:
    return {number: branch.hours for number, branch in _settings.offices.items()}
