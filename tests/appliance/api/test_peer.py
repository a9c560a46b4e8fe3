"""Who may use the API: root, the service's own user, members of the group; by what the kernel and the system say."""

import os
import pwd
import socket

import pytest

from appliance.api.peer import Credentials, credentials, groups_of, identify, refusal


@pytest.mark.parametrize(
    ("uid", "groups", "role"),
    [
        (0, set(), "admin"),
        (977, set(), "admin"),
        (65534, {"onecall"}, "admin"),
        (65534, {"users", "onecall-agents"}, "refused"),
        (65534, set(), "refused"),
        (123456, set(), "refused"),
    ],
)
def test_who_is_let_in(uid: int, groups: set[str], role: str) -> None:
    assert identify(Credentials(1, uid, uid), "onecall", 977, lambda *_: groups).role == role


def test_a_refused_user_is_told_the_command_that_helps() -> None:
    peer = identify(Credentials(1, 65534, 65534), "onecall", 977, lambda *_: set())
    assert refusal(peer, "onecall").endswith("add the user to the group onecall (usermod -aG onecall nobody)")


def test_a_user_without_a_name_is_told_his_number() -> None:
    assert identify(Credentials(1, 123456, 123456), "onecall", 977, lambda *_: set()).name == "uid 123456"


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert credentials(here) == Credentials(os.getpid(), os.getuid(), os.getgid())


def test_groups_are_the_systems() -> None:
    assert groups_of(0, pwd.getpwuid(0).pw_gid) >= {"root"}
    assert groups_of(123456, 123456) == set()
