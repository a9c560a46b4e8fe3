"""A plugin can fail, hang and be wrong; the others and the box go on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from appliance.events.types import Event
from appliance.findings import Finding
from appliance.plugin import hookimpl
from appliance.pluginmanager import Plugins
from appliance.sitefiles import SiteFiles


def made(**more: Any) -> tuple[Plugins, list[Event]]:
    events: list[Event] = []
    return Plugins(events.append, **more), events


def plugin(**hooks: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


def test_what_a_hook_throws_is_recorded_and_the_next_plugin_is_asked() -> None:
    plugins, events = made()

    def onecall_live() -> dict[str, list[Any]]:
        raise RuntimeError("no figures")

    def fine() -> dict[str, list[Any]]:
        return {"queues": ["row"]}

    plugins.register(plugin(onecall_live=onecall_live), "broken")
    plugins.register(plugin(onecall_live=fine), "fine")
    assert plugins.live() == {"queues": ["row"]}
    assert [(e.kind, e.plugin, e.hook) for e in events] == [("plugin.failed", "broken", "onecall_live")]  # type: ignore[attr-defined]


def test_a_coroutine_that_takes_too_long_is_cut_off_and_the_next_engine_speaks() -> None:
    plugins, events = made(timeout_s=0.02)

    async def hang(prompt: str) -> list[Path]:
        await asyncio.sleep(60)
        return []

    async def speak(prompt: str, language: str) -> list[Path]:
        return [Path(f"{language}/{prompt}.wav")]

    plugins.register(plugin(onecall_speak=speak), "fine")
    plugins.register(plugin(onecall_speak=hang), "hanging")
    paths = asyncio.run(plugins.speak("welcome", {}, "zh"))
    assert paths == [Path("zh/welcome.wav")]
    assert "0.02 s" in events[0].error  # type: ignore[attr-defined]


def test_a_hook_that_does_not_even_end_when_it_is_cancelled_keeps_nobody_waiting() -> None:
    async def main() -> None:
        plugins, events = made(timeout_s=0.05)
        free = asyncio.Event()

        @hookimpl
        async def onecall_seat_cleared(seat: str, cause: int) -> None:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue

        plugins.register(plugin(onecall_seat_cleared=onecall_seat_cleared), "deaf")
        async with asyncio.timeout(2):
            await plugins.seat_cleared("8001", 16)
        assert [e.kind for e in events] == ["plugin.failed"]
        free.set()

    asyncio.run(main())


def test_a_plugin_that_keeps_failing_is_disabled_with_an_alarm_and_its_services_are_gone() -> None:
    plugins, events = made(max_failures=3)

    async def onecall_start(box: Any) -> None:
        raise ValueError("bad table")

    plugins.register(plugin(onecall_start=onecall_start, onecall_services=lambda: {"tea": print}), "tea")
    plugins.collect({}, Path("/nowhere"))
    assert "tea" in plugins.services
    for _ in range(3):
        asyncio.run(plugins.start(None))  # type: ignore[arg-type]
    assert events[-1].kind == "plugin.disabled"
    assert "tea" not in plugins.services and plugins.names() == [] and "tea" in plugins.alarms[0]


def test_two_plugins_that_want_one_name_are_told_and_the_first_keeps_it() -> None:
    plugins, events = made()
    plugins.register(plugin(onecall_services=lambda: {"queue": 1}), "one")
    plugins.register(plugin(onecall_services=lambda: {"queue": 2, "menu": 3}), "two")
    plugins.collect({}, Path("/nowhere"))
    assert sorted(plugins.services) == ["menu", "queue"] and len(events) == 1
    assert "taken" in events[0].error  # type: ignore[attr-defined]


def test_stop_goes_in_reverse_and_texts_of_the_site_win_over_those_of_plugins(tmp_path: Path) -> None:
    order: list[str] = []
    (tmp_path / "shipped.toml").write_text('welcome = "欢迎"\n[queue]\nposition = "前面{n}位"\n', encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "zh.toml").write_text('welcome = "您好"\n', encoding="utf-8")
    (tmp_path / "site" / "en.toml").write_text("welcome = 3\n", encoding="utf-8")
    plugins, _ = made()
    for name in ("a", "b"):

        async def onecall_stop(name: str = name) -> None:
            order.append(name)

        plugins.register(plugin(onecall_stop=lambda stop=onecall_stop: stop()), name)
    plugins.register(plugin(onecall_prompts=lambda: {"zh": tmp_path / "shipped.toml"}), "texts")
    plugins.collect({}, tmp_path / "site")
    asyncio.run(plugins.stop())
    assert order == ["b", "a"]
    assert plugins.prompts.text("welcome", "zh") == "您好"
    assert plugins.prompts.text("queue.position", "zh") == "前面{n}位"
    assert plugins.prompts.text("welcome", "en") is None


def test_the_four_plugins_of_the_product_are_loaded_through_the_entry_points() -> None:
    plugins, events = made()
    plugins.load()
    assert {"acd", "ivr", "recording", "speech"} <= set(plugins.names()), events


def test_all_plugins_are_asked_what_they_find_and_one_that_throws_hides_no_other() -> None:
    plugins, events = made()

    async def onecall_diagnose(place: Any, language: str) -> list[Finding]:
        return [Finding("fine.thing", "ok", f"{place.var} {language}")]

    async def broken() -> list[Finding]:
        raise RuntimeError("no idea")

    plugins.register(plugin(onecall_diagnose=onecall_diagnose), "fine")
    plugins.register(plugin(onecall_diagnose=broken), "broken")
    found = asyncio.run(plugins.diagnose(SimpleNamespace(var="var"), "zh"))  # type: ignore[arg-type]
    assert found == [Finding("fine.thing", "ok", "var zh")]
    assert [e.plugin for e in events] == ["broken"]  # type: ignore[attr-defined]


def test_files_of_the_site_are_the_plugins_and_the_texts_of_prompts() -> None:
    plugins, _ = made()

    def onecall_site_files() -> list[SiteFiles]:
        return [SiteFiles("menus/*.toml", lambda name, text: None)]

    plugins.register(plugin(onecall_site_files=onecall_site_files), "menus")
    assert [files.pattern for files in plugins.site_files()] == ["prompts/*.toml", "menus/*.toml"]
