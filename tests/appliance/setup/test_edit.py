"""Keys of a settings file are changed and nothing else: comments, order and other tables stay."""

import tomllib
from pathlib import Path

import pytest

from appliance.setup import edit
from appliance.setup.edit import EditError

TEXT = """\
# 本机 the machine
[line]
socket = "/a"   # the link
rtp_ports = [
    16384,  # first
    17407,
]

# 话机 phones
[phone]
listen = ["udp:127.0.0.1:5060"] # two at most
"""


def changed(before: str, after: str) -> list[tuple[str, str]]:
    """Lines that are only in one of the texts."""
    old, new = before.splitlines(), after.splitlines()
    return [("-", line) for line in old if line not in new] + [("+", line) for line in new if line not in old]


@pytest.mark.parametrize(
    ("table", "values", "lines"),
    [
        ("line", {"socket": "/b"}, [("-", 'socket = "/a"   # the link'), ("+", 'socket = "/b"   # the link')]),
        ("line", {"new": 3}, [("+", "new = 3")]),
        ("line", {"rtp_ports": [1, 2]}, [
            ("-", "rtp_ports = ["), ("-", "    16384,  # first"), ("-", "    17407,"), ("-", "]"),
            ("+", "rtp_ports = [1, 2]"),
        ]),
        ("phone", {"listen": ["a#b"]}, [
            ("-", 'listen = ["udp:127.0.0.1:5060"] # two at most'), ("+", 'listen = ["a#b"] # two at most'),
        ]),
        ("control", {"site": '客服 "一"'}, [("+", "[control]"), ("+", 'site = "客服 \\"一\\""')]),
    ],
)  # fmt: skip
def test_a_key_is_changed_and_nothing_else(
    table: str, values: dict[str, object], lines: list[tuple[str, str]]
) -> None:
    after = edit.set_keys(TEXT, table, values)
    assert changed(TEXT, after) == lines
    assert tomllib.loads(after) == {
        **tomllib.loads(TEXT), table: {**tomllib.loads(TEXT).get(table, {}), **values}
    }  # fmt: skip


def test_an_array_of_tables_is_replaced_and_may_become_empty() -> None:
    rows = [{"name": "e1", "driver": "sim"}, {"name": "e2", "channels": [1, 2]}]
    with_rows = edit.set_tables(TEXT, "line.spans", rows)
    assert tomllib.loads(with_rows)["line"]["spans"] == rows
    assert changed(TEXT, with_rows)[0][0] == "+"
    assert edit.set_tables(with_rows, "line.spans", rows) == with_rows
    other = edit.set_tables(with_rows, "line.spans", [{"name": "x"}])
    assert tomllib.loads(other)["line"]["spans"] == [{"name": "x"}]
    assert tomllib.loads(edit.set_tables(other, "line.spans", [])).get("line") == tomllib.loads(TEXT)["line"]
    assert "# 话机 phones\n[phone]" in other


def test_an_array_of_tables_that_is_written_as_a_value_is_replaced_too() -> None:
    text = '# 线路 lines\n[line]\nspans = [\n  { name = "e1" },  # one\n]\nrtp = 1\n\n[phone]\nlisten = 5060\n'
    after = edit.set_tables(text, "line.spans", [{"name": "e2"}])
    assert tomllib.loads(after) == {"line": {"rtp": 1, "spans": [{"name": "e2"}]}, "phone": {"listen": 5060}}
    assert after.startswith("# 线路 lines\n[line]\nrtp = 1\n")


def test_the_packaged_file_keeps_its_comments(root: Path) -> None:
    before = (root / "etc" / "onecall.toml").read_text(encoding="utf-8")
    after = edit.set_keys(before, "control", {"site": "测试", "language": "en"})
    after = edit.set_tables(after, "line.spans", [{"name": "e1", "driver": "sim"}])
    assert {line for line in before.splitlines() if line.startswith("#")} <= set(after.splitlines())
    assert tomllib.loads(after)["control"]["site"] == "测试"


@pytest.mark.parametrize(
    "text",
    ['line = { socket = "/a" }\n', 'line.socket = "/a"\n', '[line]\n"socket" = "/a"\n', "[line\n"],
)
def test_a_text_that_we_cannot_follow_is_refused_not_spoilt(text: str) -> None:
    with pytest.raises(EditError, match=r"cannot be changed by machine|not TOML"):
        edit.set_keys(text, "line", {"socket": "/b"})
