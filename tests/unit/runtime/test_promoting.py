"""Promotions carried out: which evidence counts, what each degree of automation moves, and who is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import BadInput, ModelError, NotFound
from lipsol.evaluation.records import Evaluation
from lipsol.events import ModelPromoted
from lipsol.registry.local import LocalRegistry
from lipsol.release import Rules, gate
from lipsol.runtime.envelope import unwrap
from lipsol.runtime.promoting import demote, promote, proposals
from lipsol.signing import Keys, SigningKey
from lipsol.topics import PROMOTIONS, TOPICS
from tests.bundles_made import bundle
from tests.evaluations_made import evaluation_of


@dataclass
class Made:
    """A registry in a folder, a bus, and what it takes to make candidates."""

    folder: Path
    registry: LocalRegistry
    bus: MemoryBus

    def candidate(self, name: str, *, against: str = "", wrong: Callable[[int, str], int] = lambda _n, _g: 0) -> str:
        """A bundle, judged against the one of that digest (the champion's readings are all right), and registered."""
        digest = bundle(self.folder, name, version=name)
        found = evaluation_of(wrong, clips=8, digest=digest)
        before: Evaluation | None = evaluation_of(clips=8, digest=against) if against else None
        verdict = gate(found, before, Rules.named("brief"))
        return self.register(name, found.to_json(), verdict.to_json())

    def register(self, name: str, evaluation: bytes, verdict: bytes) -> str:
        files = {"evaluation.json": evaluation, "verdict.json": verdict}
        for file, data in files.items():
            (self.folder / file).write_bytes(data)
        return self.registry.register(
            self.folder / f"{name}.lipsol", {file: self.folder / file for file in files}
        ).digest

    def told(self) -> list[ModelPromoted]:
        """What was published so far, in order."""
        read = map(unwrap, self.bus.replay([PROMOTIONS.name]))
        return [event for event in read if isinstance(event, ModelPromoted)]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    (tmp_path / "made").mkdir()
    with closing(MemoryBus(TOPICS.values())) as bus:
        yield Made(tmp_path / "made", LocalRegistry(tmp_path / "models"), bus)


def test_a_candidate_that_passed_is_promoted_signed_and_told(made: Made, tmp_path: Path, clock):
    key = SigningKey.new()
    digest = made.candidate("a")
    said = promote(
        made.registry, made.bus, digest[:12], by="daily", why="50 corrections", run="r7", key=key, now=clock.now
    )
    assert said == f"promoted: grid-sentences a, {digest[:12]}, in the place of nothing"
    (record,) = made.registry.history()
    evaluation = made.registry.file(digest, "evaluation.json").read_bytes()
    assert record.digest == digest and record.replaces == "" and record.action == "promote"
    assert (record.by, record.why, record.run, record.at) == ("daily", "50 corrections", "r7", clock.now())
    assert record.evaluation_digest == Evaluation.from_json(evaluation).digest()
    assert record.data_version == "d" * 64
    assert record.verdict == json.loads(made.registry.file(digest, "verdict.json").read_bytes())
    (tmp_path / "key.pem").write_bytes(key.public_pem())
    record.verify(Keys.load(tmp_path / "key.pem"))
    (event,) = made.told()
    assert (event.model.digest, event.language, event.replaces, event.run) == (digest, "en", "", "r7")
    assert event.scores["seen grammar wer"] == 0.0


@pytest.mark.parametrize(("degree", "word"), [("report", "not promoted, only reported"), ("suggest", "proposed")])
def test_less_than_act_moves_nothing_and_tells_nobody(made: Made, degree: str, word: str):
    digest = made.candidate("a")
    assert promote(made.registry, made.bus, digest, automation=degree).startswith(word)
    assert made.registry.history() == made.registry.models() == made.told() == []
    assert [each.digest for each in proposals(made.registry)] == ([digest] if degree == "suggest" else [])


def test_a_proposal_is_taken_up_by_a_person_and_waits_no_longer(made: Made, clock):
    digest = made.candidate("a")
    promote(made.registry, made.bus, digest, automation="suggest", run="r1", why="new data", now=clock.now)
    (waiting,) = proposals(made.registry, "grid-sentences")
    assert (waiting.digest, waiting.by, waiting.why, waiting.run, waiting.at, waiting.stale) == (
        digest, "pipeline", "new data", "r1", clock.now(), "",
    )  # fmt: skip
    assert proposals(made.registry, "other") == []
    promote(made.registry, made.bus, digest, by="anna")
    assert proposals(made.registry) == [] and made.registry.history()[0].by == "anna"


def test_a_proposal_that_compared_with_another_champion_is_stale_and_not_taken_up(made: Made):
    first = made.candidate("a")
    promote(made.registry, made.bus, first)
    late, early = made.candidate("b", against=first), made.candidate("c", against=first)
    promote(made.registry, made.bus, late, automation="suggest")
    promote(made.registry, made.bus, early)
    (waiting,) = proposals(made.registry)
    assert waiting.stale == f"grid-sentences means {early[:12]} by now: let the gate judge the candidate anew"
    with pytest.raises(BadInput, match=f"the gate compared with {first[:12]}"):
        promote(made.registry, made.bus, late)
    assert made.registry.find("grid-sentences").digest == early


def test_what_the_gate_stopped_is_promoted_only_against_the_gate_and_the_record_says_so(made: Made):
    digest = made.candidate("bad", wrong=lambda _n, _group: 6)
    for degree in ("report", "suggest", "act"):
        with pytest.raises(BadInput, match="was stopped by wer, seen free") as refused:
            promote(made.registry, made.bus, digest, automation=degree)
        assert "--against-the-gate" in refused.value.cure
    assert made.registry.history() == made.told() == []
    promote(made.registry, made.bus, digest, by="anna", against_the_gate="the clinic's own clips")
    (record,) = made.registry.history()
    assert record.against_the_gate == "the clinic's own clips" and record.verdict["passed"] is False


def test_what_was_never_judged_is_promoted_only_against_the_gate(made: Made):
    digest = bundle(made.folder, "a")
    made.registry.register(made.folder / "a.lipsol")
    with pytest.raises(BadInput, match="never judged"):
        promote(made.registry, made.bus, digest)
    promote(made.registry, made.bus, digest, by="anna", against_the_gate="there is no champion yet")
    assert made.registry.history()[0].verdict == {}


def test_evidence_of_something_else_is_none(made: Made):
    good = made.candidate("good")
    verdict = made.registry.file(good, "verdict.json").read_bytes()
    evaluation = made.registry.file(good, "evaluation.json").read_bytes()
    bundle(made.folder, "bad", version="bad")
    borrowed = made.register("bad", evaluation, verdict)
    own = made.candidate("own")
    other = made.register("own", evaluation, made.registry.file(own, "verdict.json").read_bytes())
    for digest in (borrowed, other):
        with pytest.raises(BadInput, match="of another bundle or evaluation"):
            promote(made.registry, made.bus, digest)
    broken = made.register("own", evaluation, b"{")
    with pytest.raises(BadInput, match="is no JSON"):
        promote(made.registry, made.bus, broken)
    assert made.registry.history() == []


def test_who_is_wrong_about_the_champion_promotes_nothing(made: Made):
    digest = made.candidate("a")
    with pytest.raises(BadInput, match="means nothing by now, and not cafe"):
        promote(made.registry, made.bus, digest, champion="cafe" * 16)
    assert promote(made.registry, made.bus, digest, champion="").startswith("promoted")


def test_a_promotion_that_is_repeated_is_told_again_and_changes_nothing(made: Made):
    digest = made.candidate("a")
    for _ in range(2):
        said = promote(made.registry, made.bus, digest)
    promote(made.registry, made.bus, digest, automation="report")
    assert said.startswith("promoted already") and len(made.registry.history()) == 1
    assert [event.model.digest for event in made.told()] == [digest, digest]


def test_no_such_degree_is_refused(made: Made):
    with pytest.raises(BadInput, match="report, suggest, act"):
        promote(made.registry, made.bus, made.candidate("a"), automation="always")


def test_a_bundle_that_the_registrys_keys_do_not_trust_is_not_promoted(made: Made, tmp_path: Path):
    key = SigningKey.new()
    (tmp_path / "key.pem").write_bytes(key.public_pem())
    trusting = LocalRegistry(tmp_path / "models", Keys.load(tmp_path / "key.pem"))
    with pytest.raises(ModelError, match="is unsigned"):
        promote(trusting, made.bus, made.candidate("a"), key=key)
    assert trusting.history() == made.told() == []


def test_a_demotion_goes_back_one_step_after_the_other_and_is_told(made: Made, clock):
    first = made.candidate("a")
    promote(made.registry, made.bus, first)
    for name in "bc":
        champion = made.registry.find("grid-sentences").digest
        promote(made.registry, made.bus, made.candidate(name, against=champion))
    second = made.registry.history()[1].digest
    said = demote(made.registry, made.bus, "grid-sentences", by="anna", why="it read s3 worse", now=clock.now)
    assert said.startswith(f"demoted: grid-sentences means b, {second[:12]}")
    record = made.registry.history()[0]
    assert (record.action, record.digest, record.why, record.by) == ("demote", second, "it read s3 worse", "anna")
    demote(made.registry, made.bus, "grid-sentences", by="anna")
    assert made.registry.find("grid-sentences").digest == first
    with pytest.raises(NotFound, match="meant nothing before"):
        demote(made.registry, made.bus, "grid-sentences", by="anna")
    assert [event.model.digest for event in made.told()][-2:] == [second, first]


def test_a_demotion_goes_back_to_what_was_released_before_any_promotion(made: Made):
    released = bundle(made.folder, "old", version="old")
    made.registry.register(made.folder / "old.lipsol", candidate=False)
    promote(made.registry, made.bus, made.candidate("new", against=released))
    demote(made.registry, made.bus, "grid-sentences", by="anna")
    assert made.registry.find("grid-sentences").digest == released


def test_a_demotion_can_skip_some_but_leads_nowhere_that_the_name_never_was(made: Made):
    first = made.candidate("a")
    promote(made.registry, made.bus, first)
    for name in "bc":
        champion = made.registry.find("grid-sentences").digest
        promote(made.registry, made.bus, made.candidate(name, against=champion))
    never = made.candidate("d", wrong=lambda _n, _group: 6)
    with pytest.raises(BadInput, match=f"never meant {never[:12]}"):
        demote(made.registry, made.bus, "grid-sentences", to=never, by="anna")
    demote(made.registry, made.bus, "grid-sentences", to=first[:12], by="anna")
    assert made.registry.find("grid-sentences").digest == first
    with pytest.raises(NotFound, match="was never promoted"):
        demote(made.registry, made.bus, "grid-words", by="anna")
