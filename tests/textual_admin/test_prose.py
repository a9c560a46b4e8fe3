"""Lines of running text, and the line of keys."""

from rich.cells import cell_len

from textual_admin import lang
from textual_admin.bars import in_lines
from textual_admin.panels import PANELS
from textual_admin.prose import wrap


def test_chinese_breaks_anywhere_but_no_line_begins_with_a_mark_that_closes() -> None:
    lines = wrap("告警是线路进程所见：RED 为无信号，YELLOW 为对端无信号（见下）。", 14)
    assert lines == ["告警是线路进程", "所见：RED 为无", "信号，YELLOW", "为对端无信号", "（见下）。"]
    assert max(map(cell_len, lines)) <= 14


def test_english_breaks_at_spaces_and_a_word_that_is_too_long_is_cut() -> None:
    assert wrap("A blocked channel takes no new calls", 16) == ["A blocked", "channel takes no", "new calls"]
    assert wrap("0123456789 x", 4) == ["0123", "4567", "89 x"]


def test_lines_of_a_text_stay_lines_and_keep_their_first_spaces() -> None:
    assert wrap("A call tries:\n  1  out/e1\n\nend", 20) == ["A call tries:", "  1  out/e1", "", "end"]


def test_the_keys_of_every_screen_have_room_in_two_lines_of_80_and_none_is_torn_from_its_label() -> None:
    try:
        for language in ("zh", "en"):
            lang.use(language)
            for panel in PANELS:
                labels = [(order.key, lang._(order.label), False) for order in panel.ORDERS]
                labels += [(key, lang._(label), True) for key, label in panel.KEYS]
                labels += [("/", lang._("Filter"), True), (":", lang._("Go to"), True), ("?", lang._("Help"), True)]
                labels += [("q", lang._("Quit"), True), ("F2", "English", True), ("^p", lang._("Commands"), True)]
                lines = in_lines(labels, 78).plain.split("\n")
                assert len(lines) <= 2
                assert max(map(cell_len, lines)) <= 78
                assert all(any(f"{key} {text}" in line or f"{key} ({text})" in line for line in lines)
                           for key, text, _ in labels)  # fmt: skip
    finally:
        lang.use("en")
