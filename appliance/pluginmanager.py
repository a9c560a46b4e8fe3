"""Loads plugins and calls their hooks, each on its own: with a time limit, and what one throws harms no other."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
from pluggy import HookImpl

from appliance import hookspecs
from appliance.events.types import Event, PluginDisabled, PluginFailed
from appliance.prompts import PromptTexts, texts_in
from appliance.sitefiles import SiteFiles

if TYPE_CHECKING:
    from appliance.api.types import Row
    from appliance.calls.call import Call
    from appliance.calls.leg import Leg
    from appliance.findings import Finding, Place
    from appliance.plugin import Box, Method, Service
    from appliance.sms.message import ShortMessage

log = logging.getLogger(__name__)

GROUP = "onecall.plugins"


class Plugins:
    """All plugins that are on, and what they offer."""

    def __init__(
        self,
        emit: Callable[[Event], object],
        *,
        timeout_s: float = 5.0,
        max_failures: int = 20,
        window_s: float = 600.0,
        disabled: Sequence[str] = (),
    ) -> None:
        """A plugin that fails ``max_failures`` times within ``window_s`` is disabled until the next start."""
        self._emit = emit
        self._timeout_s = timeout_s
        self._max_failures = max_failures
        self._window_s = window_s
        self._disabled = set(disabled)
        self._failures: dict[str, list[float]] = {}
        self._manager = pluggy.PluginManager("onecall")
        self._manager.add_hookspecs(hookspecs)
        self._owner: dict[str, str] = {}
        self.services: dict[str, Service] = {}
        self.methods: dict[str, Method] = {}
        self.prompts = PromptTexts()
        self._overrides = Path()
        self.alarms: list[str] = []

    # -- loading -------------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Register every plugin of the entry point group that is not switched off; one that cannot is a failure."""
        for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
            if point.name in self._disabled:
                continue
            try:
                self.register(point.load(), point.name)
            except Exception as error:
                log.exception("plugin %s cannot be loaded", point.name)
                self._failed(point.name, "load", error)

    def register(self, plugin: object, name: str) -> None:
        """Add one plugin. Raises ``pluggy.PluginValidationError`` when a hook of it has unknown arguments."""
        self._manager.register(plugin, name)
        self._manager.check_pending()

    def names(self) -> list[str]:
        """Plugins that are on."""
        return [name for name, plugin in self._manager.list_name_plugin() if plugin is not None]

    def collect(self, core: Mapping[str, Service], prompt_overrides: Path) -> None:
        """Gather services, API methods and prompt texts; names must be unique, the first keeps a name that two want."""
        self.services = dict(core)
        for name, services in self._ask("onecall_services"):
            self._add(self.services, services, name, "service")
        for name, methods in self._ask("onecall_methods"):
            self._add(self.methods, methods, name, "method")
        for _, texts in self._ask("onecall_prompts"):
            self.prompts.add(texts)
        self._overrides = prompt_overrides
        self.prompts.override(prompt_overrides)

    def _add(self, into: dict[str, Any], offered: Mapping[str, Any], plugin: str, what: str) -> None:
        for key, value in offered.items():
            if key in into:
                self._failed(plugin, what, ValueError(f"{what} {key!r} is taken already"))
            else:
                into[key] = value
                self._owner[key] = plugin

    def migrations(self) -> list[Path]:
        """Folders with the plugins' Alembic revisions."""
        return [path for _, path in self._ask("onecall_migrations")]

    def site_files(self) -> list[SiteFiles]:
        """Who reads which of the site's files: the plugins, and ourselves the texts of prompts."""
        own = SiteFiles("prompts/*.toml", texts_in, lambda: self.prompts.override(self._overrides))
        return [own, *(files for _, offered in self._ask("onecall_site_files") for files in offered)]

    # -- hooks ---------------------------------------------------------------------------------------------------------

    async def start(self, box: Box) -> None:
        """``onecall_start`` in order of loading."""
        await self._tell("onecall_start", box=box)

    async def stop(self) -> None:
        """``onecall_stop`` in reverse order."""
        for impl in reversed(self._impls("onecall_stop")):
            await self._call(impl, "onecall_stop", {})

    async def speak(self, prompt: str, values: Mapping[str, Any], language: str) -> Sequence[Path]:
        """``onecall_speak``: the first plugin that can; nothing when none can."""
        arguments = {"prompt": prompt, "values": values, "language": language}
        for impl in reversed(self._impls("onecall_speak")):
            paths = await self._call(impl, "onecall_speak", arguments)
            if paths:
                return list(paths)
        return []

    async def bridged(self, call: Call, peer: Leg) -> None:
        """``onecall_bridged`` for all."""
        await self._tell("onecall_bridged", call=call, peer=peer)

    async def adopted(self, call: Call) -> None:
        """``onecall_adopted`` for all."""
        await self._tell("onecall_adopted", call=call)

    async def seat_cleared(self, seat: str, cause: int) -> None:
        """``onecall_seat_cleared`` for all."""
        await self._tell("onecall_seat_cleared", seat=seat, cause=cause)

    async def sms_received(self, message: ShortMessage) -> None:
        """``onecall_sms_received`` for all."""
        await self._tell("onecall_sms_received", message=message)

    async def diagnose(self, place: Place, language: str) -> list[Finding]:
        """``onecall_diagnose``: what all plugins find; one that fails finds nothing (``alarms`` and log tell)."""
        found: list[Finding] = []
        for impl in self._impls("onecall_diagnose"):
            found += await self._call(impl, "onecall_diagnose", {"place": place, "language": language}) or ()
        return found

    def live(self) -> dict[str, list[Row]]:
        """``onecall_live``: all rows by topic."""
        rows: dict[str, list[Row]] = {}
        for _, offered in self._ask("onecall_live"):
            for topic, more in offered.items():
                rows.setdefault(topic, []).extend(more)
        return rows

    # -- one hook of one plugin ----------------------------------------------------------------------------------------

    def _impls(self, hook: str) -> list[HookImpl]:
        return list(getattr(self._manager.hook, hook).get_hookimpls())

    async def _tell(self, hook: str, **arguments: Any) -> None:
        for impl in self._impls(hook):
            await self._call(impl, hook, arguments)

    async def _call(self, impl: HookImpl, hook: str, arguments: Mapping[str, Any]) -> Any:
        try:
            result = impl.function(*(arguments[name] for name in impl.argnames))
            if inspect.isawaitable(result):
                result = await _within(self._timeout_s, result)
            return result
        except Exception as error:  # noqa: BLE001 - whatever a plugin throws is its own failure
            self._failed(impl.plugin_name, hook, error)
            return None

    def _ask(self, hook: str) -> list[tuple[str, Any]]:
        answers = []
        for impl in self._impls(hook):
            try:
                answers.append((impl.plugin_name, impl.function()))
            except Exception as error:  # noqa: BLE001 - whatever a plugin throws is its own failure
                self._failed(impl.plugin_name, hook, error)
        return answers

    def _failed(self, plugin: str, hook: str, error: BaseException) -> None:
        log.error("plugin %s: %s: %r", plugin, hook, error)
        self._emit(PluginFailed(plugin, hook, repr(error)))
        at = time.monotonic()
        recent = [t for t in self._failures.get(plugin, []) if at - t < self._window_s] + [at]
        self._failures[plugin] = recent
        if len(recent) >= self._max_failures and self._manager.has_plugin(plugin):
            self._disable(plugin, len(recent))

    def _disable(self, plugin: str, failures: int) -> None:
        self._manager.unregister(name=plugin)
        for table in (self.services, self.methods):
            for key in [k for k in table if self._owner.get(k) == plugin]:
                del table[key]
        self.alarms.append(f"plugin {plugin} is disabled after {failures} failures")
        self._emit(PluginDisabled(plugin, failures))


async def _within(timeout_s: float, work: Awaitable[Any]) -> Any:
    """What ``work`` gives; raises ``TimeoutError`` in time even when it does not end on being cancelled."""
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=timeout_s)
    except asyncio.CancelledError:
        _leave(task)
        raise
    if not done:
        _leave(task)
        raise TimeoutError(f"not done within {timeout_s} s")
    if task.cancelled():
        raise RuntimeError("the hook has cancelled itself")
    return task.result()


def _leave(task: asyncio.Future[Any]) -> None:
    """Cancel what nobody waits for any more; what it throws then is nobody's either."""
    task.cancel()
    task.add_done_callback(lambda task: task.cancelled() or task.exception())
