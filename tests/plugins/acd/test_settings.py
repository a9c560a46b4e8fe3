"""queues.toml is read strictly: an error names the file, the queue, the key and what is allowed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from appliance.plugin import SettingsError
from plugins.acd.settings import AcdSettings, read_queues


def read(path: Path, text: str) -> dict:
    file = path / "queues.toml"
    file.write_text(text, encoding="utf-8")
    return read_queues(file, AcdSettings(ring_s=15.0, wrapup_s=10.0, target_s=30.0))


def test_a_queue_has_the_defaults_of_the_machine_where_it_says_nothing(tmp_path: Path) -> None:
    queues = read(tmp_path, '[a]\nagents = ["1001", "1002"]\n[b]\nname = "B"\nring_s = 5\nstrategy = "hunting"\n')
    assert (queues["a"].name, queues["a"].ring_s, queues["a"].wrapup_s, queues["a"].target_s) == ("a", 15.0, 10.0, 30.0)
    assert queues["a"].rank == {"1001": 0, "1002": 1}
    assert (queues["b"].name, queues["b"].ring_s, queues["b"].strategy, queues["b"].agents) == ("B", 5, "hunting", ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a]\nring = 5", "queue a: unknown key ring (allowed: name, agents, strategy"),
        ("[a]\nring_s = 1", "queue a: ring_s = 1.0 must be from 3 to 180 seconds"),
        ("[a]\nwrapup_s = true", "queue a: True is not allowed (must be float) @ $.wrapup_s"),
        ('[a]\nstrategy = "random"', "strategy = 'random' must be one of longest-idle, hunting, ring-all"),
        ("[a]\nstrategy = []", "[] is not allowed"),
        ('[a]\noverflow = "busy"', "overflow = 'busy' must be a destination SERVICE:ARGUMENT"),
        ("[a]\nagents = [1001]", 'queue a: 1001 is not allowed (must be str) @ $.agents[0]'),
        ('[a]\nagents = ["1", "1"]', 'must be agents\' numbers, each once, as ["1001", "1002"]'),
        ("a = 5", "a: must be a table [a], is 5"),
        ("[a\n", "not TOML"),
        ('[a]\nannounce_wait = "yes"', "'yes' is not allowed (must be bool) @ $.announce_wait"),
    ],
)
def test_an_error_says_where_and_what_is_allowed(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text)
    assert str(tmp_path / "queues.toml") in str(error.value)
    assert says in str(error.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_queues(tmp_path / "none.toml", AcdSettings())


def test_the_queues_of_the_default_site_have_its_agents(root: Path) -> None:
    queues = read_queues(root / "etc" / "queues.toml", AcdSettings())
    site = tomllib.loads((root / "etc" / "site.toml").read_text(encoding="utf-8"))
    inbound = {f"{number}" for number in range(1001, 1009)}
    assert inbound <= set(queues["service"].agents) <= set(site["agents"])
    assert set(queues["callback"].agents) == {"1101", "1102", "1103"} <= set(site["agents"])
