"""The shipped bundles, evaluated on a few dozen real clips."""

import json
from pathlib import Path

import pytest

from lipsol.errors import BadInput
from lipsol.evaluation.evaluate import FILE, REPORT, evaluate
from lipsol.evaluation.records import Evaluation
from lipsol.runtime.cpus import available_cpus

LIMIT = 5  # clips of each of five speakers


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("mouths")


@pytest.fixture(scope="module")
def sentences(top, grid, cache, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("sentences")
    return evaluate(top / "models" / "grid-sentences.lipsol", grid, cache, out, limit=LIMIT, workers=available_cpus())


def test_a_bundle_is_read_seen_and_unseen_every_way_on_clips_that_training_never_saw(sentences):
    found = Evaluation.load(sentences)
    assert {(clip.group, clip.way) for clip in found.clips} == {
        (group, way) for group in ("seen", "unseen") for way in ("grammar", "free")
    }
    assert {clip.speaker for clip in found.clips if clip.group == "unseen"} == {"s4"}
    assert len(found.clips) == 2 * 5 * LIMIT and found.limit == LIMIT and not found.unread
    assert found.summary["seen"]["grammar"]["wer"]["value"] < 0.2 < found.summary["unseen"]["grammar"]["wer"]["value"]
    assert found.summary["seen"]["grammar"]["wer"]["by"] == "speaker"
    assert found.summary["unseen"]["grammar"]["wer"]["by"] == "clip"
    facts = found.clips[0].facts.keys()
    assert {"brightness", "mouth_px", "yaw_deg", "seconds", "face_found", "spread", "new_sentence"} <= facts


def test_it_names_its_bundle_its_data_and_the_machine_that_timed_it(sentences, top):
    found = Evaluation.load(sentences)
    assert found.bundle["name"] == "grid-sentences" and len(found.bundle["digest"]) == len(found.data["sha256"]) == 64
    assert found.size_bytes == (top / "models" / "grid-sentences.lipsol").stat().st_size
    assert 0 < found.latency["p50_ms"] <= found.latency["p95_ms"] and found.latency["clips"] == 5 * LIMIT
    assert found.machine["threads"] == "1" and found.machine["processor"]


def test_the_same_bundle_reads_the_same_again_and_stands_beside_itself(sentences, top, grid, cache, tmp_path):
    again = evaluate(top / "models" / "grid-sentences.lipsol", grid, cache, tmp_path, sentences, limit=LIMIT)
    first, second = Evaluation.load(sentences), Evaluation.load(again)
    assert (first.clips, first.summary, first.slices, first.errors) == (
        second.clips, second.summary, second.slices, second.errors,
    )  # fmt: skip
    rates = {(each.group, each.way): each.wer for each in second.baselines if each.name.startswith("champion")}
    assert rates == {
        (group, way): held["wer"]["value"]
        for group, ways in second.summary.items()
        for way, held in ways.items()
        if group in ("seen", "unseen")
    }


def test_a_words_bundle_reads_words_cut_out(top, grid, cache, tmp_path):
    file = evaluate(top / "models" / "grid-words.lipsol", grid, cache, tmp_path, limit=2)
    found = Evaluation.load(file)
    assert {clip.way for clip in found.clips} == {"words"} and {clip.words for clip in found.clips} == {1}
    assert len(found.clips) == 6 * len({clip.recording for clip in found.clips}) == 6 * 5 * 2
    assert {each.wer for each in found.baselines if each.name == "grammar chance"} == {round(1 - 1 / 51, 4)}
    assert (tmp_path / REPORT).stat().st_size > 50_000


def test_both_files_lie_in_the_folder_and_the_machines_is_json(sentences):
    assert sentences.name == FILE and json.loads(sentences.read_bytes())["format"] == 1
    assert "The worst clips" in (sentences.parent / REPORT).read_text(encoding="utf-8")


def test_a_bundle_of_another_language_is_refused(top, tmp_path, cache):
    facts = {
        "format": 1, "name": "other", "language": "ur", "grammar": "urdu", "home": [], "licence": "", "attribution": "",
        "split": "", "corpus": "", "names": "", "synthetic": True,
    }  # fmt: skip
    (tmp_path / "dataset.json").write_text(json.dumps(facts))
    (tmp_path / "manifest.csv").write_text("path,text,speaker,language,split,words\na.npz,آپ,u1,ur,test,\n")
    with pytest.raises(BadInput, match="'en'.*'ur'"):
        evaluate(top / "models" / "grid-sentences.lipsol", tmp_path, cache, tmp_path / "out")
