"""Checks of the machine: clock, disk, cards and modems, SIP port, group. None needs the service."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import grp
import os
import pwd
import shutil
import socket
import time
from collections.abc import Iterator, Sequence

from appliance.api.locale import Translate
from appliance.diagnosis.lines import Found
from appliance.findings import Finding, State
from appliance.settings import ControlSettings
from appliance.setup.zones import titles

#: adjtimex(2) answers so while nobody keeps the clock right.
_TIME_ERROR = 5
#: Free space, in megabytes, under which it is said, and under which the store will soon fail.
LOW_MB, FULL_MB = 2_000, 200
#: How long an answer from our own SIP port may take.
_SIP_S = 2.0


def group(settings: ControlSettings, _: Translate) -> Iterator[Finding]:
    """Who may use the console."""
    name = settings.group
    try:
        entry = grp.getgrnam(name)
    except KeyError:
        todo = _("make it: groupadd --system {}").format(name)
        yield Finding("api.group", "warn", _("there is no group {}: only root can manage OneCall").format(name), todo)
        return
    user = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() != 0 and entry.gr_gid not in os.getgrouplist(user, os.getgid()):
        todo = _("usermod -aG {} {}, then log in again").format(name, user)
        yield Finding("api.group", "fail", _("{} is not in the group {}").format(user, name), todo)
    else:
        yield Finding("api.group", "ok", _("members of the group {}: {}").format(name, " ".join(entry.gr_mem) or "–"))


def clock(newest_event: float, _: Translate) -> Iterator[Finding]:
    """Whether the clock is kept right (adjtimex(2)), and has not gone back behind the newest event."""
    buffer = ctypes.create_string_buffer(512)  # a struct timex, all zero: only ask
    kept = ctypes.CDLL(None, use_errno=True).adjtimex(buffer) not in (-1, _TIME_ERROR)
    if kept:
        yield Finding("clock.kept", "ok", _("the clock is kept right by a time service"))
    else:
        todo = _("install one, such as systemd-timesyncd or chrony, and let it reach a time server")
        yield Finding("clock.kept", "warn", _("no time service keeps the clock right"), todo)
    behind = newest_event - time.time()
    if behind > 5:
        todo = _("set the clock right; reports of these hours will be wrong")
        yield Finding("clock.back", "fail", _("the clock is {:.0f} s before the newest event").format(behind), todo)


def disk(settings: ControlSettings, _: Translate) -> Iterator[Finding]:
    """Room for the store; recordings tell of theirs."""
    place = next(up for up in (settings.store.parent, *settings.store.parents) if up.exists())
    free = shutil.disk_usage(place).free / 1e6
    state: State = "fail" if free < FULL_MB else "warn" if free < LOW_MB else "ok"
    todo = "" if state == "ok" else _("remove old files or give the folder a bigger disk")
    yield Finding("disk", state, _("{}: {:.1f} GB are free").format(place, free / 1e3), todo)


def lines(found: Found, spans: Sequence[str], zone: str, _: Translate) -> Iterator[Finding]:
    """Cards and modems, and whether the settings use them; whose tones there are."""
    if found.cards and all(driver == "sim" for driver in spans):
        yield Finding("lines.card", "warn", _("card found: {}; the lines are simulated").format(", ".join(found.cards)))
    else:
        yield Finding("lines.card", "ok", _("cards: {}").format(", ".join(found.cards) or _("none")))
    yield Finding("lines.modem", "ok", _("serial ports: {}").format(", ".join(found.serial) or _("none")))
    for port in found.serial:
        if not os.access(port, os.R_OK | os.W_OK) and os.getuid() != 0:
            todo = _("add the service's user to the group dialout")
            yield Finding("lines.modem", "warn", _("{} cannot be opened by this user").format(port), todo)
    if not spans:
        todo = _("onecall lines use sim, or set [[line.spans]] in onecall.toml")
        yield Finding("lines.set", "fail", _("no line is set up: nobody can call"), todo)
    else:
        yield Finding("lines.set", "ok", _("lines: {}").format(", ".join(spans)))
    if (title := titles(_).get(zone)) is not None:  # of another one the settings' check tells
        yield Finding("lines.zone", "ok", _("zone: {} ({})").format(zone, title))


def sip(listen: Sequence[str], running: bool, _: Translate) -> Iterator[Finding]:
    """Whether somebody answers at the SIP address, and whether phones on the network can reach it."""
    for text in listen:
        transport, _sep, rest = text.partition(":")
        host, _sep, port = rest.rpartition(":")
        name, host = f"phones.{transport}", host.strip("[]")
        try:
            answered = _options(transport, host, int(port))
        except OSError as error:
            answered = False
            if error.errno == errno.EADDRNOTAVAIL:
                todo = _("set listen in [phone] of onecall.toml to an address of this machine")
                yield Finding(name, "fail", _("{} is no address of this machine").format(host), todo)
                continue
        if not answered:
            todo = _("systemctl status onecall-phone says why") if running else _("systemctl start onecall.target")
            yield Finding(name, "fail", _("nobody answers SIP at {}").format(text), todo)
        elif host.startswith("127.") or host == "::1":
            todo = _("for real phones set listen in [phone] and rtp_address in [line] to this machine's address")
            yield Finding(name, "warn", _("{} answers, to this machine only").format(text), todo)
        else:
            yield Finding(name, "ok", _("{} answers").format(text))


def _options(transport: str, host: str, port: int) -> bool:
    """Whether an OPTIONS (RFC 3261 §11) is answered, with whatever status. Raises ``OSError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with contextlib.closing(socket.socket(family, kind)) as end:
        end.settimeout(_SIP_S)
        end.bind((host, 0))  # from the same address: it is one of ours, or the error says that it is none
        end.connect((host, port))
        own = f"[{host}]" if ":" in host else host
        tag = f"{time.time_ns():x}"
        end.sendall(
            "\r\n".join((
                f"OPTIONS sip:{own}:{port} SIP/2.0",
                f"Via: SIP/2.0/{transport.upper()} {own}:{end.getsockname()[1]};branch=z9hG4bK{tag}",
                "Max-Forwards: 70",
                f"From: <sip:doctor@{own}>;tag={tag}",
                f"To: <sip:{own}:{port}>",
                f"Call-ID: {tag}@doctor",
                "CSeq: 1 OPTIONS",
                "Content-Length: 0",
                "",
                "",
            )).encode()
        )  # fmt: skip
        return end.recv(4096).startswith(b"SIP/2.0 ")
