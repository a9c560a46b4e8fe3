"""The folder of made sentences stays within its bound and outlives a crash."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugins.speech import cache as module
from plugins.speech.cache import Cache


def put(cache: Cache, key: str, size: int = 100) -> None:
    cache.write(key, b"x" * size)
    cache.add(key, size)


def opened(folder: Path, limit: int = 250) -> Cache:
    cache = Cache(folder, limit)
    cache.open()
    return cache


def test_what_was_not_used_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_USE_S", -1.0)
    cache = opened(tmp_path)
    put(cache, "a")
    put(cache, "b")
    assert cache.get("a") == tmp_path / "a.wav"
    put(cache, "c")
    assert (cache.get("b"), sorted(p.name for p in tmp_path.iterdir())) == (None, ["a.wav", "c.wav"])
    assert (cache.size, cache.removed) == (200, 1)


def test_a_file_that_may_still_be_playing_stays_whatever_the_bound(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    for key in "abcd":
        put(cache, key)
    assert (cache.size, cache.removed) == (400, 0)


def test_after_a_restart_the_order_of_use_is_known_and_the_bound_holds(tmp_path: Path) -> None:
    first = opened(tmp_path, 1000)
    for at, key in enumerate("abcd"):
        put(first, key)
        os.utime(tmp_path / f"{key}.wav", (at, at))
    (tmp_path / "e.new").write_bytes(b"half")
    again = opened(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.wav", "d.wav"]
    assert again.get("d") == tmp_path / "d.wav"


def test_a_file_removed_by_hand_is_not_there(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    put(cache, "a")
    (tmp_path / "a.wav").unlink()
    assert (cache.get("a"), cache.size) == (None, 0)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    cache = opened(tmp_path / "folder")
    (tmp_path / "folder/a.wav").mkdir()
    with pytest.raises(OSError):
        cache.write("a", b"x")
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["a.wav"]
