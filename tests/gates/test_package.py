"""What the Debian package is made of is right where it can be told without building it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path


def test_the_packaged_settings_can_be_used_and_have_the_simulated_exchange_alone(root: Path, tmp_path: Path) -> None:
    sed = ["sed", "-E", "-f", root / "debian/settings.sed", root / "etc/onecall.toml"]
    config = tmp_path / "onecall.toml"
    config.write_bytes(subprocess.run(sed, stdout=subprocess.PIPE, check=True).stdout)
    check = [sys.executable, "-m", "hw.check", "--config", config]
    done = subprocess.run(check, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    tables = tomllib.loads(config.read_text(encoding="utf-8"))
    assert [(span["name"], span["driver"]) for span in tables["line"]["spans"]] == [("e1", "sim")]
    assert tables["phone"]["socket"] == "/run/onecall-phone/link.sock"
