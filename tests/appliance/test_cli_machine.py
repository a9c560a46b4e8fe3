"""``onecall backup``, ``restore``, ``doctor``, ``lines`` and ``setup`` as a user types them, without a service."""

import asyncio
import io
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance import cli
from appliance.api import locale
from appliance.diagnosis.lines import Found
from appliance.setup import zones
from appliance.setup.lines import Modem, use_lines
from appliance.store.migrations import upgrade
from hw.line.serial.gsm import GsmTrunk
from hw.line.serial.port import SerialPort
from hw.line.serial.settings import GsmSettings, SerialSettings
from hw.line.settings import LineSettings
from hw.settings import load
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.gsm_radio import GsmSettings as ModuleSettings
from hw.zones import ZONES


@pytest.fixture(autouse=True)
def _no_language_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(locale.VARIABLE, raising=False)


@pytest.fixture
def config(tmp_path: Path, root: Path) -> Path:
    """The packaged settings with the places of a test, and a store that was begun."""
    text = (root / "etc" / "onecall.toml").read_text(encoding="utf-8")
    for place in ("/run/onecall", "/var/lib/onecall", "/etc/onecall"):
        (tmp_path / place[1:]).mkdir(parents=True)
        text = text.replace(f'"{place}', f'"{tmp_path}{place}')
    upgrade(tmp_path / "var/lib/onecall/onecall.db")
    file = tmp_path / "etc/onecall/onecall.toml"
    file.write_text(text.replace(":5060", ":0"), encoding="utf-8")
    return file


def onecall(config: Path, *words: str) -> int:
    return cli.main([*words, "--config", str(config), "--lang", "en"])


