"""Which port of a GSM module is for what, told by its name."""

from __future__ import annotations

import pytest

from hw.line.serial.gsm_ports import Ports, told

FOLDER = "/dev/serial/by-id/usb-Maker_1"


def ports(name: str, at: str) -> dict[str, str]:
    """Five ports as udev names them; a module of that name answers at one of them."""
    return {f"{FOLDER}-if0{n}-port0": name if f"if0{n}" == at else "" for n in range(5)}


@pytest.mark.parametrize(
    ("name", "audio"),
    [("SIMCOM INCORPORATED SIMCOM_SIM7600CE", "if04"), ("SIMCOM_SIM7500A", "if04"), ("Quectel EC20F", "if01"),
     ("Quectel EC25", "if01"), ("Quectel EG25", "if01"), ("Quectel EG95", "if01")],
)  # fmt: skip
@pytest.mark.parametrize("at", ["if02", "if03"])
def test_a_module_that_numbers_its_ports_as_its_series_does_tells_both(name: str, audio: str, at: str) -> None:
    assert told(f"{FOLDER}-{at}-port0", ports(name, at)) == Ports(f"{FOLDER}-if02-port0", f"{FOLDER}-{audio}-port0")


@pytest.mark.parametrize("name", ["Quectel EC200U", "SIMCOM A7600C", "huawei ME909s"])
def test_another_series_tells_nothing(name: str) -> None:
    assert told(f"{FOLDER}-if02-port0", ports(name, "if02")) is None


def test_without_an_audio_port_or_beside_one_of_the_same_kind_that_lacks_names_nothing_is_told() -> None:
    at, found = f"{FOLDER}-if02-port0", ports("Quectel EC25", "if02")
    assert told(at, {place: name for place, name in found.items() if "if01" not in place}) is None
    assert told(at, found | {"/dev/ttyUSB7": "Quectel EC25"}) is None
    assert told(at, found | {"/dev/ttyUSB7": "Quectel EC20F"}) is not None
    assert told("/dev/ttyUSB7", found | {"/dev/ttyUSB7": "Quectel EC25"}) is None
