"""What the check of the trunk cards finds, in the installer's language."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from appliance import cli
from appliance.api import locale
from appliance.diagnosis import cards
from appliance.findings import told

ROOT = Path(__file__).resolve().parents[3]
CHECK = ROOT / "hw/line/dahdi/check.py"
CONFIG = """
[control]
var = "{0}"

[line]
socket = "{0}/line.sock"

[[line.spans]]
name = "e1"
driver = "dahdi"
dahdi = {{ span = 1 }}
"""


def codes() -> set[str]:
    """Every code that the check can give: the constants of its ``Fact(...)``, and the kinds of alarms."""
    found = set()
    for node in ast.walk(ast.parse(CHECK.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="Fact"), args=[_, code, *_]):
                found |= {n.value for n in ast.walk(code) if isinstance(n, ast.Constant) and "." in str(n.value)[:-1]}
            case ast.GeneratorExp(generators=[ast.comprehension(iter=ast.Tuple(elts=kinds))]):
                found |= {f"span.alarm.{kind.value.lower()}" for kind in kinds if isinstance(kind, ast.Constant)}
    return found - {"span.alarm."} | {"settings", "span.alarm.red"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_fact_has_a_sentence_and_a_fault_says_what_to_do(language: locale.Language) -> None:
    translate = locale.translator(ROOT / "appliance/locale", "onecall", language)
    texts, english = cards.texts(translate), cards.texts(lambda text: text)
    assert codes() == set(texts)
    for code, (found, todo) in texts.items():
        assert bool(todo) == (code not in ("module.loaded", "span.ok")), code
        for text, original in zip((found, todo), english[code], strict=True):
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", original))
            assert language == "en" or not text or re.search("[一-鿿]", text), f"{code} is not translated"


def test_a_fact_becomes_a_finding_of_its_line() -> None:
    fact = {"state": "fail", "code": "span.alarm.los", "span": "e1", "values": {"alarm": "RED/LOS"}}
    found = told(fact, cards.texts(str), "cards")
    assert (found.check, found.state, found.found) == ("cards.e1", "fail", "alarm RED/LOS: no signal comes")
    assert "receive and transmit pair" in found.todo


@pytest.mark.skipif(Path("/dev/dahdi/ctl").exists(), reason="this machine has DAHDI")
def test_lines_check_tells_an_installer_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "onecall.toml"
    config.write_text(CONFIG.format(tmp_path), encoding="utf-8")
    assert cli.main(["lines", "check", "--config", str(config), "--lang", "zh"]) == 1
    assert "DAHDI 模块" in capsys.readouterr().out
    assert cli.main(["lines", "check", "--config", str(config), "--lang", "en", "--json"]) == 1
    [found] = json.loads(capsys.readouterr().out)
    assert (found["check"], found["state"]) == ("cards", "fail")
    assert "apt install dahdi-dkms" in found["todo"] or "modprobe" in found["todo"]
    config.write_text(CONFIG.format(tmp_path).partition("[[")[0], encoding="utf-8")
    cli.main(["lines", "check", "--config", str(config), "--lang", "en", "--json"])
    unused = json.loads(capsys.readouterr().out)[0]
    assert (unused["check"], unused["state"], unused["found"]) == ("cards", "warn", found["found"])


def test_lines_conf_is_dahdis_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "onecall.toml"
    config.write_text(CONFIG.format(tmp_path), encoding="utf-8")
    assert cli.main(["lines", "conf", "--config", str(config)]) == 0
    assert "span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16\n" in capfd.readouterr().out
