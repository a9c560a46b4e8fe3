"""The console's catalogue, its words for states and events, and that no text is left in English."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import attrs
import pytest

import textual_admin
from appliance.api.locale import read_po
from appliance.api.types import AgentRow, CallRow, ChannelRow, EventRow
from appliance.events.types import Event
from textual_admin import happenings, lang, words
from textual_admin.figures import clock

CATALOGUE = Path(textual_admin.__file__).parent / "locale" / "zh" / "LC_MESSAGES" / "console.po"
SOURCES = sorted(Path(textual_admin.__file__).parent.rglob("*.py"))


@pytest.fixture(autouse=True)
def english_after() -> Iterator[None]:
    yield
    lang.use("en")


def marked(source: Path) -> Iterator[str]:
    """The texts in a file that are given to ``_`` or ``N_``."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="_" | "N_"), args=[ast.Constant(value=str(text)), *_]):
                yield text


def test_every_text_of_the_console_has_chinese_with_the_same_gaps() -> None:
    chinese = read_po(CATALOGUE)
    texts = {text for source in SOURCES for text in marked(source)}
    assert len(texts) > 200
    assert {text for text in texts if text not in chinese} == set()
    assert {text for text in texts if chinese[text].count("{") != text.count("{")} == set()


def test_the_language_is_that_of_the_moment() -> None:
    lang.use("zh")
    assert (lang._("Agents"), words.AGENTS["wrapup"].text(), lang.other()) == ("座席", "+ 话后处理", "en")
    lang.use("en")
    assert (lang._("Agents"), words.AGENTS["wrapup"].text(), lang.other()) == ("Agents", "+ wrap-up", "zh")
    with pytest.raises(ValueError, match="must be one of zh, en, is 'fr'"):
        lang.use("fr")


@pytest.mark.parametrize(
    ("row", "table"), [(ChannelRow, words.CHANNELS), (CallRow, words.CALLS), (AgentRow, words.AGENTS)]
)
def test_every_state_has_a_word_and_a_sign_of_its_own_and_a_new_one_is_shown(
    row: type, table: dict[str, words.State]
) -> None:
    assert set(get_args(get_type_hints(row)["state"])) == set(table)
    assert len({state.text() for state in table.values()}) == len(table)
    assert words.state(table, "teleported").text() == "? teleported"


def test_every_event_of_the_product_and_all_that_it_tells_has_words() -> None:
    root = Path(textual_admin.__file__).parents[1]
    for source in sorted([*root.glob("appliance/**/*.py"), *root.glob("plugins/**/*.py")]):
        if "(Event):" in source.read_text(encoding="utf-8"):
            importlib.import_module(".".join(source.relative_to(root).with_suffix("").parts))
    events = [event for event in Event.__subclasses__() if event.__module__.startswith(("appliance.", "plugins."))]
    assert len(events) > 45
    assert {event.kind for event in events} - set(happenings.KINDS) == set()
    data = {field.name for event in events for field in attrs.fields(event)} - {"contact"}
    assert data - set(happenings.KEYS) - happenings.ALONE - happenings.LEFT_OUT == set()


def test_lists_and_times_in_an_event_are_told_as_words() -> None:
    changed = EventRow(1, 0.0, "group.changed", "", {"group": "city", "members": ["e1:20", "e2"], "shows": []})
    assert happenings.details(changed) == "trunk group city  lines e1:20 e2"
    locked = EventRow(2, 0.0, "agent.locked", "", {"agent": "1001", "until": 1795310938.0})
    assert happenings.details(locked) == f"agent 1001  until {clock(1795310938.0)}"


def test_an_event_is_told_in_short_and_in_the_language() -> None:
    row = EventRow(7, 0.0, "contact.ended", "c1", {"cause": 17, "by": "far", "talked": False, "ms": 4200.0})
    assert happenings.kind_of(row) == "call ended"
    assert happenings.details(row) == "cause 17 user busy  by the far end  talked no  time 4.2 s"
    lang.use("zh")
    assert happenings.details(row) == "原因 17 用户忙  由 对端  通过话 否  用时 4.2 s"
    unknown = EventRow(8, 0.0, "fax.sent", "c1", {"pages": 3, "why": ""})
    assert (happenings.kind_of(unknown), happenings.details(unknown)) == ("fax.sent", "pages 3")


@pytest.mark.parametrize(
    ("kind", "data", "tone"),
    [
        ("fault", {}, "bad"),
        ("recording.failed", {}, "bad"),
        ("process.changed", {"up": False}, "bad"),
        ("line.changed", {"up": True}, "good"),
        ("queue.abandoned", {}, "warn"),
        ("leg.cleared", {}, "dim"),
        ("leg.answered", {}, ""),
    ],
)
def test_what_needs_an_eye_has_a_tone(kind: str, data: dict[str, object], tone: str) -> None:
    assert happenings.tone(EventRow(1, 0.0, kind, "", data)) == tone
