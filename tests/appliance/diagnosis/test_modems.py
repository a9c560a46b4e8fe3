"""What the check of the serial ports finds, in the installer's language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from appliance.api import locale
from appliance.diagnosis import modems
from appliance.findings import told
from appliance.setup.lines import Modem

ROOT = Path(__file__).resolve().parents[3]
CHECK = ROOT / "hw/line/serial/check.py"


def codes() -> set[str]:
    """Every code that the check can give: its constants of that form."""
    constants = (n.value for n in ast.walk(ast.parse(CHECK.read_text(encoding="utf-8"))) if isinstance(n, ast.Constant))
    return {"settings", *(str(text) for text in constants if re.fullmatch(r"(port|modem|sim)\.[a-z_]+", str(text)))}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_fact_has_a_sentence_and_a_fault_says_what_to_do(language: locale.Language) -> None:
    translate = locale.translator(ROOT / "appliance/locale", "onecall", language)
    texts, english = modems.texts(translate), modems.texts(lambda text: text)
    assert codes() == set(texts)
    for code, (found, todo) in texts.items():
        content = ("modem.voice", "modem.gsm", "modem.gsm_second", "port.audio")
        assert bool(todo) == (code not in content), code
        for text, original in zip((found, todo), english[code], strict=True):
            assert sorted(re.findall(r"\{\w+[!r]*\}", text)) == sorted(re.findall(r"\{\w+[!r]*\}", original))
            assert language == "en" or not text or re.search("[一-鿿]", text), f"{code} is not translated"


def test_free_modems_and_modules_with_a_known_audio_port_are_the_ones_to_choose_and_a_fact_becomes_a_finding() -> None:
    facts = [
        {"state": "ok", "code": code, "span": "", "values": {"port": f"/dev/{code}", "name": "ACME", **more}}
        for code, more in (
            ("modem.voice", {}), ("modem.gsm", {"audio": "/dev/pcm", "pcm": "quectel"}), ("port.busy", {}),
            ("modem.voice_perhaps", {}), ("port.silent", {}), ("modem.gsm_ports", {"pcm": "simcom"}),
        )
    ]  # fmt: skip
    assert modems.usable(facts) == [
        Modem("/dev/modem.voice"), Modem("/dev/modem.gsm", "/dev/pcm", "quectel"), Modem("/dev/modem.voice_perhaps"),
    ]  # fmt: skip
    [left] = modems.unclear(facts, str)
    assert "/dev/modem.gsm_ports" in left.found
    assert "'simcom'" in left.todo
    found = told({**facts[0], "span": "po1"}, modems.texts(str), "modems")
    assert (found.check, found.state) == ("modems.po1", "ok")
    assert found.found == "/dev/modem.voice: ACME: voice modem, both ways at once"
