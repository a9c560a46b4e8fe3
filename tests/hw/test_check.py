"""The settings of both processes are checked before they are used."""

from pathlib import Path

import pytest

from hw import check


def test_the_packaged_settings_are_right(root: Path) -> None:
    assert check.main(["--config", str(root / "etc" / "onecall.toml")]) == 0


def test_each_fault_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "onecall.toml"
    config.write_text('[line]\nsocket = "/a"\nrtp_address = "0.0.0.0"\n[phone]\nsocket = "/b"\nlisten = ["sctp"]\n')
    assert check.main(["--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert "[line]: rtp_address" in said
    assert "[phone]: listen: 'sctp' is not udp:ADDRESS:PORT" in said
