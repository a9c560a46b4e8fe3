"""Who is at the other end of the socket, and whether he may use it."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from collections.abc import Callable

from attrs import frozen

from appliance.api.types import Role


@frozen
class Credentials:
    """What the kernel says of the peer (SO_PEERCRED, unix(7))."""

    pid: int
    uid: int
    gid: int


@frozen
class Peer:
    """A client: ``name`` is the user's, ``role`` what he may do."""

    name: str
    role: Role
    pid: int


def credentials(connection: socket.socket) -> Credentials:
    """Ask the kernel."""
    size = struct.calcsize("3i")
    return Credentials(*struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)))


def groups_of(uid: int, gid: int) -> set[str]:
    """Names of the groups that a user has according to the system's database now, ``gid`` being his first."""
    try:
        numbers = os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        numbers = [gid]
    names = set()
    for number in numbers:
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return names


def identify(
    who: Credentials, group: str, own_uid: int, groups: Callable[[int, int], set[str]] = groups_of
) -> Peer:
    """Root, the service's own user, and members of ``group`` are admins; others are refused."""
    try:
        name = pwd.getpwuid(who.uid).pw_name
    except KeyError:
        name = f"uid {who.uid}"
    allowed = who.uid in (0, own_uid) or group in groups(who.uid, who.gid)
    return Peer(name, "admin" if allowed else "refused", who.pid)


def refusal(peer: Peer, group: str) -> str:
    """What a refused peer is told."""
    return f"{peer.name} may not manage OneCall: add the user to the group {group} (usermod -aG {group} {peer.name})"
