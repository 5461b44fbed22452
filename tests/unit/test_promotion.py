"""The record of a promotion: what it can't say, and what a signature under it holds."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipsol.errors import BadInput, ModelError
from lipsol.promotion import Promotion, before, of_name
from lipsol.signing import Keys, Signature, SigningKey
from tests.bundles_made import promotion_of

KEY = SigningKey.new()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    (tmp_path / "ours.pem").write_bytes(KEY.public_pem())
    return Keys.load(tmp_path)


def test_a_signed_promotion_comes_back_from_its_file_and_verifies(keys: Keys):
    verdict = {"passed": True, "findings": [{"rule": "wer", "value": 0.1, "bound": 1}], "rules": "full"}
    signed = promotion_of("a" * 64, "b" * 64, verdict=verdict, scores={"wer": 0.0}, why="بہتر ہے", at=7.0).signed(KEY)
    held = Promotion.from_json(signed.to_json(), "0001.json")
    assert held == signed and held.signature is not None and held.signature.key == KEY.id
    held.verify(keys)


OTHER: dict[str, Any] = {
    "model": "x", "version": "9", "digest": "c" * 64, "language": "ur", "kind": "words", "action": "demote",
    "replaces": "c" * 64, "data_version": "0", "evaluation_digest": "0", "verdict": {"passed": True, "rules": "lax"},
    "scores": {"wer": 0.0}, "by": "x", "why": "x", "against_the_gate": "x", "run": "x", "at": 2.0,
}  # fmt: skip


@pytest.mark.parametrize("field", OTHER)
def test_a_signature_is_under_every_field(field: str, keys: Keys):
    changed = replace(promotion_of("a" * 64).signed(KEY), **{field: OTHER[field]})
    with pytest.raises(ModelError, match="altered"):
        changed.verify(keys)


def test_a_field_that_is_added_to_the_record_is_under_the_signature_too():
    assert OTHER.keys() | {"signature"} == set(Promotion.__dataclass_fields__)


def test_a_promotion_without_a_trusted_signature_is_not_believed(keys: Keys):
    plain = promotion_of("a" * 64)
    with pytest.raises(ModelError, match="unsigned"):
        plain.verify(keys)
    with pytest.raises(ModelError, match="signed by the key"):
        plain.signed(SigningKey.new()).verify(keys)
    as_a_bundle = replace(plain, signature=KEY.sign("bundle", plain.statement()))
    with pytest.raises(ModelError, match="altered"):
        as_a_bundle.verify(keys)


def test_nobody_promotes_in_silence_what_did_not_pass():
    for verdict in ({}, {"passed": False}, {"passed": "true"}, {"passed": 1}):
        with pytest.raises(BadInput, match="no verdict that passes"):
            promotion_of("a" * 64, verdict=verdict)
        assert promotion_of("a" * 64, verdict=verdict, against_the_gate="the clinic asked").against_the_gate
        assert promotion_of("a" * 64, "b" * 64, verdict=verdict, action="demote").action == "demote"
    for field in ("model", "by"):
        with pytest.raises(BadInput, match="without model, digest or author"):
            promotion_of("a" * 64, **{field: ""})


def told(**other: object) -> bytes:
    return json.dumps(json.loads(promotion_of("a" * 64).to_json()) | other).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{", b"{}", b"[" * 100_000, b" " * (2 << 20), told(format=2), told(more=1), told(at="now"),
        told(at=None), told(kind="songs"), told(verdict={"passed": False}), told(by=""), told(scores={"wer": "x"}),
        told(signature={}), told(signature={"algorithm": "Ed25519", "key": "k", "signature": "AA=="}),
    ],
    ids=range(16),
)  # fmt: skip
def test_what_is_no_promotion_is_refused_with_the_file(data: bytes):
    with pytest.raises(ModelError, match=r"0007\.json"):
        Promotion.from_json(data, "0007.json")


def test_a_signature_in_a_record_is_read_as_it_was_written():
    signed = promotion_of("a" * 64).signed(KEY)
    assert isinstance(signed.signature, Signature)
    assert Promotion.from_json(signed.to_json(), "x").signature == signed.signature


def history(*moves: str) -> list[Promotion]:
    """A history, newest first: `a` promotes a; `<a` goes back to it."""
    made: list[Promotion] = []
    for move in moves:
        replaces = made[0].digest if made else ""
        made.insert(0, promotion_of(move[-1], replaces, action="demote" if move[0] == "<" else "promote"))
    return made


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ((), ""),
        (("a",), ""),
        (("a", "b"), "a"),
        (("a", "b", "c"), "b"),
        (("a", "b", "c", "<b"), "a"),
        (("a", "b", "<a"), ""),
        (("a", "b", "c", "<a"), ""),
        (("a", "b", "<a", "c"), "a"),
        (("a", "b", "<a", "b"), "a"),
        (("a", "b", "a"), "b"),
        (("a", "b", "a", "<b"), "a"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else f"-> {value}",
)
def test_a_demotion_goes_back_to_what_lay_below_and_never_forward(moves: tuple[str, ...], expected: str):
    assert before(history(*moves), "grid-sentences") == expected


def test_what_a_name_meant_before_its_first_promotion_can_be_gone_back_to():
    assert before([promotion_of("b", "a")], "grid-sentences") == "a"


def test_other_models_promotions_change_nothing_of_a_name():
    mixed = history("a", "b")
    mixed.insert(1, promotion_of("z", model="grid-words", kind="words"))
    assert before(mixed, "grid-sentences") == "a"
    assert of_name(mixed, "grid-words") == [mixed[1]] and of_name(mixed, "") == mixed


@given(st.lists(st.one_of(st.integers(0, 5), st.none()), max_size=14))
def test_demotions_undo_promotions_one_after_the_other(moves: list[int | None]):
    stack: list[str] = []
    told: list[Promotion] = []
    for move in moves:
        replaces = stack[-1] if stack else ""
        if move is None:
            back = before(told, "grid-sentences")
            assert back == (stack[-2] if len(stack) > 1 else "")
            if back:
                stack.pop()
                told.insert(0, promotion_of(back, replaces, action="demote"))
        elif str(move) not in stack:  # what waits further down is gone back to, not promoted again
            stack.append(str(move))
            told.insert(0, promotion_of(str(move), replaces))
