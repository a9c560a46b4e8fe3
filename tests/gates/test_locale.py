"""Translations are whole: every text of the console that is marked for translation has one in every catalogue."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "textual_admin" / "locale"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def run(*command: str | Path) -> str:
    """What the command says, both ways; empty when it is content."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout if done.returncode else ""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every text in the console and the plugins' panels that is marked for translation."""
    path = tmp_path_factory.mktemp("locale") / "onecall.pot"
    sources = sorted([*ROOT.glob("textual_admin/**/*.py"), *ROOT.glob("plugins/*/panel.py")])
    assert run("xgettext", "--language=Python", "--from-code=UTF-8", "--keyword=N_", "-o", path, *sources) == ""
    return path


@pytest.mark.judge("xgettext")
def test_a_console_that_marks_texts_has_chinese(template: Path) -> None:
    marked = template.exists() and template.read_text(encoding="utf-8").count('\nmsgid "') > 1
    assert not marked or any(path.parts[-3].startswith("zh") for path in CATALOGUES)


@pytest.mark.judge("msgfmt", "msgcmp")
@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.relative_to(LOCALE).as_posix())
def test_a_catalogue_is_sound_and_whole(catalogue: Path, template: Path) -> None:
    assert run("msgfmt", "--check", "-o", "/dev/null", catalogue) == ""
    assert run("msgcmp", catalogue, template) == ""


COMMAND = [
    path
    for part in ("cli*.py", "demo/*.py", "diagnosis/*.py", "setup/*.py")
    for path in sorted((ROOT / "appliance").glob(part))
]


@pytest.mark.judge("xgettext", "msgfmt", "msgcmp")
@pytest.mark.parametrize(
    ("catalogue", "sources"),
    [
        ("appliance/locale/zh/LC_MESSAGES/onecall.po", COMMAND),
        ("plugins/speech/locale/zh/LC_MESSAGES/speech.po", [ROOT / "plugins/speech/diagnose.py"]),
        ("plugins/recording/locale/zh/LC_MESSAGES/recording.po", [ROOT / "plugins/recording/diagnose.py"]),
    ],
)
def test_all_that_the_command_and_the_doctor_say_is_translated(
    catalogue: str, sources: list[Path], tmp_path: Path
) -> None:
    assert run("xgettext", "--language=Python", "--from-code=UTF-8", "-o", tmp_path / "said.pot", *sources) == ""
    assert run("msgfmt", "--check", "-o", "/dev/null", ROOT / catalogue) == ""
    assert run("msgcmp", ROOT / catalogue, tmp_path / "said.pot") == ""
