"""Bindings and nonces, with the time passed in."""

from __future__ import annotations

import pytest

from hw.messages import Account, Binding, Registered, Unregistered
from hw.phone import digest
from hw.phone.digest import Challenge, Credentials, ha1
from hw.phone.registrar import NONCE_LIFE_S, Contact, FailureLimit, Nonces, OutOfOrderError, Registrar
from hw.phone.stack import Flow
from hw.phone.text import Uri

FLOW = Flow("udp", "192.0.2.7", 5062)
ONE = Uri("201", "192.0.2.7", 5062)
TWO = Uri("201", "192.0.2.8")
GOOD = Credentials("201", "right")


def registrar(*names: str) -> Registrar:
    made = Registrar("box")
    made.set_accounts("box", [Account(name, ha1(name, "box", "right")) for name in names or ("201",)])
    return made


def bind(made: Registrar, *contacts: Contact, seq: int = 1, now: float = 0, call_id: str = "c") -> list[object]:
    return list(made.register("201", list(contacts), flow=FLOW, agent="P", call_id=call_id, seq=seq, now=now))


def challenge(made: Registrar, now: float = 0) -> Challenge:
    asked = Challenge.parse(made.authenticate([], "REGISTER", now).challenge)
    assert asked is not None
    return asked


def test_the_digest_is_that_of_the_rfc() -> None:
    fields = digest.parse(  # RFC 2617 §3.5, whose erratum-free response is 6629fae49393a05397450978507c4ef1
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", '
        'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert fields is not None
    assert digest.verify(fields, ha1("Mufasa", "testrealm@host.com", "Circle Of Life"), "GET")
    assert not digest.verify(fields, ha1("Mufasa", "testrealm@host.com", "Circle of Life"), "GET")
    assert not digest.verify(fields, ha1("Mufasa", "testrealm@host.com", "Circle Of Life"), "POST")


def test_a_right_password_proves_the_account_and_only_once_a_count() -> None:
    made = registrar()
    asked = challenge(made)
    proof = digest.respond(asked, GOOD, "REGISTER", "sip:box")
    assert made.authenticate([proof], "REGISTER", 1).account == "201"
    assert "stale=true" in made.authenticate([proof], "REGISTER", 1).challenge
    assert made.authenticate([digest.respond(asked, GOOD, "REGISTER", "sip:box", 2)], "REGISTER", 1).account == "201"


def test_a_wrong_password_and_an_unknown_account_fail_alike() -> None:
    made = registrar()
    for user, reason in (("201", "wrong password"), ("999", "unknown account")):
        proof = digest.respond(challenge(made), Credentials(user, "wrong"), "REGISTER", "sip:box")
        verdict = made.authenticate([proof], "REGISTER", 1)
        assert (verdict.account, verdict.challenge, verdict.failure, verdict.user) == ("", "", reason, user)


def test_a_wrong_password_uses_nothing_up_and_is_not_remembered() -> None:
    made = registrar()
    asked = challenge(made)
    for _ in range(3):
        wrong = digest.respond(asked, Credentials("201", "wrong"), "REGISTER", "sip:box")
        assert made.authenticate([wrong], "REGISTER", 1).failure == "wrong password"
    assert made.authenticate([digest.respond(asked, GOOD, "REGISTER", "sip:box")], "REGISTER", 1).account == "201"


def test_a_nonce_ages_and_cannot_be_forged() -> None:
    nonces = Nonces()
    nonce = nonces.issue(1000)
    assert nonces.check(nonce, "00000001", 1000 + NONCE_LIFE_S + 1) == "stale"
    assert nonces.check(nonce, "00000001", 1001) == "good"
    assert nonces.check(nonce, "00000001", 1002) == "stale"
    assert nonces.check(nonce, "nonsense", 1002) == "stale"
    for forged in ("", "x", nonce[:-1], "f" + nonce, Nonces().issue(1000), nonce.replace(".", "")):
        assert nonces.check(forged, "00000002", 1002) == "forged"
    assert nonces.check(nonce, "00000003", 1002) == "good"


def test_bindings_are_made_refreshed_and_removed_by_contact() -> None:
    made = registrar()
    assert bind(made, Contact(ONE, 300), Contact(TWO, 60)) == [
        Registered("201", str(ONE), "192.0.2.7:5062", "P", 300),
        Registered("201", str(TWO), "192.0.2.7:5062", "P", 60),
    ]
    assert [b.contact for b in made.bindings("201", 59)] == [ONE, TWO]
    bind(made, Contact(TWO, 60), seq=2, now=50)
    assert made.expire(100) == []
    assert bind(made, Contact(ONE, 0), seq=3, now=100) == [Unregistered("201", str(ONE), "phone")]
    assert made.expire(110) == [Unregistered("201", str(TWO), "expired")]
    assert made.bindings("201", 110) == []


def test_bindings_of_before_a_crash_are_restored_and_what_is_known_better_is_kept() -> None:
    before = registrar()
    told = [e for e in bind(before, Contact(ONE, 300), Contact(TWO, 60)) if isinstance(e, Registered)]
    remembered = [Binding(e.account, e.contact, e.source, e.transport, e.agent, 100) for e in told]
    made = registrar()
    bind(made, Contact(TWO, 60), now=50)
    unknown = Binding("999", str(ONE), "192.0.2.7:5062", "udp", "P", 100)
    gone = Binding("201", "sip:201@192.0.2.9", "192.0.2.9:5060", "tcp", "P", 100)
    assert made.restore([*remembered, unknown, gone], 50) == [Registered("201", str(ONE), "192.0.2.7:5062", "P", 100)]
    assert {(str(b.contact), str(b.flow), b.expires_at) for b in made.bindings("201", 50)} == {
        (str(ONE), "192.0.2.7:5062", 150),
        (str(TWO), "192.0.2.7:5062", 110),
    }
    assert bind(made, Contact(ONE, 0), seq=1, now=60) == [Unregistered("201", str(ONE), "phone")]


def test_an_old_register_changes_nothing() -> None:
    made = registrar()
    bind(made, Contact(ONE, 300), seq=5)
    with pytest.raises(OutOfOrderError):
        bind(made, Contact(TWO, 60), Contact(ONE, 0), seq=5)
    with pytest.raises(OutOfOrderError):
        made.unregister_all("201", call_id="c", seq=4)
    assert [b.contact for b in made.bindings("201", 0)] == [ONE]
    bind(made, Contact(ONE, 300), seq=1, call_id="after a reboot")
    assert made.unregister_all("201", call_id="after a reboot", seq=2) == [Unregistered("201", str(ONE), "phone")]


def test_accounts_that_are_gone_lose_their_bindings() -> None:
    made = registrar("201", "202")
    bind(made, Contact(ONE, 300))
    assert made.set_accounts("box", [Account("202", "0" * 32)]) == [Unregistered("201", str(ONE), "account")]
    assert made.registered(0) == []


def test_a_phone_that_keeps_changing_its_address_replaces_its_oldest_bindings() -> None:
    made = registrar()
    for port in range(20):
        bind(made, Contact(Uri("201", "192.0.2.7", 1000 + port), 300), seq=port)
    assert [b.contact.port for b in made.bindings("201", 0)] == list(range(1010, 1020))


def test_failures_are_told_at_most_every_ten_seconds_a_source() -> None:
    limit = FailureLimit()
    assert limit.report("192.0.2.9:1", "201", "wrong password", 0) is not None
    assert limit.report("192.0.2.9:2", "202", "wrong password", 9) is None
    assert limit.report("192.0.2.10:2", "202", "wrong password", 9) is not None
    assert limit.report("192.0.2.9:2", "202", "wrong password", 10) is not None
    assert limit.suppressed == 1
