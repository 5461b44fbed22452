"""What is cashed is what was kept, or it is refused with the reason."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.bus.port import VALUE_MAX_BYTES
from lipsol.errors import BadInput, NotFound, Transient
from lipsol.events import Claim
from lipsol.store.claims import INLINE_MAX_BYTES, MARGIN_S, Claims
from lipsol.store.local import SUFFIX, LocalStore
from lipsol.topics import STABLE_MOUTHS

KEY = "clips/ab12/mouth-0f"
HOUR_S = 3600.0


@pytest.fixture
def store(tmp_path, clock):
    return LocalStore(tmp_path, now=clock.now)


@pytest.fixture
def claims(store, clock):
    return Claims(store, inline_max_bytes=8, now=clock.now)


def refusal(claims: Claims, claim: Claim) -> str:
    """Why a claim is not cashed; it is for good, and not a lack of something that was asked for."""
    with pytest.raises(BadInput, match="send the clip again") as refused:
        claims.cash(claim)
    assert not isinstance(refused.value, NotFound)
    return refused.value.detail


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=64), st.integers(0, 64))
def test_whatever_is_kept_is_cashed_inside_the_event_up_to_the_bound_and_from_the_store_above(
    tmp_path_factory, data, bound
):
    store = LocalStore(tmp_path_factory.getbasetemp() / "claims")
    claims = Claims(store, bound)
    claim = claims.keep(KEY, data, HOUR_S)
    assert claims.cash(claim) == Claims(store).cash(claim) == data
    assert (claim.inline, claim.ref) == ((data, "") if len(data) <= bound else (b"", KEY))
    assert (claim.size_bytes, claim.digest) == (len(data), hashlib.sha256(data).hexdigest())


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=9, max_size=64), st.binary(max_size=80))
def test_nothing_else_is_ever_taken_for_what_was_kept(tmp_path_factory, data, other):
    store = LocalStore(tmp_path_factory.getbasetemp() / "claims")
    claims = Claims(store, inline_max_bytes=8)
    claim = claims.keep(KEY, data, HOUR_S)
    store.put(KEY, other)
    if other == data:
        assert claims.cash(claim) == data
    else:
        refusal(claims, claim)
        refusal(claims, replace(claim, inline=other, ref=""))


def test_what_rides_inside_touches_no_store(claims, store):
    assert claims.keep(KEY, b"12345678", HOUR_S).expires_at == 0.0
    assert store.list("") == []


def test_the_default_bound_leaves_most_of_a_message_to_the_rest_of_the_event():
    assert INLINE_MAX_BYTES == 256 * 1024 < VALUE_MAX_BYTES / 3


def test_the_store_keeps_it_longer_than_the_topic_keeps_the_event(claims, clock):
    claim = claims.keep(KEY, b"123456789", STABLE_MOUTHS.retention_s)
    assert claim.expires_at == clock.now() + STABLE_MOUTHS.retention_s + MARGIN_S
    clock.advance(STABLE_MOUTHS.retention_s + MARGIN_S - 1)
    assert claims.cash(claim) == b"123456789"
    clock.advance(31)
    assert "expired 30 s ago" in refusal(claims, claim)


def test_what_was_deleted_is_gone_and_not_expired(claims, store):
    claim = claims.keep(KEY, b"123456789", HOUR_S)
    store.delete(KEY)
    assert "gone" in refusal(claims, claim)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (b"12345678", "8 bytes where 9"),
        (b"1234567890", "10 bytes under"),
        (b"", "0 bytes where 9"),
        (b"123456780", "digest"),
    ],
    ids=["truncated", "grown", "emptied", "altered"],
)
def test_what_is_no_longer_what_was_kept_is_refused_and_says_how(claims, store, found, why):
    claim = claims.keep(KEY, b"123456789", HOUR_S)
    store.put(KEY, found)
    assert why in refusal(claims, claim)


def test_a_file_that_a_disk_cut_short_is_refused(claims, tmp_path):
    claim = claims.keep(KEY, b"123456789", HOUR_S)
    file = tmp_path / (KEY + SUFFIX)
    file.write_bytes(file.read_bytes()[:-1])
    assert "8 bytes where 9" in refusal(claims, claim)


def test_bytes_that_changed_inside_the_event_are_refused_too(claims):
    claim = claims.keep(KEY, b"1234", HOUR_S)
    assert "digest" in refusal(claims, replace(claim, inline=b"1235"))
    assert "3 bytes where 4" in refusal(claims, replace(claim, inline=b"123"))


def test_a_claim_that_is_both_inside_and_elsewhere_is_refused(claims):
    claim = claims.keep(KEY, b"123456789", HOUR_S)
    assert "inside the event" in refusal(claims, replace(claim, inline=b"1"))


@pytest.mark.parametrize("ref", ["../../etc/passwd", "/etc/passwd", "clips/ab12/", "a\0b"])
def test_a_claim_can_not_lead_out_of_the_store(claims, ref):
    with pytest.raises(BadInput, match="store key"):
        claims.cash(Claim(b"", ref, "0" * 64, 9, 0.0))


def test_a_store_that_is_away_is_no_fault_of_the_event(claims, tmp_path):
    claim = claims.keep(KEY, b"123456789", HOUR_S)
    (tmp_path / (KEY + SUFFIX)).unlink()
    (tmp_path / (KEY + SUFFIX)).mkdir()
    with pytest.raises(Transient):
        claims.cash(claim)
