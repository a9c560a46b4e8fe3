"""The steps of the first run: what each asks, what it may be, and which key of the settings it is. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from appliance.api.locale import Translate
from appliance.setup import edit
from appliance.setup.lines import LINES, SIGNALLING, is_digital, use_lines, use_signalling
from appliance.setup.zones import now as zone_now
from appliance.setup.zones import titles, use_zone


@frozen
class Step:
    """One question. ``change`` makes the new text of the settings; None: it is not about the settings file.

    ``applies`` to these settings, or there is nothing to ask.
    """

    name: str
    question: str
    check: Callable[[str], str]
    now: Callable[[Mapping[str, Any]], str] = lambda _: ""
    change: Callable[[str, str], str] | None = field(default=None)
    applies: Callable[[Mapping[str, Any]], bool] = lambda _: True


def steps(_: Translate) -> list[Step]:
    """All steps in order. ``check`` raises ``ValueError`` with a sentence."""
    zones = titles(_)
    named = ", ".join(f"{name} {title}" for name, title in zones.items())
    return [
        Step("site", _("Name of the call centre"), _filled(_), _reader("site", "OneCall"), _key("site")),
        Step("language", _("Language (zh or en)"), _one_of(("zh", "en"), _), _reader("language", "zh"),
             _key("language")),
        Step("zone", _("Zone, for tones and analog lines ({})").format(named), _one_of(tuple(zones), _), zone_now,
             use_zone),
        Step("address", _("This machine's IPv4 address on the phones' network"), _address(_), _address_now,
             _set_address),
        Step("outside-prefix", _("What phones dial before a number outside (- for none: nobody dials out)"), _digits(_),
             _reader("outside_prefix", "9"), _key("outside_prefix")),
        Step("lines", _("Lines ({})").format(", ".join(LINES)), _one_of(tuple(LINES), _), _driver, use_lines),
        Step("signalling", _("Signalling of the card's digital spans ({})").format(", ".join(SIGNALLING)),
             _one_of(SIGNALLING, _), _signalling_now, use_signalling, _has_digital),
        Step("number", _("Number that callers dial (- for none)"), _number(_)),
    ]  # fmt: skip


def _reader(key: str, default: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda tables: str(tables.get("control", {}).get(key, default))


def _key(key: str) -> Callable[[str, str], str]:
    return lambda text, value: edit.set_keys(text, "control", {key: value})


def _driver(tables: Mapping[str, Any]) -> str:
    """The kind of the lines that there are, if they are of one kind."""
    kinds = {str(span.get("driver", "sim")) for span in tables.get("line", {}).get("spans", ())}
    kind = kinds.pop() if len(kinds) == 1 else ""
    return "modem" if kind == "serial" else kind


def _has_digital(tables: Mapping[str, Any]) -> bool:
    return any(is_digital(span) for span in tables.get("line", {}).get("spans", ()))


def _signalling_now(tables: Mapping[str, Any]) -> str:
    """That of the card's digital spans, if there are some and they are alike."""
    kinds = {str(span.get("signalling", "pri")) for span in tables.get("line", {}).get("spans", ()) if is_digital(span)}
    return kinds.pop() if len(kinds) == 1 else ""


def _address_now(tables: Mapping[str, Any]) -> str:
    return str(tables.get("line", {}).get("rtp_address", "127.0.0.1"))


def _set_address(text: str, value: str) -> str:
    """Phones are told this address for SIP and for RTP; the port stays."""
    before = edit.parsed(text).get("phone", {}).get("listen", ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"])
    listen = [f"{one.split(':')[0]}:{value}:{one.rpartition(':')[2]}" for one in before]
    return edit.set_keys(edit.set_keys(text, "line", {"rtp_address": value}), "phone", {"listen": listen})


def _filled(_: Translate) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not value.strip() or not value.isprintable() or len(value) > 100:
            raise ValueError(_("{!r} must be 1 to 100 characters").format(value))
        return value.strip()

    return check


def _one_of(allowed: tuple[str, ...], _: Translate) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(_("{!r} must be one of {}").format(value, ", ".join(allowed)))
        return value

    return check


def _address(_: Translate) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            address = ipaddress.IPv4Address(value)
        except ValueError:
            raise ValueError(_("{!r} is no IPv4 address").format(value)) from None
        if address.is_unspecified:
            raise ValueError(_("{!r}: must be one address, phones are told it").format(value))
        return value

    return check


def _digits(_: Translate) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch("-|[0-9]{1,4}", value):
            raise ValueError(_("{!r} must be 1 to 4 digits, or - for none").format(value))
        return value.replace("-", "")

    return check


def _number(_: Translate) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(r"-|[0-9]{2,15}", value):
            raise ValueError(_("{!r} must be 2 to 15 digits, or - for none").format(value))
        return value

    return check
