"""What the console lets one do: it asks before what is hard to take back, and says why something cannot be done."""

from pathlib import Path

from appliance.api.types import AgentRow
from appliance.events.types import Bridged, ContactOffered, LegAnswered, LegDialled
from tests.textual_admin.seeing import Seeing, see


def test_hanging_up_asks_first_and_only_y_does_it(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("3")
        await see.until("calls up: 1")
        for answer in ("n", "escape"):
            await see.press("x")
            await see.until("Hang up the call of 13800138000?")
            await see.press("enter", answer)
            await see.until(lambda: not see.sees("The caller loses"))
        assert see.served.rows.done == []
        await see.press("x")
        await see.until("Hang up the call of 13800138000?")
        await see.press("y")
        await see.until("hung up: 13800138000")
        assert see.served.rows.done == [("hangup", "c1")]

    see(tmp_path, work)


def test_a_channel_is_blocked_after_a_question_and_put_back_without(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("2")
        await see.until("× blocked")
        await see.press("down", "b")
        await see.until("Block channel 1 of e1? No new call will use it. Calls on it go on: 1.")
        await see.press("y")
        await see.until("blocked: channel 1 of e1")
        await see.press("down", "b")
        await see.until("it is blocked already")
        await see.press("u")
        await see.until("in service again: channel 2 of e1")
        await see.press("home", "b")
        await see.until("Block all channels of e1?")
        await see.press("y")
        await see.until("blocked: all channels of e1")
        assert see.served.rows.done == [
            ("block", "e1", 1, True), ("block", "e1", 2, False), ("block", "e1", None, True)
        ]  # fmt: skip

    see(tmp_path, work)


def agents_service(given: list[tuple[str, ...]]) -> dict[str, object]:
    """The methods of a queue plugin, as far as this test needs them."""

    async def pause(agent: str, reason: str = "") -> AgentRow:
        given.append(("pause", agent))
        return AgentRow(agent, "", "", "paused", 0.0)

    async def login(agent: str, seat: str) -> AgentRow:
        if seat != "8002":
            raise LookupError(f"there is no seat {seat}")
        given.append(("login", agent, seat))
        return AgentRow(agent, "", seat, "free", 0.0)

    async def logout(agent: str) -> AgentRow:
        given.append(("logout", agent))
        return AgentRow(agent, "", "", "out", 0.0)

    return {"agents.pause": pause, "agents.login": login, "agents.logout": logout}


def test_agents_are_paused_logged_in_and_out_and_what_cannot_be_done_says_why(tmp_path: Path) -> None:
    given: list[tuple[str, ...]] = []

    async def work(see: Seeing) -> None:
        await see.press("5")
        await see.until("r (Resume)")
        await see.until("i (Log in)")
        await see.press("p")
        await see.until("paused: 1001 王芳")
        await see.press("r")
        await see.until("does not offer agents.resume")
        await see.press("i")
        await see.until("1001 王芳 is logged in already")
        await see.press("o")
        await see.until("Log 1001 王芳 out? The call goes on")
        await see.press("y")
        await see.until("logged out: 1001")
        await see.press("down", "i")
        await see.until("Seat (phone account) for 1002 李雷")
        await see.type("8009")
        await see.press("enter")
        await see.until("there is no seat 8009")
        await see.press("i")
        await see.until("Seat (phone account) for 1002 李雷")
        await see.type("8002")
        await see.press("enter")
        await see.until("logged in: 1002")
        assert given == [("pause", "1001"), ("logout", "1001"), ("login", "1002", "8002")]

    see(tmp_path, work, plugins=agents_service(given))


def test_without_the_queue_plugin_its_orders_are_seen_but_off(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("5")
        await see.until("p (Pause)")
        await see.press("p")
        await see.until("the service does not offer agents.pause: is its plugin")
        await see.press("4")
        await see.until("s (Strategy)")

    see(tmp_path, work)


def test_enter_shows_the_ladder_of_a_contact_and_it_goes_on(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        log = see.served.events
        log.append(ContactOffered("in", "e1", 1, "95001", "13800138000"), "c1")
        log.append(LegAnswered("in", 2.0), "c1")
        log.append(LegDialled("out", "phones", "8001"), "c1")
        await see.press("3")
        await see.until("calls up: 1")
        await see.press("enter")
        await see.until("│───────────>│            │  call comes in")
        await see.until("│<───────────│            │  answered")
        await see.until("│            │───────────>│  dialled")
        log.append(Bridged("in", "out", "8001"), "c1")
        await see.until("│<═══════════════════════>│  connected")
        await see.press("escape")
        await see.until("calls up: 1")

    see(tmp_path, work)
