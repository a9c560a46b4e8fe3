"""What the check of the serial ports finds, in the installer's language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from appliance.api import locale
from appliance.diagnosis import modems
from appliance.findings import told

ROOT = Path(__file__).resolve().parents[3]
CHECK = ROOT / "hw/line/serial/check.py"


def codes() -> set[str]:
    """Every code that the check can give: its constants of that form."""
    constants = (n.value for n in ast.walk(ast.parse(CHECK.read_text(encoding="utf-8"))) if isinstance(n, ast.Constant))
    return {"settings", *(str(text) for text in constants if re.fullmatch(r"(port|modem)\.[a-z_]+", str(text)))}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_fact_has_a_sentence_and_a_fault_says_what_to_do(language: locale.Language) -> None:
    translate = locale.translator(ROOT / "appliance/locale", "onecall", language)
    texts, english = modems.texts(translate), modems.texts(lambda text: text)
    assert codes() == set(texts)
    for code, (found, todo) in texts.items():
        assert bool(todo) == (code not in ("modem.voice", "modem.gsm")), code
        for text, original in zip((found, todo), english[code], strict=True):
            assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", original)
            assert language == "en" or not text or re.search("[一-鿿]", text), f"{code} is not translated"


def test_free_voice_modems_are_the_ones_to_choose_and_a_fact_becomes_a_finding() -> None:
    facts = [
        {"state": "ok", "code": code, "span": "", "values": {"port": f"/dev/{code}", "name": "ACME"}}
        for code in ("modem.voice", "modem.gsm", "port.busy", "modem.voice_perhaps", "port.silent")
    ]
    assert modems.voice_ports(facts) == ["/dev/modem.voice", "/dev/modem.voice_perhaps"]
    found = told({**facts[0], "span": "po1"}, modems.texts(str), "modems")
    assert (found.check, found.state) == ("modems.po1", "ok")
    assert found.found == "/dev/modem.voice: ACME: voice modem, both ways at once"
