"""What every registry must do: the law of `lipsol/registry/port.py`, sentence by sentence."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from lipsol.errors import BadInput, ModelError, NotFound
from lipsol.signing import Keys, SigningKey
from tests.bundles_made import bundle, promotion_of

OLD, NEW, NEWEST = (f"2026-11-2{day}T08:00:00Z" for day in (0, 1, 2))


def keys_of(folder: Path, key: SigningKey) -> Keys:
    """Trust in that key."""
    (folder / f"{key.id}.pem").write_bytes(key.public_pem())
    return Keys.load(folder / f"{key.id}.pem")


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_a_registry_without_models_says_so(held):
    assert held.registry.models() == held.registry.candidates() == held.registry.history() == []
    assert held.registry.champion("grid-sentences") is None
    with pytest.raises(NotFound, match="no model is here"):
        held.registry.find("grid-sentences")
    with pytest.raises(NotFound, match="no model is here"):
        held.registry.default("en")


def test_a_model_is_found_by_name_and_by_digest_with_its_card(held):
    digest = held.put()
    for name in ("grid-sentences", digest, digest[:12]):
        info = held.registry.find(name)
        assert (info.name, info.version, info.digest, info.kind) == ("grid-sentences", "1", digest, "sentences")
        assert (info.language, info.grammar, info.card["licence"]) == ("en", "grid", "Apache-2.0")


def test_the_path_holds_the_digests_own_bytes(held):
    digest, candidate = held.put(), held.put("two", candidate=True, name="other")
    for each in (digest, candidate):
        assert hashlib.sha256(held.registry.path(each).read_bytes()).hexdigest() == each


def test_what_is_not_there_is_not_found_and_told_what_is(held):
    digest = held.put()
    with pytest.raises(NotFound, match="grid-sentences"):
        held.registry.find("urdu-sentences")
    with pytest.raises(NotFound, match="en"):
        held.registry.default("ur")
    for name in (digest[:11], "", "../one", "f" * 64):
        with pytest.raises(NotFound):
            held.registry.find(name)
    for name in ("f" * 64, "../one"):
        with pytest.raises(NotFound):
            held.registry.path(name)
        with pytest.raises(NotFound):
            held.registry.file(name, "evaluation.json")


def test_a_name_that_was_never_promoted_means_its_newest_release(held):
    old = held.put("b", version="1", created=OLD)
    new = held.put("a", version="2", created=NEW)
    assert held.registry.find("grid-sentences").digest == new
    assert held.registry.champion("grid-sentences").digest == new
    assert [info.digest for info in held.registry.models()] == [new, old]
    assert held.registry.find(old).version == "1"


def test_a_languages_default_is_its_newest_sentence_model(held):
    held.put("w", name="grid-words", kind="words", created=NEWEST, grammar="")
    held.put("s1", version="1", created=OLD)
    newest = held.put("s2", version="2", created=NEW)
    urdu = held.put("u", name="urdu-words", kind="words", language="ur", grammar=None)
    assert held.registry.default("en").digest == newest
    assert held.registry.default("ur").digest == urdu
    assert {info.digest for info in held.registry.models() if info.default} == {newest, urdu}


def test_a_model_that_comes_later_is_seen(held):
    assert held.registry.models() == []
    digest = held.put()
    assert [info.digest for info in held.registry.models()] == [digest]
    assert [info.digest for info in held.opened(None).models()] == [digest]


def test_a_candidate_is_found_by_its_digest_and_reads_nothing_unasked_however_new(held):
    released = held.put("old", created=OLD)
    candidate = held.put("new", candidate=True, created=NEW)
    other = held.put("other", candidate=True, name="french-sentences", language="fr")
    assert held.registry.find("grid-sentences").digest == held.registry.default("en").digest == released
    assert [info.digest for info in held.registry.models()] == [released]
    assert [info.digest for info in held.registry.candidates()] == [other, candidate]
    assert held.registry.find(candidate[:12]).digest == candidate and not held.registry.find(candidate).default
    assert held.registry.champion("french-sentences") is None
    with pytest.raises(NotFound):
        held.registry.default("fr")


def test_a_promotion_is_what_the_name_and_its_language_mean_from_then_on(held):
    released = held.put("old", created=OLD)
    candidate = held.put("new", candidate=True, created=NEW)
    held.registry.promote(promotion_of(candidate, released))
    later = held.put("later", created=NEWEST)
    for registry in (held.registry, held.opened(None)):
        assert registry.find("grid-sentences").digest == registry.default("en").digest == candidate
        assert registry.champion("grid-sentences").digest == candidate
        assert [info.digest for info in registry.models()] == [candidate, later, released]
        assert [info.digest for info in registry.models() if info.default] == [candidate]
        assert registry.candidates() == registry.faults() == []


def test_a_promoted_word_model_leaves_the_language_to_the_sentences(held):
    sentences = held.put("s")
    words = held.put("w", candidate=True, name="grid-words", kind="words", grammar="")
    held.registry.promote(promotion_of(words, model="grid-words", kind="words"))
    assert held.registry.default("en").digest == sentences
    assert held.registry.find("grid-words").digest == words


def test_of_two_sentence_models_the_promoted_one_reads_the_language(held):
    candidate = held.put("p", candidate=True, created=OLD)
    held.put("q", name="other-sentences", created=NEWEST)
    held.registry.promote(promotion_of(candidate))
    assert held.registry.default("en").digest == candidate


def test_the_history_tells_every_promotion_newest_first_and_to_whoever_opens_it(held):
    first, second = held.put("a", candidate=True), held.put("b", candidate=True, version="2")
    words = held.put("w", candidate=True, name="grid-words", kind="words")
    told = [
        promotion_of(first, at=1.0, verdict={"passed": True, "findings": [{"rule": "enough", "value": 3}]}),
        promotion_of(words, model="grid-words", kind="words", at=2.0),
        promotion_of(second, first, version="2", at=3.0),
        promotion_of(first, second, action="demote", verdict={}, why="it read worse", at=4.0),
    ]
    for each in told:
        held.registry.promote(each)
    for registry in (held.registry, held.opened(None)):
        assert registry.history() == told[::-1]
        assert registry.history("grid-words") == [told[1]]
        assert registry.history("nothing") == []
    assert held.registry.find("grid-sentences").digest == first


def test_a_promotion_of_what_is_not_here_or_is_another_models_changes_nothing(held):
    digest = held.put(candidate=True)
    with pytest.raises(NotFound):
        held.registry.promote(promotion_of("f" * 64))
    for other in ({"model": "grid-words"}, {"language": "ur"}, {"kind": "words"}):
        with pytest.raises(BadInput, match="is grid-sentences"):
            held.registry.promote(promotion_of(digest, **other))
    assert held.registry.history() == held.registry.models() == []


def test_a_promotion_that_replaces_what_the_name_no_longer_means_is_refused(held):
    first, second, third = (held.put(name, candidate=True, version=name) for name in "abc")
    held.registry.promote(promotion_of(first))
    held.registry.promote(promotion_of(second, first))
    with pytest.raises(BadInput, match=f"means {second[:12]} by now, and this promotion replaces {first[:12]}"):
        held.opened(None).promote(promotion_of(third, first))
    with pytest.raises(BadInput, match="replaces nothing"):
        held.registry.promote(promotion_of(third))
    with pytest.raises(BadInput, match="already"):
        held.registry.promote(promotion_of(second, second))
    assert held.registry.find("grid-sentences").digest == second
    assert len(held.registry.history()) == 2


def test_with_keys_a_promotion_must_be_signed_by_one_of_them(held):
    digest = held.put(candidate=True)
    ours, theirs = SigningKey.new(), SigningKey.new()
    trusting = held.opened(keys_of(held.folder, ours))
    signed = promotion_of(digest).signed(ours)
    with pytest.raises(ModelError, match="unsigned"):
        trusting.promote(promotion_of(digest))
    with pytest.raises(ModelError, match=f"signed by the key {theirs.id}"):
        trusting.promote(promotion_of(digest).signed(theirs))
    with pytest.raises(ModelError, match="altered"):
        trusting.promote(replace(signed, by="somebody else"))
    assert trusting.history() == []
    trusting.promote(signed)
    assert trusting.history() == [signed]
    assert trusting.find("grid-sentences").digest == digest


def test_a_promotion_that_no_trusted_key_signed_counts_for_nothing_and_is_told_as_a_fault(held):
    released = held.put("old", created=OLD)
    candidate = held.put("new", candidate=True, created=NEW)
    held.registry.promote(promotion_of(candidate, released))
    key = SigningKey.new()
    trusting = held.opened(keys_of(held.folder, key))
    assert trusting.find("grid-sentences").digest == trusting.default("en").digest == released
    assert trusting.history() == []
    (fault,) = trusting.faults()
    assert "unsigned" in fault and candidate[:12] in fault and "lipsol models promote" in fault
    trusting.promote(promotion_of(candidate, released).signed(key))
    assert trusting.find("grid-sentences").digest == candidate
    assert trusting.faults() == []  # what came before the last that counts decides nothing


def test_files_are_kept_with_their_bundle_the_newer_of_one_name(held):
    report = written(held.folder, "r", "<p>well</p>")
    digest = held.put(candidate=True, files={"report.html": report, "evaluation.json": written(held.folder, "e", "1")})
    held.registry.register(held.folder / "one.lipsol", {"evaluation.json": written(held.folder, "e", "2")})
    other = held.put("two", version="2", files={"evaluation.json": written(held.folder, "e", "3")})
    kept = [(digest, "report.html"), (digest, "evaluation.json"), (other, "evaluation.json")]
    for registry in (held.registry, held.opened(None)):
        assert [registry.file(*each).read_text() for each in kept] == ["<p>well</p>", "2", "3"]
    with pytest.raises(NotFound, match=r"evaluation\.json, report\.html"):
        held.registry.file(digest, "verdict.json")


def test_the_files_of_a_promoted_bundle_stay_as_they_were(held):
    files = {"evaluation.json": written(held.folder, "e", "good")}
    digest = held.put(candidate=True, files=files)
    held.registry.promote(promotion_of(digest))
    held.registry.register(held.folder / "one.lipsol", files)
    for name in ("evaluation.json", "report.html"):
        with pytest.raises(BadInput, match="promoted"):
            held.registry.register(held.folder / "one.lipsol", {name: written(held.folder, "f", "better")})
    assert held.registry.file(digest, "evaluation.json").read_text() == "good"


@pytest.mark.parametrize("name", ["", ".hidden", "../up", "a/b", "model.lipsol", "x" * 101])
def test_a_file_under_no_plain_name_is_refused_with_its_bundle(held, name):
    with pytest.raises(BadInput, match="plain name"):
        held.put(candidate=True, files={name: written(held.folder, "e", "1")})
    assert held.registry.candidates() == []


def test_what_is_no_bundle_is_not_registered(held):
    with pytest.raises(ModelError, match="no bundle"):
        held.registry.register(written(held.folder, "no.lipsol", "text"))
    assert held.registry.candidates() == held.registry.models() == held.registry.faults() == []


def test_registering_a_bundle_again_changes_nothing(held):
    released, candidate = held.put("old"), held.put("new", candidate=True, version="2")
    held.registry.register(held.folder / "old.lipsol")
    held.registry.register(held.folder / "new.lipsol")
    assert [info.digest for info in held.registry.models()] == [released]
    assert [info.digest for info in held.registry.candidates()] == [candidate]
    held.registry.register(held.folder / "new.lipsol", candidate=False)
    assert {info.digest for info in held.registry.models()} == {released, candidate}
    assert held.registry.candidates() == []


def test_a_bundle_made_elsewhere_is_none_of_the_registrys(held):
    bundle(held.folder, "stray")
    assert held.registry.models() == held.registry.candidates() == []
