"""What the package says of itself agrees with the rest of the tree; tests/box proves the package on machines."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from appliance.cli import build_parser

#: Libraries with C parts, and those that are the same in Debian 12 and 13: the package depends on Debian's.
FROM_DEBIAN = {
    "cffi": "python3-cffi-backend",
    "greenlet": "python3-greenlet",
    "MarkupSafe": "python3-markupsafe",
    "numpy": "python3-numpy",
    "pyserial": "python3-serial",
}
FOR_BUILDING = {"pycparser", "setuptools"}


def pinned(text: str) -> dict[str, str]:
    """Names, as the package index writes them in addresses, with versions."""
    found = re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_the_wheels_are_the_versions_that_are_tested(root: Path) -> None:
    tested = pinned((root / "requirements.txt").read_text(encoding="utf-8"))
    elsewhere = {name.lower() for name in (*FROM_DEBIAN, *FOR_BUILDING)}
    wheels = (root / "debian" / "wheels.txt").read_text(encoding="utf-8")
    assert pinned(wheels) == {name: version for name, version in tested.items() if name not in elsewhere}
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}$", wheels, re.MULTILINE)) == len(pinned(wheels))


def test_the_package_depends_on_the_libraries_that_it_does_not_carry(root: Path) -> None:
    control = (root / "debian" / "control").read_text(encoding="utf-8")
    depends = control.partition("Depends:\n espeak-ng")[2]
    assert [package for package in FROM_DEBIAN.values() if f" {package},\n" not in depends] == []


def test_every_wheel_has_its_licence_in_copyright(root: Path) -> None:
    copyright_ = (root / "debian" / "copyright").read_text(encoding="utf-8")
    wheels = (root / "debian" / "wheels.txt").read_text(encoding="utf-8")
    names = re.findall(r"^Comment: (\S+)$", copyright_, re.MULTILINE)
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in names} == set(pinned(wheels))


def test_package_and_program_have_one_version(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    first = (root / "debian" / "changelog").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"onecall ({project['version']}) ")


def test_the_packaged_settings_have_the_simulated_trunk_and_a_folder_of_the_phone_process(root: Path) -> None:
    command = ["sed", "-E", "-f", "debian/settings.sed", "etc/onecall.toml"]
    settings = tomllib.loads(subprocess.run(command, cwd=root, stdout=subprocess.PIPE, check=True).stdout.decode())
    assert settings["line"]["spans"] == [
        {"name": "e1", "driver": "sim", "signalling": "pri", "address": "/run/onecall/e1"}
    ]
    assert settings["phone"]["socket"] == settings["control"]["phone_socket"] == "/run/onecall-phone/link.sock"


def test_the_questions_lines_are_in_the_files_that_they_change(root: Path) -> None:
    postinst = (root / "debian" / "onecall.postinst").read_text(encoding="utf-8")
    settings = (root / "etc" / "onecall.toml").read_text(encoding="utf-8").splitlines()
    assert 's/^language = \\"zh\\"/' in postinst and 'language = "zh"' in settings
    assert 's/^outside_caller = \\"\\"/' in postinst and 'outside_caller = ""' in settings
    assert 's/^\\"95001\\" =/' in postinst
    assert '\n"95001" =' in (root / "etc" / "site.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["docs/install.md", "docs/install.zh.md"])
def test_the_installers_commands_exist(page: str, root: Path) -> None:
    text = (root / page).read_text(encoding="utf-8")
    used = re.findall(r"(?:^# |`)onecall ([a-z]+)( --help| [a-z]+)?", text, re.MULTILINE)
    help_ = build_parser(str).format_help()
    assert len({command for command, _ in used}) > 8
    assert [command for command, _ in used if not re.search(rf"^    {command} ", help_, re.MULTILINE)] == []


def test_both_guides_have_the_same_commands_and_settings(root: Path) -> None:
    def blocks(page: str) -> list[str]:
        text = (root / page).read_text(encoding="utf-8")
        lines = "".join(re.findall(r"```\w+\n(.*?)```", text, re.DOTALL)).splitlines()
        return [re.split(r"\s{4,}|   #", line.strip())[0] for line in lines]

    assert blocks("docs/install.md") == blocks("docs/install.zh.md")
