"""The table [line]: what is allowed, and that an error says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hw.line.settings import LineSettings
from hw.settings import SettingsError, structure


def test_a_socket_is_enough_and_spans_have_all_bearer_channels() -> None:
    settings = structure({"socket": "/run/x", "spans": [{"name": "e1"}]}, LineSettings, "here")
    assert settings.socket == Path("/run/x")
    assert len(settings.spans[0].channels) == 30 and 16 not in settings.spans[0].channels


@pytest.mark.parametrize(("table", "said"), [
    ({"rtp_ports": [20000, 19000]}, "20000..19000"), ({"rtp_ports": [80, 90]}, "1024..65535"),
    ({"rtp_address": "0.0.0.0"}, "phones are told"), ({"rtp_address": "pbx.example"}, "IP address"),
    ({"spans": [{"name": "e1"}, {"name": "e1"}]}, "'e1' is given twice"), ({"spans": [{"name": ""}]}, "name"),
    ({"spans": [{"name": "e1", "driver": "dadhi"}]}, "driver"), ({"rtp_silence_ms": 10}, "200"),
    ({"rtp": 1}, "unknown key rtp"), ({"zone": "xx"}, "'xx' is no zone (there are cn, hk, tw, sg, us, uk, de, fr)"),
    ({"spans": [{"name": "lines", "signalling": "fxo"}]}, "loop.numbers: 0 given, one for each analog channel: 4"),
    ({"zone": "us", "spans": [{"name": "co", "signalling": "fxo", "channels": [1], "loop": {"numbers": ["1"]}}]},
     "co (fxo) works in the zone cn only"),
    ({"spans": [{"name": "e1", "loop": {"numbers": ["801"]}}]}, "1 given, one for each analog channel: 0"),
    ({"spans": [{"name": "x", "signalling": "fxs", "channels": [1], "loop": {"numbers": ["8-1"]}}]}, "no number"),
    ({"spans": [{"name": "x", "signalling": "fxs", "channels": [1], "loop": {"flash_ms": 5}}]}, "flash_ms"),
])
def test_an_error_names_the_place_and_what_is_wrong(table, said) -> None:
    with pytest.raises(SettingsError) as error:
        structure({"socket": "/run/x", **table}, LineSettings, "site.toml: [line]")
    assert str(error.value).startswith("site.toml: [line]") and said in str(error.value)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"driver": "serial", "signalling": "voicemodem"}, "the driver serial needs it"),
        ({"driver": "serial", "signalling": "pri", "serial": {"port": "/dev/x"}}, "'pri' is not for the driver"),
        ({"driver": "serial", "signalling": "voicemodem", "serial": {"port": "/dev/x"}}, "a number is needed"),
        ({"driver": "serial", "signalling": "voicemodem", "serial": {"port": "ttyUSB0"}}, "must be a path"),
    ],
)
def test_a_modems_line_says_what_it_lacks(span: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        structure({"socket": "/x", "spans": [{"name": "po1", **span}]}, LineSettings, "here")
