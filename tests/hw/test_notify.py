"""The service manager's datagrams."""

from __future__ import annotations

import socket

import pytest

from hw.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_words_reach_the_manager(tmp_path, monkeypatch, abstract) -> None:
    address = f"@onecall-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind("\0" + address[1:] if abstract else address)
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notifier = Notifier()
    notifier.ready()
    notifier.alive()
    notifier.status("30 calls")
    notifier.stopping()
    assert [manager.recv(100) for _ in range(4)] == [b"READY=1", b"WATCHDOG=1", b"STATUS=30 calls", b"STOPPING=1"]
    manager.close()
    notifier.alive()  # the manager is gone: no harm


def test_without_a_manager_nothing_happens(monkeypatch) -> None:
    for address in ("", "relative/path", "/nowhere/at/all"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        Notifier().ready()
