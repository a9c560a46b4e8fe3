"""The site as one text: what is exported and imported into an empty site is exported again as the same text."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance import siteplan
from appliance.api.client import ApiError, Client
from tests.appliance.api.site_serving import SiteServing, run_site

MENU = "# 主菜单 main\n[nodes]\nfirst = 'main'\n"


async def fill(served: SiteServing) -> None:
    people, numbers = served.people, served.numbers
    await people.add_agent("1001", "王芳", pin="2468", language="zh")
    await people.add_agent("1002", 'Li "Lee" \\ Lei')
    await people.add_seat("8001", "correct horse", display="前台", outside=True)
    await numbers.add("95001", "menu:main", name="热线")
    await numbers.add("*50*", "agent:login")
    (served.folder / "etc" / "menus").mkdir()
    (served.folder / "etc" / "menus" / "main.toml").write_text(MENU)
    (served.folder / "etc" / "queues.toml").write_text("[service]\nname = '''客服'''\n\n")


async def exported(path: Path) -> str:
    async with Client(path / "api.sock") as client:
        return str(await client.call("site.export"))


async def imported(served: SiteServing, text: str) -> dict[str, Any]:
    """As the command does it: check, write the files, import."""
    async with served.client() as client:
        found = await client.call("site.check", text=text)
        for name, content in found["files"].items():
            path = served.folder / "etc" / name
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True) if content is None else path.write_text(content)
        answer = await client.call("site.import", text=text)
        assert answer == {"problems": []}
        return dict(found)


def test_export_import_into_an_empty_site_and_export_give_the_same_text(tmp_path: Path) -> None:
    texts: list[str] = []

    async def first(served: SiteServing) -> None:
        await fill(served)
        texts.append(await exported(served.folder))
        assert texts[0] == await exported(served.folder)

    async def second(served: SiteServing) -> None:
        changes = await imported(served, texts[0])
        assert [(c["change"], c["kind"], c["name"]) for c in changes["changes"]] == [
            ("add", "agent", "1001"), ("add", "agent", "1002"), ("add", "seat", "8001"), ("add", "number", "*50*"),
            ("add", "number", "95001"), ("add", "file", "menus/main.toml"), ("add", "file", "queues.toml"),
        ]  # fmt: skip
        assert await exported(served.folder) == texts[0]
        assert await served.people.check_pin("1001", "2468")
        assert not await served.people.check_pin("1001", "1111")
        assert served.people.ha1("8001") != ""
        assert [n.pattern for n in served.numbers.numbers()] == ["*50*", "95001"]
        assert served.told == ["files", "files"]
        assert (served.folder / "etc" / "menus" / "main.toml").read_text() == MENU

    async def restarted(served: SiteServing) -> None:
        assert await exported(served.folder) == texts[0]

    run_site(tmp_path / "one", first)
    run_site(tmp_path / "two", second)
    run_site(tmp_path / "two", restarted)
    assert "2468" not in texts[0]
    assert "correct horse" not in texts[0]


def test_an_import_makes_the_site_what_the_text_says_and_tells_who_did_it(tmp_path: Path) -> None:
    async def work(served: SiteServing) -> None:
        await fill(served)
        seats: list[int] = []
        served.people.on_seats = lambda: seats.append(len(served.people.seats()))
        text = (await exported(served.folder)).replace("王芳", "王小芳").replace("8001 =", "8002 =")
        await imported(served, text)
        assert served.people.agent("1001").name == "王小芳"  # type: ignore[union-attr]
        assert [seat.account for seat in served.people.seats()] == ["8002"]
        assert seats == [1]
        [event] = await served.events.tail("site.imported")
        assert event.data["added"] == ["seat 8002"]
        assert event.data["changed"] == ["agent 1001"]
        assert event.data["removed"] == ["seat 8001"]
        assert event.data["by"] != ""

    run_site(tmp_path, work)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('realm = "onecall"', 'realm = "other"', "realm 'other' is not this machine's"),
        ("format = 1", "format = 2", "this version reads 1"),
        ("menu:main", "fax:main", "number 95001: destination 'fax:main'"),
        ('display = "前台"', 'colour = "red"', "unknown key colour"),
        ('pin_hash = "scrypt', 'pin_hash = "plain', "agent 1001: pin_hash"),
        ("8001 = { ", '8002 = { ha1 = "00" }\n8001 = { ', "seat 8002: ha1 must be 32"),
        ('"queues.toml" = ', '"../queues.toml" = ', "none of the site's files"),
        ("first = 'main'", "first = 1", "menus/main.toml: nodes.first: must be a text"),
        ("1001 = {", "1003 = {", "agents 1001 would be removed and are logged in"),
        ("[agents]", "[agents", "not TOML"),
    ],
)
def test_a_text_that_cannot_be_is_refused_whole(tmp_path: Path, old: str, new: str, says: str) -> None:
    async def work(served: SiteServing) -> None:
        await fill(served)
        before = await exported(served.folder)
        assert old in before
        async with served.client() as client:
            for method in ("site.check", "site.import"):
                with pytest.raises(ApiError) as refused:
                    await client.call(method, text=before.replace(old, new))
                assert says in str(refused.value)
        assert await exported(served.folder) == before

    run_site(tmp_path, work)


def test_files_that_are_not_in_place_hold_the_import_up(tmp_path: Path) -> None:
    async def work(served: SiteServing) -> None:
        await fill(served)
        text = (await exported(served.folder)).replace("客服", "服务")
        async with served.client() as client:
            with pytest.raises(ApiError, match=r"not yet as the import has them: queues\.toml"):
                await client.call("site.import", text=text)

    run_site(tmp_path, work)


@pytest.mark.parametrize("content", ["a = '''x'''\n", "it's'", "\r\n", "\n\n", "", "\ttab\n", '"""\\u0041', "\x7f"])
def test_any_file_survives_the_text(content: str) -> None:
    plan = siteplan.SitePlan(1, "onecall", files={"menus/主.toml": content})
    assert siteplan.read(siteplan.write(plan)) == plan
    assert tomllib.loads(siteplan.write(plan))["files"] == plan.files
