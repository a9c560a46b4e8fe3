"""SDP offer and answer (RFC 4566, RFC 3264) for one audio stream: PCMA, PCMU and telephone-event (RFC 4733). Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal, get_args

from attrs import evolve, frozen

from hw.messages import Codec, Direction, Media

Name = Literal["PCMA", "PCMU"]
#: Static payload types of RFC 3551 §6.
_STATIC: dict[int, str] = {0: "PCMU/8000", 8: "PCMA/8000"}
_CODECS: dict[str, Name] = {"PCMA/8000": "PCMA", "PCMU/8000": "PCMU"}
_DIRECTIONS = get_args(Direction)
_MAX_STREAMS = 16
_RTPMAP = re.compile(r"rtpmap:([0-9]{1,3})\s+([A-Za-z0-9_.-]+)/([0-9]{1,6})(?:/1)?\s*")
_PTIMES = (10, 20, 30, 40, 60)


class SdpError(ValueError):
    """A session description that cannot be used."""


class MalformedSdpError(SdpError):
    """It is no session description (400)."""


class UnacceptableSdpError(SdpError):
    """Nothing in it that we can do (488; Q.850 88)."""


@frozen
class Stream:
    """One media line: everything after ``m=``, its port apart."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    address: str = ""


@frozen
class Description:
    """A description we can use: its streams, which of them is ``audio``, and what that says."""

    streams: tuple[Stream, ...]
    audio: int
    media: Media


def parse(body: bytes, source: str = "") -> Description:
    """Read a description that came from ``source`` and pick the first usable audio stream. Raises ``SdpError``."""
    streams, session_address, session_attributes = _streams(body)
    for index, stream in enumerate(streams):
        if stream.kind == "audio" and stream.protocol == "RTP/AVP" and stream.port:
            media = _media(stream, session_address, session_attributes)
            if media is not None:
                apart = source if source != media.address else ""
                return Description(streams, index, evolve(media, source=apart))
    raise UnacceptableSdpError("no audio stream of RTP/AVP with PCMA or PCMU")


def offer(local: Media, session: int, version: int) -> bytes:
    """Our offer, or our description when we speak first in a 200."""
    return _write(local, session, version, (_line(local, local.port),))


def answer(offered: Description, local: Media, session: int, version: int) -> bytes:
    """Our answer: one line for each line offered, the payload types as offered (RFC 3264 §6).

    Raises ``UnacceptableSdpError`` when ``local`` has no codec in common with the offer.
    """
    agreed = common(offered.media, local)
    lines = tuple(
        _line(agreed, agreed.port)
        if index == offered.audio
        else [f"m={stream.kind} 0 {stream.protocol} {' '.join(stream.formats)}"]
        for index, stream in enumerate(offered.streams)
    )
    return _write(local, session, version, lines)


def common(far: Media, local: Media) -> Media:
    """What our answer says: the codecs both have, in the far end's order and numbers, the direction both allow."""
    ours = {codec.name for codec in local.codecs}
    codecs = tuple(codec for codec in far.codecs if codec.name in ours)
    if not codecs:
        raise UnacceptableSdpError("no codec in common")
    event = far.telephone_event if local.telephone_event is not None else None
    return Media(local.address, local.port, codecs, event, _direction(far.direction, local.direction), far.ptime_ms)


def _direction(far: Direction, local: Direction) -> Direction:
    send = local in ("sendrecv", "sendonly") and far in ("sendrecv", "recvonly")
    receive = local in ("sendrecv", "recvonly") and far in ("sendrecv", "sendonly")
    if send and receive:
        return "sendrecv"
    return "sendonly" if send else "recvonly" if receive else "inactive"


def _write(local: Media, session: int, version: int, lines: tuple[list[str], ...]) -> bytes:
    family = "IP6" if ":" in local.address else "IP4"
    head = [
        "v=0", f"o=- {session} {version} IN {family} {local.address}", "s=-", f"c=IN {family} {local.address}", "t=0 0",
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in [*head, *(line for part in lines for line in part)]).encode()


