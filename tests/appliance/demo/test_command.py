"""The demo as a command: it leaves nothing running, however it ends, and no two share a folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DEMO = [sys.executable, "-m", "appliance.cli", "demo", "--headless", "--sip-port", "0"]


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A demo in ``folder``, started; killed at the end if it still runs."""
    command = [*DEMO, "--dir", str(folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until_callers_come(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if "to go" in line:
            return
    raise AssertionError("the demo ended before it began")


def processes_of(folder: Path) -> list[int]:
    """Processes that were started with this folder's settings."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder / "onecall.toml") in command:
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_is_left_when_the_demo_is_ended_or_killed(tmp_path: Path, how: signal.Signals) -> None:
    with demo(tmp_path, "--seconds", "60") as process:
        until_callers_come(process)
        assert len(processes_of(tmp_path)) >= 4  # one may just be starting espeak-ng
        os.kill(process.pid, how)
        process.wait(20)
        end = time.monotonic() + 20
        while processes_of(tmp_path) and time.monotonic() < end:
            time.sleep(0.05)
        assert processes_of(tmp_path) == []


def test_a_second_demo_in_one_folder_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", "60") as first:
        until_callers_come(first)
        with demo(tmp_path, "--seconds", "1") as second:
            _, said = second.communicate(timeout=20)
            assert second.returncode == 2 and "runs in" in said and "--dir" in said
        assert len(processes_of(tmp_path)) >= 4  # one may just be starting espeak-ng


@pytest.mark.requirement("A1.02")
@pytest.mark.time_limit(120)
def test_the_simulated_site_judges_its_own_audio_and_leaves_nothing_over(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", "22", "--json", "--calls-per-hour", "2400", "--talk", "5") as process:
        out, said = process.communicate(timeout=110)
    figures = json.loads(out)
    assert process.returncode == 0, said
    assert figures["audio"]["checked"] == figures["audio"]["right"] >= 8, said
    assert figures["leftover"]["total"] == 0
    assert figures["offered"] >= figures["answered"] >= figures["bridged"] > 0
    assert set(figures) == {
        "offered", "answered", "bridged", "abandoned", "blocked", "ring_ms", "answer_ms", "audio", "tick_late_ms",
        "cpu_s", "leftover",
    }  # fmt: skip
