"""The documents are true where a machine can tell: links lead somewhere, commands and folders exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from appliance.pluginmanager import Plugins

PAGES = ("README.md", "CHANGELOG.md", "docs/architecture.md", "docs/plugins.md", "docs/requirements.md")


def commands(page: str) -> list[list[str]]:
    """Command lines in a page's fenced sh blocks, split into words."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [line.split() for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str, root: Path) -> None:
    text = (root / page).read_text(encoding="utf-8")
    links = {link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if not link.startswith("http")}
    assert [link for link in links if not (root / page).parent.joinpath(link).exists()] == []


def test_the_scripts_in_the_readme_can_be_run(root: Path) -> None:
    words = [word for line in commands((root / "README.md").read_text(encoding="utf-8")) for word in line]
    scripts = {word for word in words if word.startswith(("./", "scripts/", ".ci/"))}
    assert {"./run", "./test"} <= scripts
    assert [script for script in scripts if not os.access(root / script, os.X_OK)] == []


def test_the_onecall_commands_in_the_readme_exist(root: Path) -> None:
    lines = [line for line in commands((root / "README.md").read_text(encoding="utf-8")) if line[0].endswith("onecall")]
    for line in lines:
        command = [sys.executable, "-m", "appliance.cli", *line[1:2], "--help"]
        assert subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL).returncode == 0, line


def test_every_folder_in_the_readme_exists(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `([\w./]+/)`", readme, re.MULTILINE)
    assert "appliance/" in rooms
    assert [room for room in rooms if not (root / room).is_dir()] == []


def test_the_readme_names_every_package_that_setup_installs(root: Path) -> None:
    setup = (root / "scripts" / "setup").read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    packages = re.findall(r"^([\w-]+): ", "".join(re.findall(r"_packages='\n(.*?)'", setup, re.DOTALL)), re.MULTILINE)
    assert len(packages) > 10
    assert [package for package in packages if f"`{package}`" not in readme] == []


def test_the_plugin_in_the_plugin_guide_is_loaded_and_offers_its_service(root: Path, tmp_path: Path) -> None:
    found = re.search(r"^```python\n(.*?)^```", (root / "docs/plugins.md").read_text(encoding="utf-8"), re.M | re.S)
    assert found
    plugin = types.ModuleType("guide")
    plugin.__file__ = str(tmp_path / "plugin.py")
    exec(compile(found[1], "docs/plugins.md", "exec"), plugin.__dict__)
    (tmp_path / "prompts").mkdir()
    for language in ("zh", "en"):
        (tmp_path / "prompts" / f"{language}.toml").write_text('[time]\nnow = "It is {time}."\n')
    failures: list[object] = []
    plugins = Plugins(failures.append)
    plugins.register(plugin, "time")
    plugins.collect({}, tmp_path / "none")
    assert failures == []
    assert plugins.services == {"time": plugin.serve}
    assert plugins.methods == {"time.now": plugin.tell}
    assert plugins.prompts.text("time.now", "en") == "It is {time}."


def test_the_manual_page_and_the_completion_have_every_command_and_option(root: Path) -> None:
    page = (root / "debian/man/onecall.1").read_text(encoding="utf-8")
    made = {
        name: subprocess.run(
            [sys.executable, f"debian/{name}.py"],
            cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, input=page, stdout=subprocess.PIPE, text=True,
            check=True,
        ).stdout
        for name in ("manual", "completion")
    }  # fmt: skip
    assert "@COMMANDS@" in page and "@COMMANDS@" not in made["manual"]
    for words in ("calls hangup CONTACT", "backup FILE", "setup", "lines use KIND", "trunks block LINE [CHANNEL]"):
        assert f"\n.B {words}\n" in made["manual"], words
    assert re.search(r"^    'lines use'\) words='[^']*--address", made["completion"], re.MULTILINE)
    assert ".B \\-\\-outside\\-prefix" in made["manual"] and "--outside-prefix" in made["completion"]


def test_the_manual_page_of_the_settings_names_every_table(root: Path) -> None:
    settings = (root / "etc/onecall.toml").read_text(encoding="utf-8")
    page = (root / "debian/man/onecall.toml.5").read_text(encoding="utf-8")
    tables = set(re.findall(r"^(?:# )?(\[\[?[a-z.]+\]\]?)", settings, re.MULTILINE))
    assert {"[line]", "[[line.spans]]", "[control]"} <= tables
    assert [table for table in tables if table not in page] == []
