"""Which bundles may be released, by a registry in a folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from lipsol.archive import Archive, write
from lipsol.errors import ModelError, NotFound
from lipsol.registry import standing
from lipsol.registry.local import LocalRegistry
from lipsol.signing import Keys, SigningKey
from tests.bundles_made import bundle, promotion_of

NEW, NEWEST = "2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"


@pytest.fixture
def registry(tmp_path: Path) -> LocalRegistry:
    (tmp_path / "models").mkdir()
    return LocalRegistry(tmp_path / "models")


@pytest.fixture
def released(tmp_path: Path) -> str:
    """What the name means."""
    (tmp_path / "models").mkdir(exist_ok=True)
    return bundle(tmp_path / "models", "one")


@pytest.fixture
def candidate(tmp_path: Path, registry: LocalRegistry, released: str) -> str:
    """Newer, and promoted by nobody."""
    digest = bundle(tmp_path, "two", version="2", created=NEW)
    registry.register(tmp_path / "two.lipsol")
    return digest


def test_what_a_name_means_may_be_released(registry: LocalRegistry, released: str):
    info = standing.check(registry, released)
    assert (info.name, info.digest) == ("grid-sentences", released)


def test_a_mere_candidate_may_not_and_is_told_the_cure(registry: LocalRegistry, released: str, candidate: str):
    with pytest.raises(ModelError, match=f"{candidate[:12]} was never promoted, and the name means {released[:12]}"):
        standing.check(registry, candidate)
    with pytest.raises(ModelError, match=f"lipsol models promote {candidate[:12]}"):
        standing.check(registry, candidate)


def test_once_promoted_a_candidate_may_and_what_it_replaced_still_may_where_that_was_promoted_too(
    registry: LocalRegistry, released: str, candidate: str
):
    registry.promote(promotion_of(released, released))
    registry.promote(promotion_of(candidate, released, version="2"))
    assert standing.check(registry, candidate).digest == candidate
    assert standing.check(registry, released).digest == released


def test_a_demoted_bundle_may_be_released_again(registry: LocalRegistry, released: str, candidate: str):
    registry.promote(promotion_of(candidate, released, version="2"))
    registry.promote(promotion_of(released, candidate, action="demote", verdict={}))
    assert standing.check(registry, candidate).version == "2"


def test_an_older_release_that_its_name_no_longer_means_may_not(registry: LocalRegistry, released: str, tmp_path: Path):
    newer = bundle(tmp_path / "models", "two", version="2", created=NEWEST)
    assert standing.check(registry, newer).version == "2"
    with pytest.raises(ModelError, match=f"the name means {newer[:12]}"):
        standing.check(registry, released)


def test_the_promotion_of_one_model_lets_no_other_in(registry: LocalRegistry, candidate: str, tmp_path: Path):
    words = bundle(tmp_path, "words", name="grid-words", kind="words", grammar=None)
    registry.register(tmp_path / "words.lipsol")
    registry.promote(promotion_of(words, model="grid-words", kind="words"))
    assert standing.check(registry, words).kind == "words"
    with pytest.raises(ModelError, match="never promoted"):
        standing.check(registry, candidate)


@pytest.mark.parametrize(
    "digest", ["", "grid-sentences", "f" * 64, "F" * 64], ids=["none", "name", "other", "capitals"]
)
def test_what_is_not_here_is_not_found(registry: LocalRegistry, released: str, digest: str):
    with pytest.raises(NotFound):
        standing.check(registry, digest)


def test_a_release_names_a_bundle_by_its_whole_digest(registry: LocalRegistry, released: str):
    with pytest.raises(NotFound, match="all 64 hex digits"):
        standing.check(registry, released[:12])


def test_with_keys_a_bundle_must_be_signed_by_one_of_them(tmp_path: Path, released: str):
    key = SigningKey.new()
    (tmp_path / "key.pem").write_bytes(key.public_pem())
    models = tmp_path / "models"
    registry = LocalRegistry(models, Keys.load(tmp_path / "key.pem"))
    with pytest.raises(ModelError, match="is unsigned"):
        standing.check(registry, released)
    signed = write(models / "one.lipsol", Archive.read(models / "one.lipsol").signed(key))
    assert standing.check(registry, signed).digest == signed


def test_a_promotion_that_no_trusted_key_signed_lets_nothing_in(tmp_path: Path, released: str):
    ours, theirs = SigningKey.new(), SigningKey.new()
    (tmp_path / "key.pem").write_bytes(ours.public_pem())
    models = tmp_path / "models"
    means = write(models / "one.lipsol", Archive.read(models / "one.lipsol").signed(ours))
    bundle(tmp_path, "two", version="2", created=NEW)
    new = write(tmp_path / "two.lipsol", Archive.read(tmp_path / "two.lipsol").signed(ours))
    LocalRegistry(models).register(tmp_path / "two.lipsol")
    LocalRegistry(models).promote(replace(promotion_of(new, means, version="2")).signed(theirs))
    with pytest.raises(ModelError, match="never promoted"):
        standing.check(LocalRegistry(models, Keys.load(tmp_path / "key.pem")), new)


class Changed(LocalRegistry):
    """A registry whose file is another than it says."""

    def path(self, digest: str) -> Path:
        return super().path(digest).parent.parent / "other.lipsol"


def test_a_file_that_was_changed_on_its_way_may_not_be_released(tmp_path: Path, released: str):
    bundle(tmp_path, "other", version="3")
    with pytest.raises(ModelError, match=r"other\.lipsol has the digest .* as the registry says: fetch it again"):
        standing.check(Changed(tmp_path / "models"), released)
