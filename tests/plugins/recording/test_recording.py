"""A talk is recorded from its first word to the contact's end; what a restart or a crash cuts off is found again."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from appliance.api.types import EventRow
from appliance.box import CoreBox
from appliance.calls.numbering import Number
from appliance.calls.services import core_services
from appliance.phones import Phones
from appliance.store.store import Store
from hw.messages import Cleared, Incoming, Record, Recorded, Refer
from plugins.recording import plugin, store
from plugins.recording.recorder import Recorder
from plugins.recording.settings import RecordingSettings
from tests.appliance.calls.desk import THEIRS, Desk, desk


class Studio:
    """The switchboard with the plugin; the line process, which would write the files, is played by the test."""

    def __init__(self, d: Desk, box: CoreBox) -> None:
        self.desk = d
        self.box = box

    async def talk(self, leg: str = "t1") -> tuple[str, Record]:
        """A caller talks with 8001; the contact and the command that began the recording."""
        before = len([m for m in self.desk.line.sent if isinstance(m, Record)])
        self.desk.caller("95002", leg=leg)
        await self.desk.agent_answers(after=before)
        record: Record = await self.desk.sent(Record, after=before)
        return (await self.event("recording.started", path=record.path)).contact, record

    def whole(self, record: Record, ms: int = 4200) -> None:
        self.desk.say("line", Recorded(record.recorder, record.path, ms))

    async def event(self, kind: str, **data: Any) -> EventRow:
        async with asyncio.timeout(5), self.desk.events.subscribe(kind) as coming:
            for row in await self.desk.events.rows(kind=kind):
                if data.items() <= row.data.items():
                    return row
            async for row in coming:
                if data.items() <= row.data.items():
                    return row
        raise AssertionError

    async def rows(self, contact: str) -> list[dict[str, Any]]:
        return await plugin.onecall_methods()["recordings.list"](contact=contact)


@asynccontextmanager
async def studio(path: Path, settings: str) -> AsyncIterator[Studio]:
    (path / "onecall.toml").write_text(settings)
    await (await Store.open(path / "test.db", [plugin.onecall_migrations()])).close()
    async with desk(path) as d:
        board = d.switchboard
        board.numbers = [Number("95002", "extension:8001")]
        board.plugins.register(plugin, "recording")
        board.plugins.collect(core_services(board), path / "prompts")
        phones = Phones(d.events, board.people, "onecall", board.now, board.telephones)
        box = CoreBox(
            config=path / "onecall.toml", etc=path, var=path, store=d.store, switchboard=board, phones=phones, sms=d.sms
        )
        await board.plugins.start(box)
        try:
            yield Studio(d, box)
        finally:
            await board.plugins.stop()


def run(path: Path, scenario: Callable[[Studio], Awaitable[None]], settings: str = "") -> None:
    async def main() -> None:
        async with studio(path, settings) as s:
            await scenario(s)

    asyncio.run(main())


def wav(path: Path, ms: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(4 * 8 * ms))


def test_a_talk_is_recorded_in_the_folder_of_its_day_and_listed(tmp_path: Path) -> None:
    async def scenario(s: Studio) -> None:
        contact, record = await s.talk()
        assert record.port == "t1"
        folder = Path(record.path).relative_to(tmp_path / "recordings")
        assert folder.name == f"{contact}-1.wav"
        assert [len(part) for part in folder.parts[:-1]] == [4, 2, 2]
        assert Path(record.path).parent.is_dir()
        [row] = await s.rows(contact)
        assert (row["path"], row["ms"], row["reason"]) == (record.path, None, "")
        s.desk.say("line", Cleared("t1", 16, "far"))
        s.whole(record)
        made = await s.event("recording.made", path=record.path, ms=4200)
        assert made.contact == contact
        [row] = await s.rows(contact)
        assert row["ms"] == 4200

    run(tmp_path, scenario)


def test_one_recording_goes_on_through_a_transfer(tmp_path: Path) -> None:
    async def scenario(s: Studio) -> None:
        contact, _ = await s.talk()
        agent = s.desk.switchboard.calls[contact].legs[1]
        s.desk.say("phone", Refer(agent.id, "8002"))
        await s.desk.agent_answers(after=1)
        await s.event("contact.bridged", number="8002")
        s.desk.say("line", Cleared("t1", 16, "far"))
        await s.event("contact.ended")
        assert len([m for m in s.desk.line.sent if isinstance(m, Record)]) == 1
        assert len(await s.rows(contact)) == 1

    run(tmp_path, scenario)


def test_a_failed_recording_is_an_event_with_its_reason(tmp_path: Path) -> None:
    async def scenario(s: Studio) -> None:
        contact, record = await s.talk()
        s.desk.say("line", Recorded(record.recorder, record.path, 0, "no space left on device"))
        await s.event("recording.failed", path=record.path, reason="no space left on device")
        [row] = await s.rows(contact)
        assert (row["ms"], row["reason"]) == (None, "no space left on device")

    run(tmp_path, scenario)


def test_a_folder_that_cannot_be_made_fails_the_recording_and_not_the_call(tmp_path: Path) -> None:
    async def scenario(s: Studio) -> None:
        s.desk.caller("95002")
        await s.desk.agent_answers()
        failed = await s.event("recording.failed")
        assert failed.data["reason"].startswith("the folder cannot be made")
        assert s.desk.switchboard.calls[failed.contact].state == "talking"

    (tmp_path / "taken").write_text("a file")
    run(tmp_path, scenario, '[recording]\nfolder = "taken"\n')


def test_talks_between_our_phones_are_recorded_only_where_the_site_wants_it(tmp_path: Path) -> None:
    for wanted in (False, True):
        folder = tmp_path / str(wanted)
        folder.mkdir()

        async def scenario(s: Studio, wanted: bool = wanted) -> None:
            s.desk.say("phone", Incoming("p1", "phones", "8001", "8002", media=THEIRS))
            await s.desk.agent_answers()
            await s.event("contact.bridged")
            if wanted:
                await s.event("recording.started")
            else:
                s.desk.say("phone", Cleared("p1", 16, "far"))
                await s.event("contact.ended")
            assert len([m for m in s.desk.line.sent if isinstance(m, Record)]) == wanted

        run(folder, scenario, f"[recording]\ninternal = {str(wanted).lower()}\n")


def test_nothing_is_recorded_when_recording_is_off(tmp_path: Path) -> None:
    async def scenario(s: Studio) -> None:
        s.desk.caller("95002")
        await s.desk.agent_answers()
        await s.event("contact.bridged")
        s.desk.say("line", Cleared("t1", 16, "far"))
        await s.event("contact.ended")
        assert not [m for m in s.desk.line.sent if isinstance(m, Record)]

    run(tmp_path, scenario, "[recording]\nenabled = false\n")


@pytest.mark.parametrize("told", [True, False], ids=["talking meanwhile", "alone meanwhile"])
def test_a_recording_goes_on_over_a_restart_of_the_control_process(tmp_path: Path, told: bool) -> None:
    async def scenario(s: Studio) -> None:
        contact, record = await s.talk()
        call = s.desk.switchboard.calls[contact]
        await plugin.onecall_stop()
        await plugin.onecall_start(s.box)  # type: ignore[arg-type]
        if told:
            await plugin.onecall_adopted(call)
        await plugin.onecall_bridged(call, call.legs[1])
        await plugin.onecall_bridged(call, call.legs[1])
        assert len([m for m in s.desk.line.sent if isinstance(m, Record)]) == 1
        s.whole(record, 9000)
        await s.event("recording.made", path=record.path, ms=9000)

    run(tmp_path, scenario)


def test_recordings_that_ended_unheard_are_found_or_reported_lost(tmp_path: Path) -> None:
    async def scenario(s: Studio) -> None:
        there, lost, late = (str(tmp_path / f"{name}.wav") for name in ("there", "lost", "late"))
        await s.desk.store.save(*(store.started(path, f"c-{Path(path).stem}", 1.0) for path in (there, lost, late)))
        await s.desk.store.save(store.failed(late, "the line process is gone"))
        wav(Path(there), 1500)
        recorder = Recorder(s.box, RecordingSettings())  # type: ignore[arg-type]
        await recorder.reconcile()
        assert (await s.event("recording.made", ms=1500)).contact == "c-there"
        assert (await s.event("recording.failed")).contact == "c-lost"
        wav(Path(late), 800)
        await recorder.reconcile()
        assert (await s.event("recording.made", ms=800)).contact == "c-late"
        assert len(await s.desk.events.rows(kind="recording.")) == 3

    run(tmp_path, scenario)


def test_the_table_is_what_the_migrations_make(tmp_path: Path) -> None:
    async def main() -> None:
        await (await Store.open(tmp_path / "a.db", [plugin.onecall_migrations()])).close()

    asyncio.run(main())
    with create_engine(f"sqlite:///{tmp_path / 'a.db'}").connect() as connection:
        ours = {"include_name": lambda name, kind, _: kind != "table" or name == "recording"}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), store.metadata) == []