def _line(media: Media, port: int) -> list[str]:
    formats = [str(codec.payload) for codec in media.codecs]
    maps = [f"a=rtpmap:{codec.payload} {codec.name}/8000" for codec in media.codecs]
    if media.telephone_event is not None:
        formats.append(str(media.telephone_event))
        maps += [f"a=rtpmap:{media.telephone_event} telephone-event/8000", f"a=fmtp:{media.telephone_event} 0-15"]
    return [f"m=audio {port} RTP/AVP {' '.join(formats)}", *maps, f"a=ptime:{media.ptime_ms}", f"a={media.direction}"]


def _streams(body: bytes) -> tuple[tuple[Stream, ...], str, tuple[str, ...]]:
    lines = body.decode("utf-8", errors="replace").replace("\r\n", "\n").rstrip("\n\0 ").split("\n")
    if lines[0].strip() != "v=0":
        raise MalformedSdpError("does not begin with v=0")
    heads: list[str] = []
    addresses = [""]
    attributes: list[list[str]] = [[]]
    for line in lines[1:]:
        kind, equals, value = line.partition("=")
        if not equals or len(kind) != 1:
            raise MalformedSdpError(f"no type=value: {line[:40]!r}")
        if kind == "m":
            heads.append(value)
            addresses.append("")
            attributes.append([])
        elif kind == "c":
            addresses[-1] = _address(value)
        elif kind == "a":
            attributes[-1].append(value.strip())
    if len(heads) > _MAX_STREAMS:
        raise MalformedSdpError(f"{len(heads)} media lines")
    streams = tuple(_stream(*parts) for parts in zip(heads, attributes[1:], addresses[1:], strict=True))
    return streams, addresses[0], tuple(attributes[0])


def _stream(head: str, attributes: list[str], address: str) -> Stream:
    parts = head.split()
    port = parts[1].partition("/")[0] if len(parts) >= 4 else ""
    if not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535 or not all(part.isprintable() for part in parts):
        raise MalformedSdpError(f"no media line: {head[:40]!r}")
    return Stream(parts[0], int(port), parts[2], tuple(parts[3:]), tuple(attributes), address)


def _address(value: str) -> str:
    parts = value.split()
    try:
        if len(parts) != 3 or parts[0] != "IN":
            raise ValueError
        return str(ipaddress.ip_address(parts[2].partition("/")[0]))
    except ValueError:
        raise MalformedSdpError(f"no connection data with an IP address: {value[:60]!r}") from None


def _media(stream: Stream, session_address: str, session_attributes: tuple[str, ...]) -> Media | None:
    address = stream.address or session_address
    if not address:
        raise MalformedSdpError("no connection data for the audio stream")
    formats = [int(text) for text in stream.formats if re.fullmatch("[0-9]{1,3}", text) and int(text) < 128]
    names = dict(_STATIC)
    for attribute in stream.attributes:
        match = _RTPMAP.fullmatch(attribute)
        if match is not None:
            names[int(match[1])] = f"{match[2].upper()}/{match[3]}"
    codecs = tuple(Codec(_CODECS[names[f]], f) for f in dict.fromkeys(formats) if names.get(f) in _CODECS)
    if not codecs:
        return None
    event = next((f for f in formats if names.get(f) == "TELEPHONE-EVENT/8000"), None)
    direction = _stated_direction(stream.attributes) or _stated_direction(session_attributes) or "sendrecv"
    if ipaddress.ip_address(address).is_unspecified:  # hold as RFC 2543 had it
        direction = "sendonly" if direction in ("sendrecv", "sendonly") else "inactive"
    return Media(address, stream.port, codecs, event, direction, _ptime(stream.attributes))


def _stated_direction(attributes: tuple[str, ...]) -> Direction | None:
    return next((direction for text in attributes for direction in _DIRECTIONS if text == direction), None)


def _ptime(attributes: tuple[str, ...]) -> int:
    stated = next((text[6:] for text in attributes if text.startswith("ptime:")), "")
    return int(stated) if stated in map(str, _PTIMES) else 20
