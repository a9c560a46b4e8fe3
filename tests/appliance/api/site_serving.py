"""An API server that can also change people, numbers and the whole site, with real owners and files of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from appliance.api.live import LiveView
from appliance.api.methods import CoreMethods
from appliance.api.server import ApiServer
from appliance.api.setup_methods import SetupMethods
from appliance.api.site_methods import SiteMethods
from appliance.api.trunk_methods import TrunkMethods
from appliance.calls.plan import NumberingPlan
from appliance.calls.trunks import Trunks
from appliance.events.log import EventLog
from appliance.people.directory import Directory
from appliance.prompts import texts_in
from appliance.sitefiles import SiteFiles
from appliance.store.store import Store
from appliance.transfer import SiteTransfer
from tests.appliance.api.serving import Rows, Serving, plugin_rows, trunks_of

SERVICES = ("agent", "extension", "hangup", "menu", "queue")


class SiteServing(Serving):
    """The server and what stands behind it."""

    def __init__(
        self, folder: Path, events: EventLog, rows: Rows, server: ApiServer, trunks: Trunks, site: SiteTransfer
    ) -> None:
        super().__init__(folder / "api.sock", events, rows, server, trunks)
        self.folder, self.site = folder, site
        self.people, self.numbers = site._people, site._numbers
        #: How often a reader of files was told to look again.
        self.told: list[str] = []


@asynccontextmanager
async def serving_site(folder: Path, realm: str = "onecall") -> AsyncIterator[SiteServing]:
    """``folder``/etc has the files; agent 1001 is logged in."""
    (folder / "etc").mkdir(parents=True, exist_ok=True)
    store = await Store.open(folder / "onecall.db")
    events = await EventLog.open(store)
    people = await Directory.open(store, events, realm)
    numbers = await NumberingPlan.open(store, events)
    numbers.services = lambda: SERVICES
    rows = Rows()
    trunks = await trunks_of(store, events, rows)
    view = LiveView(rows, plugin_rows, version="1.2.3", site="测试站")
    told: list[str] = []
    kinds = [SiteFiles(pattern, texts_in, lambda: told.append("files")) for pattern in ("queues.toml", "menus/*.toml")]
    site = SiteTransfer(
        realm=realm, etc=folder / "etc", people=people, numbers=numbers, groups=trunks.groups, events=events,
        files=lambda: kinds,
        logged_in=view.logged_in,
    )  # fmt: skip
    core = {
        **CoreMethods(view, events, rows, language="zh", store=dict, api=dict).table,
        **SiteMethods(people, numbers, site, view.logged_in).table,
        **SetupMethods(events).table,
        **TrunkMethods(trunks).table,
    }
    server = ApiServer(folder / "api.sock", core=core, plugins={}, view=view, events=events, group="no such group")
    await server.start()
    served = SiteServing(folder, events, rows, server, trunks, site)
    served.told = told
    try:
        async with asyncio.timeout(20):
            yield served
    finally:
        await server.close()
        await store.close()


def run_site(folder: Path, work: Callable[[SiteServing], Awaitable[None]]) -> None:
    async def main() -> None:
        async with serving_site(folder) as served:
            await work(served)

    asyncio.run(main())
