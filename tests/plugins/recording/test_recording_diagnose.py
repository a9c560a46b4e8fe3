"""The doctor's question to the recording: can it write, and for how long."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from appliance.plugin import Finding, structure
from plugins.recording import diagnose, plugin


class Place:
    """The settings of a site."""

    def __init__(self, var: Path, **settings: Any) -> None:
        self.var = var
        self._settings = settings

    def settings(self, table: str, kind: type[Any]) -> Any:
        return structure(self._settings, kind, table)


def found(place: Place, language: str = "en") -> Finding:
    [finding] = asyncio.run(plugin.onecall_diagnose(place, language))  # type: ignore[arg-type]
    return finding


@pytest.mark.parametrize(("hours", "state"), [(1000, "ok"), (40, "warn"), (4, "fail")])
def test_room_is_told_in_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int, state: str) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=hours * 3600 * 32_000)
    monkeypatch.setattr(diagnose.shutil, "disk_usage", lambda _: usage)
    finding = found(Place(tmp_path))
    assert (finding.check, finding.state) == ("recording.folder", state)
    assert finding.found == f"{tmp_path / 'recordings'}: room for {hours} hours"
    assert bool(finding.todo) == (state != "ok")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(diagnose.tempfile, "TemporaryFile", refused)
    finding = found(Place(tmp_path), "zh")
    assert finding.state == "fail"
    assert finding.todo == f"让服务的用户可以写入：chown onecall: {tmp_path}"


def test_that_nothing_is_recorded_is_told(tmp_path: Path) -> None:
    finding = found(Place(tmp_path, enabled=False))
    assert (finding.state, "not recorded" in finding.found) == ("warn", True)
