"""What every registry must do: the law of `lipsol/registry/port.py`, sentence by sentence."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from lipsol.errors import NotFound


def bundle(folder: Path, file: str, **card: object) -> str:
    """Put a bundle into a folder; returns its digest."""
    whole = {
        "name": "grid-sentences", "version": "1", "kind": "sentences", "language": "en", "grammar": "grid",
        "created": "2026-11-21T08:00:00Z", "scores": {"wer": 0.02}, "licence": "Apache-2.0", "attribution": "GRID",
    } | card  # fmt: skip
    with zipfile.ZipFile(folder / f"{file}.lipsol", "w") as out:
        out.writestr("card.json", json.dumps(whole))
        out.writestr("model.onnx", b"net of " + file.encode())
    return hashlib.sha256((folder / f"{file}.lipsol").read_bytes()).hexdigest()


def test_a_registry_without_models_says_so(held):
    assert held.registry.models() == []
    with pytest.raises(NotFound, match="no model is here"):
        held.registry.find("grid-sentences")
    with pytest.raises(NotFound, match="no model is here"):
        held.registry.default("en")


def test_a_model_is_found_by_name_and_by_digest_with_its_card(held):
    digest = bundle(held.folder, "one")
    for name in ("grid-sentences", digest, digest[:12]):
        info = held.registry.find(name)
        assert (info.name, info.version, info.digest, info.kind) == ("grid-sentences", "1", digest, "sentences")
        assert (info.language, info.grammar, info.card["licence"]) == ("en", "grid", "Apache-2.0")


def test_the_path_holds_the_digests_own_bytes(held):
    digest = bundle(held.folder, "one")
    bundle(held.folder, "two", name="other")
    assert hashlib.sha256(held.registry.path(digest).read_bytes()).hexdigest() == digest


def test_what_is_not_there_is_not_found_and_told_what_is(held):
    digest = bundle(held.folder, "one")
    with pytest.raises(NotFound, match="grid-sentences"):
        held.registry.find("urdu-sentences")
    with pytest.raises(NotFound, match="en"):
        held.registry.default("ur")
    for name in (digest[:11], "", "../one", "f" * 64):
        with pytest.raises(NotFound):
            held.registry.find(name)
    with pytest.raises(NotFound):
        held.registry.path("f" * 64)


def test_a_name_means_its_newest_version(held):
    old = bundle(held.folder, "b", version="1", created="2026-11-20T08:00:00Z")
    new = bundle(held.folder, "a", version="2", created="2026-11-21T08:00:00Z")
    assert held.registry.find("grid-sentences").digest == new
    assert [info.digest for info in held.registry.models()] == [new, old]
    assert held.registry.find(old).version == "1"


def test_a_languages_default_is_its_newest_sentence_model(held):
    bundle(held.folder, "w", name="grid-words", kind="words", created="2026-11-30T08:00:00Z", grammar="")
    bundle(held.folder, "s1", version="1", created="2026-11-20T08:00:00Z")
    newest = bundle(held.folder, "s2", version="2", created="2026-11-21T08:00:00Z")
    urdu = bundle(held.folder, "u", name="urdu-words", kind="words", language="ur", grammar=None)
    assert held.registry.default("en").digest == newest
    assert held.registry.default("ur").digest == urdu
    assert {info.digest for info in held.registry.models() if info.default} == {newest, urdu}


def test_a_model_that_comes_later_is_seen(held):
    assert held.registry.models() == []
    digest = bundle(held.folder, "one")
    assert [info.digest for info in held.registry.models()] == [digest]
