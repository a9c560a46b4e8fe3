"""What the doctor says about the machine, with a real SIP port and a made-up /proc and /dev."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.diagnosis import machine, service
from appliance.diagnosis.lines import find
from appliance.findings import Finding
from appliance.settings import ControlSettings
from appliance.store.migrations import upgrade


def english(text: str) -> str:
    return text


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A UDP port that answers the first request; its number."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind(("127.0.0.1", 0))

        def serve() -> None:
            data, peer = end.recvfrom(4096)
            assert data.startswith(b"OPTIONS sip:127.0.0.1")
            end.sendto(answer, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield end.getsockname()[1]
        thread.join(5)


def test_a_port_that_answers_this_machine_only_is_a_warning() -> None:
    with answering(b"SIP/2.0 200 OK\r\n\r\n") as port:
        [found] = machine.sip([f"udp:127.0.0.1:{port}"], True, english)
    assert (found.state, found.check) == ("warn", "phones.udp")
    assert "to this machine only" in found.found
    assert "rtp_address" in found.todo


def test_a_port_where_something_else_answers_or_nobody_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"hello\r\n\r\n") as port:
        [found] = machine.sip([f"udp:127.0.0.1:{port}"], True, english)
        assert (found.state, found.todo) == ("fail", "systemctl status onecall-phone says why")
    [found] = machine.sip([f"tcp:127.0.0.1:{port}"], False, english)
    assert (found.state, found.todo) == ("fail", "systemctl start onecall.target")


def test_an_address_that_is_not_ours_is_told() -> None:
    [found] = machine.sip(["udp:192.0.2.1:5060"], True, english)
    assert (found.state, found.found) == ("fail", "192.0.2.1 is no address of this machine")


def test_cards_and_modems_are_found(tmp_path: Path) -> None:
    for folder in ("proc/dahdi", "dev/serial/by-id"):
        (tmp_path / folder).mkdir(parents=True)
    card = 'Span 1: WCT1/0 "Wildcard TE110P T1/E1 Card 0" (MASTER) HDB3/CCS'
    (tmp_path / "proc/dahdi/1").write_text(f"{card}\n\n  1 x\n")
    (tmp_path / "proc/dahdi/10").write_text("Span 10: other\n")
    (tmp_path / "proc/dahdi/2").write_text("")
    for name in ("ttyUSB0", "ttyUSB1", "ttyACM0", "ttyS0"):
        (tmp_path / "dev" / name).touch()
    (tmp_path / "dev/serial/by-id/usb-USR_5637").symlink_to("../../ttyACM0")
    found = find(tmp_path)
    assert found.cards == (card, "Span 2", "Span 10: other")
    names = [Path(path).name for path in found.serial]
    assert names == ["usb-USR_5637", "ttyUSB0", "ttyUSB1"]
    states = {one.check: one for one in machine.lines(found, ["sim"], "cn", english)}
    assert states["lines.card"].state == "warn"
    assert "the lines are simulated" in states["lines.card"].found
    assert states["lines.set"].state == "ok"
    assert [one.state for one in machine.lines(find(tmp_path / "none"), [], "mars", english)] == ["ok", "ok", "fail"]


def test_a_clock_behind_the_newest_event_is_a_fault() -> None:
    import time

    assert [one.check for one in machine.clock(time.time() - 1, english)] == ["clock.kept"]
    found = list(machine.clock(time.time() + 3600, english))[-1]
    assert (found.check, found.state) == ("clock.back", "fail")


def test_a_full_disk_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = ControlSettings(store=tmp_path / "not yet" / "onecall.db")
    states = []
    for free in (1e11, 1e9, 1e8):
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda _, free=free: type("", (), {"free": free})())
        states += [one.state for one in machine.disk(settings, english)]
    assert states == ["ok", "warn", "fail"]


def test_a_group_that_is_not_there_is_told_how_to_make() -> None:
    [found] = machine.group(ControlSettings(group="no-such-group"), english)
    assert found == Finding(
        "api.group", "warn", "there is no group no-such-group: only root can manage OneCall",
        "make it: groupadd --system no-such-group",
    )  # fmt: skip


def store_state(database: Path) -> Finding:
    [found] = service.store(database, [], english)
    return found


def test_a_store_is_sound_new_locked_or_damaged(tmp_path: Path) -> None:
    database = tmp_path / "onecall.db"
    assert store_state(database).state == "warn"
    upgrade(database)
    assert store_state(database).state == "ok"
    with sqlite3.connect(database) as connection:
        connection.execute("update version_core set version_num = 'core_9999'")
    connection.close()
    assert (store_state(database).state, "newer version" in store_state(database).found) == ("fail", True)
    database.write_bytes(b"not a database at all" * 1000)
    assert store_state(database).state == "fail"
