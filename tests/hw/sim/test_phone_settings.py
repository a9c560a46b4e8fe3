"""Settings of the simulated phones that cannot be right are refused, naming the key and what is allowed."""

import pytest

from hw.settings import SettingsError, structure
from hw.sim.settings import PhonesSettings, SimSettings

ONE = {"account": "201", "password": "x", "code": 1}


def test_what_is_not_given_has_sensible_values():
    phones = structure({"list": [ONE]}, PhonesSettings, "sim.phones")
    assert (phones.registrar, phones.address, phones.expires) == ("127.0.0.1:5060", "127.0.0.1", 120)
    (phone,) = phones.list
    assert (phone.answers, phone.talk_ms, phone.login, phone.transport) == ("answer", (0, 0), "", "udp")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"registrar": "box"}, "must be an IPv4 address and a port"),
        ({"registrar": "127.0.0.1:0"}, "must be an IPv4 address and a port"),
        ({"address": "localhost"}, "must be an IPv4 address"),
        ({"expires": 3}, "expires"),
        ({"list": [{**ONE, "answer_ms": [9, 1]}]}, "must be least and most milliseconds"),
        ({"list": [{**ONE, "answers": "maybe"}]}, "maybe"),
        ({"list": [{**ONE, "code": 10000}]}, "code"),
        ({"list": [ONE, {**ONE, "code": 2}]}, "account '201' is given twice"),
        ({"list": [ONE, {**ONE, "account": "202"}]}, "code 1 is given twice"),
    ],
)
def test_what_cannot_be_right_is_refused(data, says):
    with pytest.raises(SettingsError, match=says):
        structure(data, PhonesSettings, "sim.phones")


def test_no_two_people_have_one_voice():
    number = {"number": "13900000001", "code": 1}
    with pytest.raises(SettingsError, match="code 1 is the voice of phone 201"):
        structure({"phones": {"list": [ONE]}, "exchange": {"spans": [], "numbers": [number]}}, SimSettings, "sim")
    wish = {"name": "any", "called": "95001"}
    traffic = {"calls_per_hour": 60, "wishes": [wish], "first_code": 0}
    with pytest.raises(SettingsError, match="choose another first_code"):
        structure({"phones": {"list": [ONE]}, "traffic": traffic}, SimSettings, "sim")
