"""Every screen at both sizes and in both languages, against a real service."""

from pathlib import Path

import pytest

from appliance.api.types import CallRow, ChannelRow, TrunkRow
from appliance.events.types import ContactOffered, LegCleared
from tests.textual_admin.seeing import LARGE, SMALL, Seeing, see

SEEN = {
    "1": ("offered 7", "! trunk e2: RED", "■×", "control ▲ up", "客户服务 1 wait 1:05"),
    "2": ("e1     pri", "1/30 busy", "■ busy", "× blocked", "13800138000", "idle 0"),
    "3": ("calls up: 1", "13800138000", "… waiting", "1:05", "queue:service"),
    "4": ("waiting: 1  queues: 1", "客户服务", "! 1", "60 %", "longest idle"),
    "5": ("1001", "王芳", "■ talking", "- logged out", "service"),
    "6": ("1 of 2 phones registered", "8001", "o registered", "10.0.0.9:5060", "! not there"),
    "7": ("call comes in", "trunk e1  channel 4", "live"),
}
CHINESE = {
    "1": ("呼入 7", "告警", "中继", "控制 ▲ 正常", "等待 1 1:05"),
    "2": ("占用 1/30", "■ 占用", "× 闭塞", "信道"),
    "3": ("通话数：1", "… 排队", "挂断"),
    "4": ("等待：1", "最久空闲", "及时率"),
    "5": ("■ 通话", "- 未签入", "座席", "签出"),
    "6": ("已注册 1/2 部话机", "o 已注册", "! 未注册"),
    "7": ("来电", "中继 e1  信道 4", "实时"),
}


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize(("language", "seen"), [("en", SEEN), ("zh", CHINESE)], ids=["en", "zh"])
def test_every_screen_shows_the_box_and_all_its_keys(
    tmp_path: Path, size: tuple[int, int], language: str, seen: dict[str, tuple[str, ...]]
) -> None:
    async def work(see: Seeing) -> None:
        see.served.events.append(ContactOffered("l1", "e1", 4, "95001", "13800138000"), "c1")
        await see.until("测试站")
        for key, texts in seen.items():
            await see.press(key)
            for text in texts:
                await see.until(text)
            assert see.sees("F2 中文" if language == "en" else "F2 English")
            assert see.sees("Commands" if language == "en" else "命令")

    see(tmp_path, work, size=size, language=language)


@pytest.mark.requirement("A8.01")
def test_figures_are_live_and_say_how_old_they_are(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.until("data 0.0 s old")
        see.clock.now += 0.7
        await see.until("data 0.7 s old")
        await see.until("data 0.0 s old")
        see.served.rows.totals = lambda: {"offered": 4711}
        see.served.events.append(ContactOffered("l1", "e1", 4, "95001", "1380"), "c1")
        await see.until("offered 4711")

    see(tmp_path, work)


def test_the_language_changes_at_once_and_back(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("5")
        await see.until("■ talking")
        await see.press("f2")
        await see.until("■ 通话")
        for text in ("5 座席", "p (暂停)", "名称", "，数据"):
            assert see.sees(text)
        await see.press("2")
        await see.until("× 闭塞")
        await see.press("ctrl+l")
        await see.until("× blocked")
        await see.press("5")
        await see.until("p (Pause)")

    see(tmp_path, work)


def test_rows_change_in_place_and_the_cursor_and_the_view_stay(tmp_path: Path) -> None:
    state: dict[int, str] = {}

    async def work(see: Seeing) -> None:
        see.served.rows.trunks = lambda: [TrunkRow("e1", "pri", True, "", 120)]
        see.served.rows.channels = lambda: [ChannelRow("e1", n, state.get(n, "idle")) for n in range(1, 121)]
        await see.press("2")
        await see.until(lambda: see.app.panel.table.row_count == 121)
        await see.press(*["pagedown"] * 3, "up", "up")
        table = see.app.panel.table
        chosen, top = table.chosen, table.scroll_offset.y
        number = int(chosen.removeprefix("e1/"))
        assert (number > 40, top > 30) == (True, True)
        state[number] = "busy"
        see.served.server.live.touch()
        await see.until("busy 1")
        assert see.sees(f"{number}  ■ busy")
        assert (table.chosen, table.scroll_offset.y) == (chosen, top)
        await see.press("f2")
        await see.until("占用 1")
        assert table.chosen == chosen

    see(tmp_path, work)


def test_a_call_that_ends_leaves_the_table_and_the_cursor_on_its_neighbour(tmp_path: Path) -> None:
    def call(number: int) -> CallRow:
        return CallRow(f"c{number}", f"1390000{number}", "95001", "e1", 1, "talking", "queue:a", "", "zh", 1.0, 1.0)

    async def work(see: Seeing) -> None:
        up = [call(number) for number in range(1, 6)]
        see.served.rows.calls = lambda: up
        await see.press("3")
        await see.until("calls up: 5")
        await see.press("down", "down")
        del up[0]
        see.served.server.live.touch()
        await see.until("calls up: 4")
        assert see.app.panel.contact == "c3"
        del up[1]
        see.served.server.live.touch()
        await see.until("calls up: 3")
        assert see.app.panel.contact in {"c2", "c4"}

    see(tmp_path, work)


def test_texts_from_strangers_are_no_markup_and_cannot_move_the_cursor(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        see.served.rows.caller = "[red]x[/]\x1b[2J"
        see.served.server.live.touch()
        await see.press("3")
        await see.until("[red]x[/]�[2J")

    see(tmp_path, work)


def test_the_log_follows_stops_and_filters(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        log = see.served.events
        for number in range(40):
            log.append(ContactOffered("l1", "e1", number, "95001", "1380"), f"c{number}")
        log.append(LegCleared("l1", 16, "far"), "c7")
        await see.press("7")
        await see.until("cause 16 normal  by the far end")
        await see.press("space")
        log.append(LegCleared("l2", 17, "far"), "c8")
        await see.until("stopped")
        assert not see.sees("17 user busy")
        await see.press("space")
        await see.until("17 user busy")
        await see.press("slash")
        await see.type("!leg.")
        await see.until("filter !leg.: 40 of 42")
        await see.until(lambda: not see.sees("leg cleared"))
        await see.press("escape")
        await see.until("17 user busy")
        await see.press("slash")
        await see.type("c8")
        await see.press("enter")
        await see.until("filter c8: 2 of 42")

    see(tmp_path, work)


def test_a_colon_goes_to_a_screen_by_its_name_in_either_language(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("colon")
        await see.type("ag")
        await see.press("enter")
        await see.until("■ talking")
        assert see.app.panel.NAME == "agents"
        await see.press("f2", "colon")
        await see.type("中继")
        await see.press("enter")
        await see.until(lambda: see.app.panel.NAME == "trunks")
        await see.press("colon")
        await see.type("xyz")
        await see.press("enter")
        await see.until("没有画面 xyz")
        await see.press("f2")

    see(tmp_path, work)


def test_help_explains_the_screen_and_its_keys(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("2", "question_mark")
        await see.until("A blocked channel takes no new calls")
        assert see.sees("b  Block")
        await see.press("escape")
        await see.until(lambda: not see.sees("A blocked channel"))

    see(tmp_path, work, size=LARGE)


def test_the_palette_has_every_screen_and_order_in_the_language(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("3", "ctrl+p")
        for text in ("搜索命令", "转到：座席", "挂断"):
            await see.until(text)
        await see.type("座席")
        await see.press("enter", "enter")
        await see.until(lambda: see.app.panel.NAME == "agents")

    see(tmp_path, work, language="zh", size=LARGE)
