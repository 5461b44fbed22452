"""What only a real MLflow server can show: its pages, its races, and what happens when it is away."""

import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from lipsol.archive import GOLDEN, Archive
from lipsol.errors import ModelError, Transient
from lipsol.mlflow import MlflowServer
from lipsol.registry.mlflow import LEDGER, MlflowRegistry
from lipsol.tracking.mlflow import MlflowTracker
from services.local.broker import HOST, free_port
from tests.bundles_made import bundle, promotion_of


@dataclass(frozen=True)
class Place:
    """A registry that nobody else has, on the server that all tests share."""

    server: MlflowServer
    prefix: str
    cache: Path
    made: Path

    def registry(self) -> MlflowRegistry:
        return MlflowRegistry(self.server, self.cache, prefix=self.prefix)


@pytest.fixture
def place(mlflow, tmp_path) -> Place:
    (tmp_path / "made").mkdir()
    return Place(MlflowServer(mlflow.uri), f"{uuid4().hex[:8]}.", tmp_path / "cache", tmp_path / "made")


def test_a_models_page_tells_what_it_reads_how_well_and_from_what(place, top):
    shipped = top / "models" / "grid-sentences.lipsol"
    (place.made / "report.html").write_text("<p>how it reads</p>")
    info = place.registry().register(shipped, {"report.html": place.made / "report.html"})
    client, name = place.server.client, f"{place.prefix}grid-sentences"
    (version,) = client.search_model_versions(f"name = '{name}'")
    told = version.description
    assert "reads sentences in `en`" in told and "| known speaker, test | grammar |" in told
    assert info.card["data"]["sha256"][:12] in told and "CC-BY-4.0" in told and info.digest in told
    assert f"runs/{version.run_id}/artifacts/files/" in told and "[report.html]" in told
    wer = client.get_run(version.run_id).data.metrics["known speaker test/grammar/wer"]
    assert wer == pytest.approx(info.card["scores"]["known speaker, test"]["grammar"]["wer"]["value"])


def test_a_models_signature_and_example_are_what_mlflow_itself_reads(place, top, tmp_path):
    from mlflow.models import Model

    shipped = top / "models" / "grid-words.lipsol"
    place.registry().register(shipped)
    (version,) = place.server.client.search_model_versions(f"name = '{place.prefix}grid-words'")
    folder = Path(place.server.client.download_artifacts(version.run_id, "bundle", str(tmp_path)))
    model = Model.load(str(folder))
    assert model.signature.inputs.input_names() == ["mouth", "lips", "jaw", "length"]
    assert model.signature.outputs.input_names() == ["text", "confidence", "abstained"]
    assert model.flavors["lipsol"]["digest"] == Archive.read(shipped).digest
    example = folder / model.saved_input_example_info["artifact_path"]
    assert example.read_bytes() == Archive.read(shipped).members[GOLDEN]


def test_the_alias_champion_goes_with_the_promotion_and_its_record_is_shown(place):
    registry, digests = place.registry(), []
    for file in ("one", "two"):
        digests.append(bundle(place.made, file))
        registry.register(place.made / f"{file}.lipsol")
        registry.promote(promotion_of(digests[-1], "".join(digests[-2:-1]), by="a person"))
    client = place.server.client
    champion = client.get_model_version_by_alias(f"{place.prefix}grid-sentences", "champion")
    assert champion.tags["lipsol.digest"] == digests[1] and "a person" in champion.tags["lipsol.promoted"]
    records = client.search_model_versions(f"name = '{place.prefix}{LEDGER}'")
    assert {int(each.version) for each in records} == {1, 2}
    assert all("by a person" in each.description for each in records)


def test_of_two_promotions_written_at_once_the_second_is_void_for_everybody(place):
    registry = place.registry()
    first, second, third = (bundle(place.made, file) for file in ("a", "b", "c"))
    for file in ("a", "b", "c"):
        registry.register(place.made / f"{file}.lipsol")
    registry.promote(promotion_of(first))
    (version,) = (row.version for row in registry._look().rows if row.digest == second)
    assert not registry._append(promotion_of(second), version, last=0)  # it had looked before the first was written
    for each in (registry, place.registry()):
        assert each.find("grid-sentences").digest == first and len(each.history()) == 1
    registry.promote(promotion_of(third, first))
    assert [each.digest for each in place.registry().history()] == [third, first]


def test_what_was_altered_in_the_cache_is_fetched_again_and_at_the_server_refused(place):
    registry = place.registry()
    digest = bundle(place.made, "one")
    registry.register(place.made / "one.lipsol")
    path = registry.path(digest)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert registry.path(digest).read_bytes() == whole
    (version,) = (row.version for row in registry._look().rows)
    path.unlink()
    (place.made / "model.lipsol").write_bytes(b"another")
    place.server.client.log_artifact(version.run_id, str(place.made / "model.lipsol"), "bundle")
    with pytest.raises(ModelError, match=f"not {digest[:12]}"):
        registry.path(digest)
    assert not path.exists()


def test_a_server_that_is_away_is_told_of_soon_with_its_address_and_the_cure(tmp_path):
    away = MlflowServer(f"http://{HOST}:{free_port()}")
    assert away.client is not None
    began = time.monotonic()
    with pytest.raises(Transient, match=away.uri) as told:
        MlflowRegistry(away, tmp_path).models()
    with pytest.raises(Transient, match=away.uri), MlflowTracker(away).run("train", "one", {}, {}):
        pass
    assert "make mlflow" in told.value.cure
    assert time.monotonic() - began < 60


def test_a_server_that_goes_away_in_the_middle_of_a_run_loses_nothing_that_is_sent_again(tmp_path, mlflow):
    tracker = MlflowTracker(MlflowServer(mlflow.uri))
    points = [(step, {"loss": 1.0 / (step + 1)}) for step in range(4)]
    with tracker.run(f"away-{uuid4().hex[:8]}", "one", {}, {}) as run:
        run.curve(points[:2])
        lost = MlflowTracker(MlflowServer(f"http://{HOST}:{free_port()}"))
        with pytest.raises(Transient), lost.run("x", "y", {}, {}, run_id=run.id):
            pass
        assert run.curve(points) == 2
