"""The numbers and structures against DAHDI's own header, by a C compiler, where the header is there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from struct import Struct

import pytest

from hw.line.dahdi import abi

_PLACES = ("/usr/include", os.environ.get("DAHDI_INCLUDE", "/nowhere"))
REQUESTS = {name: value for name, value in vars(abi).items() if isinstance(value, abi.Request)}
#: What the header calls otherwise.
_C_NAMES = {"MAINT_MODE": "MAINT"}
_STRUCTS = {
    "SPANINFO": "spaninfo", "PARAMS": "params", "BUFFERINFO": "bufferinfo", "GAINS": "gains",
    "ATTACH": "attach_echocan", "MAINT": "maintinfo", "VERSION": "versioninfo",
    "CADENCE": "ring_cadence",
}  # fmt: skip
#: Members whose place in the unpacked tuple the driver relies on.
_MEMBERS = {
    "SPANINFO": ("alarms", "bpvcount", "irqmisses", "syncsrc", "totalchans", "lineconfig", "spantype"),
    "PARAMS": (
        "spanno", "chanpos", "sigtype", "sigcap", "idlebits", "name", "rxisoffhook", "curlaw", "flashtime",
        "rxflashtime", "chan_alarms",
    ),
    "BUFFERINFO": ("numbufs", "bufsize", "readbufs", "writebufs"),
}
_AT = {
    ("SPANINFO", "alarms"): 3, ("SPANINFO", "bpvcount"): 6, ("SPANINFO", "irqmisses"): 15, ("SPANINFO", "syncsrc"): 16,
    ("SPANINFO", "totalchans"): 18, ("SPANINFO", "lineconfig"): 21, ("SPANINFO", "spantype"): 28,
    ("PARAMS", "spanno"): 1, ("PARAMS", "chanpos"): 2, ("PARAMS", "sigtype"): 3, ("PARAMS", "sigcap"): 4,
    ("PARAMS", "idlebits"): 11, ("PARAMS", "rxisoffhook"): abi.Params.OFF_HOOK, ("PARAMS", "curlaw"): abi.Params.LAW,
    ("PARAMS", "flashtime"): abi.Params.FLASH, ("PARAMS", "rxflashtime"): abi.Params.RX_FLASH,
    ("PARAMS", "chan_alarms"): abi.Params.ALARMS,
    ("PARAMS", "name"): 12, ("BUFFERINFO", "numbufs"): 2, ("BUFFERINFO", "bufsize"): 3, ("BUFFERINFO", "readbufs"): 4,
    ("BUFFERINFO", "writebufs"): 5,
}  # fmt: skip


def test_the_sizes_are_those_that_the_kernel_has_in_its_ioctl_numbers() -> None:
    assert (abi.SPANINFO.size, abi.PARAMS.size, abi.GAINS.size) == (314, 136, 516)
    assert abi.SPANSTAT.code == 0xC13ADA0A
    assert abi.SPECIFY.code == 0x4004DA26


def test_every_number_size_and_offset_is_the_headers(tmp_path: Path) -> None:
    include = _include()
    constants = [name for name, value in vars(abi).items() if isinstance(value, int) and name[0] != "_"]
    ours = [value.code for value in REQUESTS.values()] + [getattr(abi, name) for name in constants]
    theirs = [f"DAHDI_{_C_NAMES.get(name, name)}" for name in REQUESTS]
    theirs += [name if name == "ELAST" else f"DAHDI_{name}" for name in constants]
    for name, c in _STRUCTS.items():
        layout = getattr(abi, name)
        ours.append(layout.size)
        theirs.append(f"sizeof(struct dahdi_{c})")
        for member in _MEMBERS.get(name, ()):
            ours.append(_offset(layout.format, _AT[name, member]))
            theirs.append(f"offsetof(struct dahdi_{c}, {member})")
    said = _values(theirs, "dahdi/user.h", include, tmp_path)
    wrong = [
        f"{term}: {there}, ours {here}" for term, here, there in zip(theirs, ours, said, strict=True)
        if here != there
    ]  # fmt: skip
    assert not wrong
    assert len(ours) > 60


def test_the_simulated_card_has_the_headers_numbers_too(tmp_path: Path) -> None:
    include = _include()
    card = Path(__file__).parent / "card"
    names = re.findall(r"^#define (DAHDI_\w+|ELAST) ", (card / "user.h").read_text(), re.MULTILINE)
    assert len(names) > 70
    ours, theirs = _values(names, "user.h", card, tmp_path), _values(names, "dahdi/user.h", include, tmp_path)
    assert dict(zip(names, ours, strict=True)) == dict(zip(names, theirs, strict=True))


def _include() -> Path:
    for place in map(Path, _PLACES):
        if (place / "dahdi/user.h").exists():
            return place
    pytest.skip("dahdi/user.h is not there; tests/dahdi/run compares with the package's")


def _values(terms: list[str], header: str, include: Path, folder: Path) -> list[int]:
    """What C makes of these terms with this header."""
    lines = "".join(f'printf("%lu\\n", (unsigned long)({term}));\n' for term in terms)
    source = folder / "values.c"
    source.write_text(
        f"#include <stddef.h>\n#include <stdio.h>\n#include <sys/ioctl.h>\n#include <{header}>\n"
        f"int main(void) {{\n{lines}return 0;\n}}\n"
    )
    subprocess.run(["gcc", "-w", "-I", include, "-o", folder / "values", source], check=True)
    said = subprocess.run([folder / "values"], capture_output=True, text=True, check=True).stdout
    return [int(line) for line in said.split()]


def _offset(layout: str, index: int) -> int:
    """Where the value of this index begins."""
    zero = Struct(layout).unpack(bytes(Struct(layout).size))
    values: list[int | bytes] = list(zero)
    values[index] = b"\x01" if isinstance(zero[index], bytes) else 1
    return Struct(layout).pack(*values).index(1)
