"""The control process's composition root: what is opened, in what order, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

from attrs import frozen

from appliance.api.live import LiveView
from appliance.api.methods import CoreMethods
from appliance.api.server import ApiServer
from appliance.api.setup_methods import SetupMethods
from appliance.api.site_methods import SiteMethods
from appliance.api.sms_methods import SmsMethods
from appliance.api.trunk_methods import TrunkMethods
from appliance.box import CoreBox
from appliance.calls.adoption import adopt
from appliance.calls.blocks import Blocks
from appliance.calls.groups import TrunkGroups
from appliance.calls.plan import NumberingPlan
from appliance.calls.services import core_services
from appliance.calls.switchboard import Switchboard
from appliance.events.log import EventLog
from appliance.events.types import Event, ProcessChanged
from appliance.findings import Finding
from appliance.link.client import Process, ProcessLink
from appliance.people.directory import Directory
from appliance.phones import Phones
from appliance.pluginmanager import Plugins
from appliance.settings import ControlSettings
from appliance.site import seed
from appliance.sms.desk import SmsDesk
from appliance.store.store import Store
from appliance.transfer import SiteTransfer
from appliance.watch import Watch
from hw.messages import Cleared, Message, PlayItem, SetSipTrunks, Snapshot
from hw.notify import Notifier

log = logging.getLogger(__name__)

#: How long calls of the time before wait for both processes to report before they are ended.
ADOPT_S = 5.0
#: How often the watchdog is told that the loop turns.
ALIVE_S = 1.0


@frozen
class _Site:
    """What the store has, each table with its one owner in memory, and the plugins."""

    plugins: Plugins
    store: Store
    events: EventLog
    people: Directory
    numbers: NumberingPlan
    groups: TrunkGroups
    blocks: Blocks


class Daemon:
    """The control process, whole. ``run`` serves until a signal or ``stop``."""

    def __init__(self, config: Path, settings: ControlSettings) -> None:
        self._config = config
        self._settings = settings
        self._snapshots: dict[Process, Snapshot] = {}
        self._reported = asyncio.Event()
        #: Legs cleared between the snapshots and the adoption.
        self._cleared_early: dict[str, Cleared] = {}
        self._adopted = False
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin the clean end: drain, then stop."""
        self._stopping.set()

    async def run(self) -> None:
        """Open everything, serve, drain, close. Raises ``StoreError`` or ``SettingsError`` when it cannot start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        async with AsyncExitStack() as stack:
            await self._open(stack)
            notifier = Notifier()
            notifier.ready()
            gc.freeze()
            log.info("the control process is up")
            while not self._stopping.is_set():
                notifier.alive()
                await _wait(self._stopping, ALIVE_S)
            notifier.stopping()
            drained = asyncio.create_task(self.switchboard.drain(self._settings.drain_s), name="drain")
            while not drained.done():
                notifier.alive()
                await asyncio.wait({drained}, timeout=ALIVE_S)

    async def _open(self, stack: AsyncExitStack) -> None:
        """Open everything in the order in which it is needed; ``stack`` closes it the other way round."""
        site = await self._open_site(stack)
        links: dict[Process, ProcessLink] = {
            "line": ProcessLink("line", self._settings.line_socket),
            "phone": ProcessLink("phone", self._settings.phone_socket),
        }
        self._make_desks(site, links)
        box = await self._start_plugins(stack, site)
        await self._sms.open()
        stack.push_async_callback(self._sms.close)
        # Next to the links and before anything that waits: a link that ends with us is no process that died.
        stack.push_async_callback(self.switchboard.stop)
        await self._connect(stack, site, links)
        server = self._make_server(site, box)
        await server.start()
        stack.push_async_callback(server.close)

    async def _open_site(self, stack: AsyncExitStack) -> _Site:
        """The plugins' code, and what the store has."""
        settings = self._settings
        events: EventLog | None = None
        early: list[Event] = []
        plugins = Plugins(
            lambda event: events.append(event) if events is not None else early.append(event),
            timeout_s=settings.hook_timeout_s,
            max_failures=settings.max_failures,
            disabled=settings.disabled_plugins,
        )
        plugins.load()
        store = await Store.open(settings.store, plugins.migrations())
        stack.push_async_callback(store.close)
        events = await EventLog.open(store)
        for event in early:
            events.append(event)
        await seed(
            settings.etc / "site.toml",
            store,
            events,
            realm=settings.realm,
            secrets_file=settings.var / "first-secrets.toml",
        )
        return _Site(
            plugins,
            store,
            events,
            await Directory.open(store, events, settings.realm),
            await NumberingPlan.open(store, events),
            await TrunkGroups.open(store, events),
            await Blocks.open(store, events),
        )

    def _make_desks(self, site: _Site, links: dict[Process, ProcessLink]) -> None:
        """The owners of what lives: calls, phones, short messages, the watch over the processes."""
        settings = self._settings
        self.switchboard = switchboard = Switchboard(
            line=links["line"],
            phone=links["phone"],
            events=site.events,
            people=site.people,
            plugins=site.plugins,
            now=time.time,
            language=settings.language,
            default_destination=settings.default_destination,
            numbers=site.numbers,
            outside_prefix=settings.outside_prefix,
            outside_caller=settings.outside_caller,
            groups=site.groups,
            blocks=site.blocks,
            ring_s=settings.ring_s,
            ring_out_s=settings.ring_out_s,
            music=_music(settings.etc),
        )
        self._phones = Phones(site.events, site.people, settings.realm, time.time, switchboard.telephones)
        self._watch = Watch(switchboard, self._phones, site.events, site.store)
        self._sms = SmsDesk(
            site.store, site.events, site.plugins,
            lines=switchboard.trunks.lines.values, send=links["line"].send, now=time.time,
        )  # fmt: skip
        site.people.on_seats = lambda: switchboard.send("phone", self._phones.accounts())

    async def _start_plugins(self, stack: AsyncExitStack, site: _Site) -> CoreBox:
        settings, plugins = self._settings, site.plugins
        box = CoreBox(
            config=self._config,
            etc=settings.etc,
            var=settings.var,
            store=site.store,
            switchboard=self.switchboard,
            phones=self._phones,
            sms=self._sms,
        )
        plugins.collect(core_services(self.switchboard), settings.etc / "prompts")
        site.numbers.services = plugins.services.keys
        await plugins.start(box)
        stack.push_async_callback(plugins.stop)
        stack.push_async_callback(box.tasks.stop)
        return box

    async def _connect(self, stack: AsyncExitStack, site: _Site, links: dict[Process, ProcessLink]) -> None:
        """Reach both processes and take over the calls that they have."""
        for link in links.values():
            task = asyncio.create_task(link.run(self._up, self._message, self._down), name=f"{link.process} link")
            stack.callback(task.cancel)
        await _wait(self._reported, ADOPT_S)
        adopted = await adopt(self.switchboard, site.store, self._snapshots, self._cleared_early)
        self._adopted = True
        self._cleared_early.clear()
        site.events.append(ProcessChanged("control", True))
        stack.callback(lambda: site.events.append(ProcessChanged("control", False)))
        log.info("%d calls go on from before the start", adopted)

    def _make_server(self, site: _Site, box: CoreBox) -> ApiServer:
        settings, plugins, events = self._settings, site.plugins, site.events
        view = LiveView(self._watch, plugins.live, version=version("onecall"), site=settings.site)
        methods = CoreMethods(
            view,
            events,
            self.switchboard,
            language=settings.language,
            store=lambda: _counters(site.store),
            api=lambda: server.counters(),
        )
        transfer = SiteTransfer(
            realm=settings.realm,
            etc=settings.etc,
            people=site.people,
            numbers=site.numbers,
            groups=site.groups,
            events=events,
            files=plugins.site_files,
            logged_in=view.logged_in,
        )

        async def diagnose(language: str = settings.language) -> list[Finding]:
            return await plugins.diagnose(box, language)

        server = ApiServer(
            settings.socket,
            core={
                **methods.table,
                **SiteMethods(site.people, site.numbers, transfer, view.logged_in).table,
                **SetupMethods(events).table,
                **TrunkMethods(self.switchboard.trunks).table,
                **SmsMethods(self._sms).table,
                "diagnose": diagnose,
                "leftover": self._leftover,
            },
            plugins=plugins.methods,
            view=view,
            events=events,
            group=settings.group,
        )
        return server

    async def _leftover(self) -> dict[str, int]:
        """What calls have left behind: all 0 while none is up."""
        return self.switchboard.leftover()

    # -- the links -----------------------------------------------------------------------------------------------------

    def _up(self, process: Process, snapshot: Snapshot) -> None:
        self._watch.process_changed(process, True)
        if self._adopted:  # a process that is back, or that comes too late for the adoption
            self.switchboard.clear_strangers(snapshot)
        else:
            self._snapshots[process] = snapshot
            if len(self._snapshots) == 2:
                self._reported.set()
        if process == "line":
            self._sms.line_up(snapshot)
        if process == "phone":
            self.switchboard.send("phone", self._phones.accounts())
            self.switchboard.send("phone", self._phones.remembered())
            self.switchboard.send("phone", SetSipTrunks(self._settings.sip_trunks))

    def _message(self, process: Process, message: Message) -> None:
        self._watch.handle(process, message)
        if isinstance(message, Cleared) and not self._adopted:
            self._cleared_early.setdefault(message.leg, message)
        if not self._phones.handle(message) and not self._sms.handle(message):
            self.switchboard.handle(process, message)

    def _down(self, process: Process) -> None:
        if self.switchboard.stopping:
            return  # we leave it, not it us: its calls go on until the next start
        self.switchboard.process_lost(process)
        if not self._adopted:  # what it reported is void: wait for it again
            self._snapshots.pop(process, None)
            self._reported.clear()
        if process == "phone":
            self._phones.lost()
        self._watch.process_changed(process, False)


def _music(etc: Path) -> list[PlayItem]:
    """The site's music on hold: every WAV in etc/music by name; without any, a quiet call-waiting tone."""
    files = sorted((etc / "music").glob("*.wav"))
    return [PlayItem("clip", str(path)) for path in files] or [PlayItem("tone", "call-waiting", None)]


def _counters(store: Store) -> dict[str, int]:
    return {"commits": store.commits, "failed": store.failed, "waiting": store.waiting}


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass
