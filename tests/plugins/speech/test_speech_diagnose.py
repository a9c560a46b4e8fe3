"""The doctor's question to the speech: one prompt is said and measured, by the real engine."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from appliance.plugin import Finding, structure
from plugins.speech import plugin
from plugins.speech.audio import RATE, levelled, write_wav


class Place:
    """The settings and prompts of a site."""

    language = "zh"

    def __init__(self, folder: Path, prompts: Mapping[str, str], **settings: Any) -> None:
        self.etc, self.var = folder / "etc", folder / "var"
        self.prompts = {"zh": prompts}
        self._settings = settings

    def settings(self, table: str, kind: type[Any]) -> Any:
        return structure(self._settings, kind, table)


def found(place: Place, language: str = "en") -> Finding:
    [finding] = asyncio.run(plugin.onecall_diagnose(place, language))  # type: ignore[arg-type]
    return finding


HELLO = {"a.waiting": "还有{count}位。", "b.hello": "您好，欢迎致电。"}


@pytest.mark.judge("espeak-ng")
def test_a_prompt_that_is_said_is_measured_and_nothing_is_left(tmp_path: Path) -> None:
    finding = found(Place(tmp_path, HELLO))
    assert (finding.check, finding.state) == ("speech.prompt", "ok")
    assert finding.found == "b.hello is said at -16 dBm0 (set: -16)"
    assert found(Place(tmp_path, HELLO), "zh").found == "b.hello 合成正常，电平 -16 dBm0（设定 -16）"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_engine_is_a_fault_with_what_to_do(tmp_path: Path) -> None:
    finding = found(Place(tmp_path, HELLO, program="/nowhere/espeak-ng"))
    assert finding.state == "fail"
    assert "/nowhere/espeak-ng" in finding.found
    assert "install espeak-ng" in finding.todo


def test_a_recorded_clip_that_is_too_quiet_is_told(tmp_path: Path) -> None:
    import numpy as np

    tone = 1000 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)
    (tmp_path / "etc/prompts/zh").mkdir(parents=True)
    (tmp_path / "etc/prompts/zh/b.hello.wav").write_bytes(write_wav(levelled(tone, -40)))
    finding = found(Place(tmp_path, HELLO))
    assert finding.state == "warn"
    assert finding.found == "b.hello is said at -40 dBm0 (set: -16)"


def test_a_site_without_prompts_is_a_fault(tmp_path: Path) -> None:
    assert found(Place(tmp_path, {})).state == "fail"