@pytest.mark.requirement("A9.10")
def test_a_backup_is_made_checked_and_put_back(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = config.parents[2] / "site.tar"
    assert onecall(config, "backup", str(file)) == 0
    assert "100 %" in capsys.readouterr().err
    before = config.read_text(encoding="utf-8")
    config.write_text("broken")
    assert onecall(config, "restore", str(file), "--check") == 0
    assert config.read_text() == "broken"
    assert onecall(config, "restore", str(file)) == 1
    assert "Nothing was changed." in capsys.readouterr().err
    assert onecall(config, "restore", str(file), "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["files"] == 2
    assert config.read_text(encoding="utf-8") == before


def test_a_backup_that_cannot_be_is_a_sentence(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert onecall(config, "backup", str(config.parent / "none" / "site.tar")) == 1
    assert "the backup cannot be made" in capsys.readouterr().err
    assert onecall(config, "restore", str(config), "--yes") == 1
    assert "cannot be read" in capsys.readouterr().err


def test_the_doctor_says_that_the_service_is_down_and_looks_at_the_rest(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert onecall(config, "doctor", "--json") == 1
    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["service"]["state"] == "fail"
    assert found["service"]["todo"] == "systemctl start onecall.target"
    assert found["settings"]["state"] == found["store.file"]["state"] == "ok"
    assert found["lines.zone"]["found"] == "zone: cn (China)"
    assert found["recording.folder"]["state"] in ("ok", "warn", "fail")
    assert found["speech.prompt"]["state"] == "ok", found["speech.prompt"]
    assert cli.main(["doctor", "--config", str(config)]) == 1
    shown = capsys.readouterr()
    assert "故障" in shown.out
    assert "→ 执行：systemctl start onecall.target" in shown.out


def test_the_doctor_names_the_key_that_is_wrong(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text(encoding="utf-8").replace("rtp_silence_ms = 5000", "rtp_silence_ms = 5"))
    assert onecall(config, "doctor") == 1
    assert "[line]: 'rtp_silence_ms'" in capsys.readouterr().out


def test_the_doctor_names_the_zones_when_the_one_in_the_file_is_none(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text(encoding="utf-8").replace('zone = "cn"', 'zone = "mars"'), encoding="utf-8")
    assert onecall(config, "doctor") == 1
    assert "'mars' is no zone (there are cn, hk, tw, sg, us, uk, de, fr)" in capsys.readouterr().out


def test_every_zone_has_a_name_in_both_languages() -> None:
    english, chinese = (
        zones.titles(locale.catalogue(Path(cli.__file__).parent, "onecall", language)) for language in ("en", "zh")
    )
    assert list(english) == list(chinese) == list(ZONES)
    assert all(english[name] != chinese[name] for name in ZONES)


@pytest.mark.parametrize("words", [["lines"], ["lines", "check"], ["lines", "use", "sim", "--yes"], ["setup", "--yes"]])
def test_a_settings_file_that_is_no_toml_is_a_sentence_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    broken = tmp_path / "onecall.toml"
    broken.write_text("[line\n", encoding="utf-8")
    assert cli.main([*words, "--config", str(broken)]) == 1
    assert f"onecall: {broken}: not TOML: Expected ']'" in capsys.readouterr().err


def test_lines_are_changed_only_when_asked_and_answered(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = config.read_text(encoding="utf-8")
    assert onecall(config, "lines", "use", "sim") == 1
    assert "Nothing was changed." in capsys.readouterr().err
    assert config.read_text(encoding="utf-8") == before
    assert onecall(config, "lines", "use", "sim", "--yes") == 0
    assert tomllib.loads(config.read_text(encoding="utf-8"))["line"]["spans"][0]["driver"] == "sim"
    assert config.with_name("onecall.toml.old").read_text(encoding="utf-8") == before
    assert onecall(config, "lines", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["spans"][0]["driver"] == "sim"
    with pytest.raises(SystemExit):
        onecall(config, "lines", "use", "carrier-pigeon")


def test_voice_modems_become_lines_and_without_any_nothing_is_changed(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = config.read_text(encoding="utf-8")
    monkeypatch.setattr("appliance.diagnosis.lines.find", lambda: Found((), ()))
    assert onecall(config, "lines", "use", "modem", "--yes") == 1
    assert "no voice modem was found" in capsys.readouterr().err
    assert config.read_text(encoding="utf-8") == before
    ports = ("/dev/serial/by-id/usb-A-if00", "/dev/serial/by-id/usb-B-if00")
    named = ("lines", "use", "modem", "--yes", "--port", ports[0], "--port", ports[1])
    assert onecall(config, *named) == 1
    assert "needs the number that callers dial" in capsys.readouterr().err
    assert onecall(config, *named, "--number", "62310001") == 0
    spans = tomllib.loads(config.read_text(encoding="utf-8"))["line"]["spans"]
    assert [(span["name"], span["driver"], span["signalling"]) for span in spans] == [
        ("po1", "serial", "voicemodem"), ("po2", "serial", "voicemodem"),
    ]  # fmt: skip
    assert [span["serial"]["port"] for span in spans] == list(ports)
    assert {span["voicemodem"]["number"] for span in spans} == {"62310001"}


@pytest.mark.requirement("A9.16")
def test_a_gsm_module_that_is_found_becomes_a_line_that_comes_up_beside_a_voice_modem(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, audio = (str(tmp_path / f"usb-Quectel_EC20-if{interface}-port0") for interface in ("02", "01"))
    for name, port in ((at, "module.at"), (audio, "module.pcm")):
        Path(name).symlink_to(tmp_path / port)
    modem, unclear = str(tmp_path / "modem.tty"), str(tmp_path / "other.at")
    far = [
        ExchangeSpanSettings(str(tmp_path / "modem"), signalling="voicemodem"),
        ExchangeSpanSettings(str(tmp_path / "module"), signalling="gsm", gsm=ModuleSettings(pcm="quectel")),
        ExchangeSpanSettings(str(tmp_path / "other"), signalling="gsm"),
    ]
    exchange = Exchange(ExchangeSettings(far))
    monkeypatch.setattr("appliance.diagnosis.lines.find", lambda: Found((), (at, audio, modem, unclear)))

    async def main() -> None:
        await exchange.start()
        async with asyncio.timeout(25):
            holder, opened = SerialPort(audio), asyncio.Event()  # a port in use is not waited for
            holder.open(lambda _data: None, lambda _alarm: opened.set())
            await opened.wait()
            words = ("lines", "use", "modem", "--yes", "--number", "62310001")
            assert await asyncio.to_thread(onecall, config, *words) == 0
            await holder.close()
            po1, gsm1 = load(config, "line", LineSettings).spans
            assert (po1.signalling, po1.serial, po1.voicemodem.number) == (
                "voicemodem", SerialSettings(modem), "62310001",
            )  # fmt: skip
            assert (gsm1.serial, gsm1.gsm) == (SerialSettings(at), GsmSettings(audio, "quectel", "62310001"))
            trunk, up = GsmTrunk(gsm1), asyncio.Event()
            await trunk.start(lambda _event: up.set() if trunk.state().up else None)
            await up.wait()
            await trunk.close()
        await exchange.close()

    asyncio.run(main())
    said = capsys.readouterr().err
    assert f"{unclear}: SIMCOM INCORPORATED SIMCOM_SIM7600CE: GSM module with voice; which of its ports" in said
    assert "pcm = 'simcom'" in said


def test_a_gsm_module_needs_no_number_its_sim_may_know_it() -> None:
    text = use_lines("[line]\n", "modem", modems=[Modem("/dev/at", "/dev/audio", "quectel")])
    assert tomllib.loads(text)["line"]["spans"] == [
        {"name": "gsm1", "driver": "serial", "signalling": "gsm", "serial": {"port": "/dev/at"},
         "gsm": {"audio": "/dev/audio", "pcm": "quectel"}},
    ]  # fmt: skip


@pytest.mark.requirement("A9.16")
def test_all_that_the_cards_have_becomes_lines_and_says_which_numbers_its_ports_have(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def found(signalling: str) -> list[dict[str, Any]]:
        asked.append(signalling)
        return [
            {"name": "e1", "driver": "dahdi", "signalling": signalling, "dahdi": {"span": 1, "timing": 1}},
            {"name": "fxs2", "driver": "dahdi", "signalling": "fxs", "channels": [1, 2], "dahdi": {"span": 2},
             "loop": {"numbers": ["7201", "7202"]}},
        ]  # fmt: skip

    monkeypatch.setattr("appliance.diagnosis.cards.found", found)
    assert onecall(config, "lines", "use", "dahdi", "--signalling", "r2", "--yes") == 0
    said = capsys.readouterr().err
    assert "e1: dahdi, r2" in said and "its ports have the numbers 7201, 7202" in said
    spans = tomllib.loads(config.read_text(encoding="utf-8"))["line"]["spans"]
    assert (spans, asked) == (found("r2"), ["r2"] * 2)
    assert onecall(config, "setup", "--signalling", "pri", "--yes") == 0
    spans = tomllib.loads(config.read_text(encoding="utf-8"))["line"]["spans"]
    assert [span["signalling"] for span in spans] == ["pri", "fxs"]
    assert onecall(config, "setup", "--lines", "sim", "--signalling", "r2", "--yes") == 1
    assert "--signalling: no line has it" in capsys.readouterr().err
    assert onecall(config, "setup", "--lines", "sim", "--yes") == 0
    assert onecall(config, "setup", "--lines", "dahdi", "--signalling", "r2", "--yes") == 0
    assert tomllib.loads(config.read_text(encoding="utf-8"))["line"]["spans"] == found("r2")


def test_without_a_card_its_first_span_is_named_with_the_signalling_that_was_chosen(config: Path) -> None:
    assert onecall(config, "lines", "use", "dahdi", "--signalling", "r2", "--yes") == 0
    [span] = tomllib.loads(config.read_text(encoding="utf-8"))["line"]["spans"]
    assert span == {"name": "e1", "driver": "dahdi", "signalling": "r2", "dahdi": {"span": 1}}


def test_setup_changes_what_is_given_and_keeps_comments(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = config.read_text(encoding="utf-8")
    words = ("--site", "浦东客服", "--language", "en", "--address", "192.0.2.7", "--lines", "sim", "--zone", "hk")
    assert onecall(config, "setup", *words, "--number", "95009", "--yes") == 0
    said = capsys.readouterr().err
    assert "onecall numbers add 95009 menu:main" in said
    assert "systemctl restart onecall.target" in said
    after = config.read_text(encoding="utf-8")
    tables = tomllib.loads(after)
    assert (tables["control"]["site"], tables["control"]["language"]) == ("浦东客服", "en")
    assert (tables["line"]["rtp_address"], tables["line"]["zone"]) == ("192.0.2.7", "hk")
    assert tables["phone"]["listen"] == ["udp:192.0.2.7:0", "tcp:192.0.2.7:0"]
    assert {line for line in before.splitlines() if line.startswith("#")} <= set(after.splitlines())


def test_setup_asks_at_a_terminal_until_the_answer_can_be(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = ["浦东客服", "", "mars", "tw", "192.0.2.300", "192.0.2.7", "-", "sim", "", "y"]
    monkeypatch.setattr("sys.stdin", Terminal("\n".join(answers) + "\n"))
    assert onecall(config, "setup") == 0
    said = capsys.readouterr().err
    assert "'192.0.2.300' is no IPv4 address" in said
    assert "(cn China, hk Hong Kong, tw Taiwan, " in said and "'mars' must be one of cn, hk, tw" in said
    tables = tomllib.loads(config.read_text(encoding="utf-8"))
    control = tables["control"]
    assert (control["site"], control["language"], control["outside_prefix"]) == ("浦东客服", "zh", "")
    assert (tables["line"]["rtp_address"], tables["line"]["spans"][0]["driver"]) == ("192.0.2.7", "sim")
    assert tables["line"]["zone"] == "tw"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--lines", "carrier-pigeon", "--yes"), "'carrier-pigeon' must be one of"),
        (("--address", "0.0.0.0", "--yes"), "must be one address"),
        (("--language", "fr", "--yes"), "must be one of zh, en"),
        (("--number", "12a", "--yes"), "2 to 15 digits"),
        (("--zone", "mars", "--yes"), "must be one of cn, hk"),
        ((), "Nobody is at the terminal"),
    ],
)
def test_a_wrong_answer_changes_nothing(
    config: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    before = config.read_text(encoding="utf-8")
    assert onecall(config, "setup", *words) == 1
    assert says in capsys.readouterr().err
    assert config.read_text(encoding="utf-8") == before


def test_a_file_that_the_processes_could_not_use_never_takes_the_old_ones_place(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = config.read_text(encoding="utf-8").replace("rtp_silence_ms = 5000", "rtp_silence_ms = 5")
    config.write_text(before, encoding="utf-8")
    assert onecall(config, "setup", "--site", "x", "--yes") == 1
    assert f"{config}: [line]: 'rtp_silence_ms'" in capsys.readouterr().err
    assert config.read_text(encoding="utf-8") == before
    assert sorted(path.name for path in config.parent.iterdir()) == ["onecall.toml"]
