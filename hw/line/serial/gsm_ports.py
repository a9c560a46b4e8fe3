"""Which serial ports of a GSM module are for what: told by the USB interfaces that udev's names have in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

#: ``…-if02-port0`` below /dev/serial/by-id: the device, its interface, the port on that.
_NAME = re.compile(r"(.*-if)([0-9a-f]{2})(-port\d+)?")
#: The interfaces of the port for commands and of the one for audio, by model. SIMCom SIM7500/SIM7600 series: 0 to 4 are
#: diagnosis, NMEA, commands, modem, audio. Quectel EC2x, EG2x, EG9x: diagnosis, NMEA, commands, modem; audio takes the
#: place of NMEA (+QPCMV=1,0). Other series of both makers (A7600, EC200) count differently.
_INTERFACES = ((re.compile(r"SIM7[56]00"), 2, 4), (re.compile(r"\bE[CG]2[015](?!\d)|\bEG9[1-6](?!\d)"), 2, 1))


@frozen
class Ports:
    """Two ports of one module: for commands, and for audio."""

    at: str
    audio: str


def told(device: str, found: Mapping[str, str]) -> Ports | None:
    """The ports of the module that answers at ``device``; None where they cannot be told. ``found``: all devices that
    there are, with the model's name of each that is a module's.

    Modules of one kind without serial numbers share udev's names, which then lead to either: the other one shows by a
    device without such a name.
    """
    name = found[device]
    twin = any(other == name and _NAME.fullmatch(place) is None for place, other in found.items())
    own = None if twin else _NAME.fullmatch(device)
    interfaces = next(((at, audio) for models, at, audio in _INTERFACES if models.search(name)), None)
    if own is None or interfaces is None:
        return None
    at, audio = (f"{own[1]}{interface:02x}{own[3] or ''}" for interface in interfaces)
    return Ports(at, audio) if {at, audio} <= found.keys() else None
