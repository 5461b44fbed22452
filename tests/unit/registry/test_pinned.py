"""What names and languages mean where a release has pinned bundles; the rest is in the contract suite."""

from pathlib import Path

import pytest

from lipsol.errors import ModelError, NotFound, Transient
from lipsol.registry.local import LocalRegistry
from lipsol.registry.pinned import PinnedRegistry
from tests.bundles_made import bundle, promotion_of

NEW, NEWEST = "2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def digests(models: Path) -> dict[str, str]:
    """An older and a newer bundle of one model, one of words, one of another language."""
    return {
        "old": bundle(models, "old"),
        "new": bundle(models, "new", version="2", created=NEW),
        "words": bundle(models, "words", name="grid-words", kind="words", grammar=None),
        "urdu": bundle(models, "urdu", name="urdu-sentences", language="ur", grammar=None),
    }


def defaults(registry: PinnedRegistry) -> dict[str, str]:
    return {info.language: info.digest for info in registry.models() if info.default}


def test_a_pin_is_what_its_name_and_its_language_mean_however_new_another_is(models: Path, digests: dict[str, str]):
    registry = PinnedRegistry(LocalRegistry(models), [digests["old"]])
    for found in (
        registry.find("grid-sentences"),
        registry.champion("grid-sentences"),
        registry.default("en"),
        registry.find(digests["old"][:12]),
    ):
        assert found is not None and (found.digest, found.default) == (digests["old"], True)
    assert not registry.find(digests["new"]).default
    assert [info.version for info in registry.models() if info.name == "grid-sentences"] == ["1", "2"]
    assert defaults(registry) == {"en": digests["old"], "ur": digests["urdu"]}


def test_a_promotion_moves_nothing_that_is_pinned(models: Path, digests: dict[str, str]):
    registry = PinnedRegistry(LocalRegistry(models), [digests["old"]])
    registry.promote(promotion_of(digests["new"], digests["new"], version="2"))
    other = bundle(models, "other", name="other-sentences", created=NEWEST)
    registry.promote(promotion_of(other, other, model="other-sentences"))
    assert registry.find("grid-sentences").digest == registry.default("en").digest == digests["old"]
    assert defaults(registry)["en"] == digests["old"]
    assert len(registry.history()) == 2 and registry.find("other-sentences").digest == other


def test_what_no_pin_speaks_of_goes_by_the_registry(models: Path, digests: dict[str, str]):
    registry = PinnedRegistry(LocalRegistry(models), [digests["old"]])
    assert registry.find("urdu-sentences").digest == registry.default("ur").digest == digests["urdu"]
    newer = bundle(models, "urdu2", name="urdu-sentences", language="ur", grammar=None, version="2", created=NEW)
    assert registry.find("urdu-sentences").digest == registry.default("ur").digest == newer
    champion = registry.champion("grid-words")
    assert champion is not None and champion.digest == digests["words"]


@pytest.mark.parametrize("first", ["words", "old"])
def test_of_two_pins_of_one_language_the_first_reads_it(models: Path, digests: dict[str, str], first: str):
    second = {"words": "old", "old": "words"}[first]
    registry = PinnedRegistry(LocalRegistry(models), [digests[first], digests[second]])
    assert registry.default("en").digest == defaults(registry)["en"] == digests[first]
    assert [pin.default for pin in registry.pins()] == [True, False]
    assert {registry.find(name).digest for name in ("grid-words", "grid-sentences")} == {
        digests[first],
        digests[second],
    }


def test_a_pinned_candidate_reads_and_is_no_candidate_here(models: Path, digests: dict[str, str], tmp_path: Path):
    candidate = bundle(tmp_path, "candidate", version="3")
    LocalRegistry(models).register(tmp_path / "candidate.lipsol")
    registry = PinnedRegistry(LocalRegistry(models), [candidate])
    assert registry.find("grid-sentences").digest == registry.default("en").digest == candidate
    assert candidate in {info.digest for info in registry.models()} and registry.candidates() == []
    assert PinnedRegistry(LocalRegistry(models), [digests["old"]]).candidates()[0].digest == candidate


def test_a_pin_that_is_not_here_is_told_with_its_digest_and_the_cure(models: Path, digests: dict[str, str]):
    with pytest.raises(ModelError, match="ffffffffffff is pinned, and is not here: put it into the registry"):
        PinnedRegistry(LocalRegistry(models), [digests["old"], "f" * 64]).pins()


def test_two_pins_of_one_name_are_refused(models: Path, digests: dict[str, str]):
    with pytest.raises(ModelError, match=f"pinned to {digests['old'][:12]} and to {digests['new'][:12]}"):
        PinnedRegistry(LocalRegistry(models), [digests["old"], digests["new"]]).models()


def test_a_pin_that_was_found_once_stays_when_it_is_taken_out_of_the_registry(models: Path, digests: dict[str, str]):
    registry = PinnedRegistry(LocalRegistry(models), [digests["old"]])
    assert registry.default("en").version == "1"
    (models / "old.lipsol").unlink()
    assert registry.find("grid-sentences").digest == digests["old"]
    assert [info.digest for info in registry.models() if info.name == "grid-sentences"] == [
        digests["old"],
        digests["new"],
    ]
    with pytest.raises(NotFound):
        registry.path(digests["old"])


class Away(LocalRegistry):
    """A registry that is away until it is back."""

    back = False

    def find(self, name_or_digest: str):
        if not self.back:
            raise Transient("the registry is away", "try again")
        return super().find(name_or_digest)


def test_a_registry_that_is_away_is_asked_again(models: Path, digests: dict[str, str]):
    below = Away(models)
    registry = PinnedRegistry(below, [digests["old"]])
    with pytest.raises(Transient):
        registry.default("en")
    below.back = True
    assert registry.default("en").digest == digests["old"]
