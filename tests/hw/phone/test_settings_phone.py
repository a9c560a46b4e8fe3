"""The phone process's settings: every error says what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw.phone.settings import PhoneSettings, parse_listen
from hw.phone.stack import Flow
from hw.settings import SettingsError, load


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("listen = []", "one address for udp"),
        ('listen = ["udp:127.0.0.1:1", "udp:127.0.0.2:1"]', "one address for udp"),
        ('listen = ["sctp:127.0.0.1:5060"]', "udp:ADDRESS:PORT"),
        ('listen = ["udp:0.0.0.0:5060"]', "phones are told it"),
        ('listen = ["udp:300.0.0.1:5060"]', "no IP address"),
        ("max_expires_s = 10", "min_expires_s"),
        ('address = "a b"', "no host name"),
    ],
)
def test_a_setting_that_cannot_be_is_named(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "onecall.toml"
    file.write_text(f'[phone]\nsocket = "/run/x"\n{line}\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"onecall\.toml") as error:
        load(file, "phone", PhoneSettings)
    assert says in str(error.value)


def test_listen_addresses_are_read() -> None:
    assert parse_listen("tcp:[2001:db8::1]:5070") == Flow("tcp", "2001:db8::1", 5070)
