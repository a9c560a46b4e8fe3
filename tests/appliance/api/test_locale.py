"""Texts in the user's language."""

import ast
import re
from pathlib import Path

import pytest

from appliance.api import locale

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_language_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(locale.VARIABLE, raising=False)


def po(folder: Path, text: str) -> Path:
    path = folder / "zh" / "LC_MESSAGES" / "test.po"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_translations_are_read_with_their_escapes_and_continuations(tmp_path: Path) -> None:
    po(
        tmp_path,
        '# a comment\nmsgid ""\nmsgstr "Language: zh\\n"\n\n#: cli.py:5\nmsgid "a \\"b\\"\\n"\nmsgstr "甲“乙”\\n"\n\n'
        'msgid ""\n"two "\n"lines"\nmsgstr ""\n"两"\n"行"\n\n#, fuzzy\nmsgid "guess"\nmsgstr "猜"\n\n'
        'msgid "none"\nmsgstr ""\n',
    )
    _ = locale.translator(tmp_path, "test", "zh")
    assert [_(text) for text in ('a "b"\n', "two lines", "guess", "none", "unknown", "")] == [
        "甲“乙”\n", "两行", "guess", "none", "unknown", ""
    ]  # fmt: skip
    assert locale.translator(tmp_path, "test", "en")("two lines") == "two lines"


@pytest.mark.parametrize("text", ['msgid "a"\nmsgstr b\n', 'msgctxt "x"\nmsgid "a"\n', 'msgid "a\n'])
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    path = po(tmp_path, text)
    with pytest.raises(ValueError, match=rf"{path}:\d: "):
        locale.read_po(path)


def test_the_language_is_the_one_asked_for_else_the_environments_else_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    assert locale.chosen() == "zh"
    monkeypatch.setenv(locale.VARIABLE, "en")
    assert (locale.chosen(), locale.chosen("zh"), locale.chosen("fr")) == ("en", "zh", "en")


def test_every_text_of_the_command_has_a_translation_with_the_same_places() -> None:
    texts = locale.read_po(ROOT / "appliance/locale/zh/LC_MESSAGES/onecall.po")
    used: set[str] = set()
    for name in ("cli", "cli_commands", "cli_tables"):
        for node in ast.walk(ast.parse((ROOT / f"appliance/{name}.py").read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="_"), args=[ast.Constant(value=str(text))]):
                    used.add(text)
    assert len(used) > 70
    assert used - set(texts) == set()
    for english, chinese in texts.items():
        assert sorted(re.findall(r"\{\w*\}", english)) == sorted(re.findall(r"\{\w*\}", chinese)), english
