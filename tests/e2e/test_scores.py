"""What the shipped models promise, asked of `lipsol evaluate` as anybody would: real clips, files of single words too.

Slow (about three minutes), and last: the names of the files that pytest collects put it behind nearly everything.
"""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from lipsol.clips.video import decode
from lipsol.data.dataset import open_dataset, word_span
from lipsol.data.grid import is_spread, read_alignment
from lipsol.text.scoring import expected_calibration_error
from tests.clips_made import film

pytestmark = pytest.mark.slow
CONTEXT = 2  # frames on each side of a cut-out word


def _evaluate(folder, rows, *options):
    """The figures of `lipsol evaluate`, and each reading."""
    manifest, kept = folder / "manifest.csv", folder / "readings.jsonl"
    with manifest.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "text", "speaker", "language"), *rows])
    command = [
        sys.executable,
        "-m",
        "services.cli",
        "evaluate",
        "--manifest",
        manifest,
        "--json",
        "--output",
        kept,
        *options,
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), [json.loads(line) for line in kept.read_text().splitlines()]


def _rows(items):
    return [(item.path, item.text, item.speaker, "en") for item in items]


@pytest.fixture(scope="module")
def items(grid):
    return open_dataset(grid).items


@pytest.fixture(scope="module")
def known(items):
    return [item for item in items if item.speaker == "s1" and item.split == "test"]


@pytest.fixture(scope="module")
def bound(known, tmp_path_factory):
    return _evaluate(tmp_path_factory.mktemp("bound"), _rows(known))


def test_the_known_speakers_sentences_are_read_within_the_grammar(bound):
    figures, _ = bound
    assert figures["n"] == 111 and figures["unreadable"] == []
    assert figures["wer"] <= 0.03


def test_confidence_can_be_believed_and_most_is_answered(bound):
    figures, readings = bound
    assert figures["sure_wrong"] <= 0.02
    assert figures["abstained"] <= 0.4
    right = [reading["text"] == reading["truth"] for reading in readings]
    assert expected_calibration_error([reading["confidence"] for reading in readings], right) <= 0.05


def test_free_reading_of_the_known_speaker(known, tmp_path):
    figures, _ = _evaluate(tmp_path, _rows(known), "--grammar", "none")
    assert figures["wer"] <= 0.05 and figures["cer"] <= 0.025


def test_a_stranger_is_seldom_told_something_wrong_as_sure(items, tmp_path):
    strangers = [item for item in items if item.split == "unseen" and is_spread(item)]
    figures, _ = _evaluate(tmp_path, _rows(strangers))
    assert figures["n"] == 49
    assert figures["sure_wrong"] <= 0.10
    assert figures["wer"] <= 0.50  # the aim is 0.45, docs/experiments.md says what was tried


def test_the_untouched_originals_are_read_too(grid, tmp_path):
    speakers = {"bbaf1n": "s2", "bbaf1s": "s3"}
    rows = []
    for path in sorted((grid / "originals").glob("*.mpg")):
        speaker = speakers.get(path.stem, "s1")
        words = read_alignment(grid / "align" / speaker / f"{path.stem}.align")
        rows.append((path, " ".join(word.text for word in words), speaker, "en"))
    figures, readings = _evaluate(tmp_path, rows)
    assert figures["n"] == 16
    smeared = next(reading for reading in readings if "pbio7a" in reading["path"])
    assert smeared["abstained"] or smeared["right"]
    others = [reading for reading in readings if reading["truth"] != smeared["truth"]]
    assert sum(reading["right"] for reading in others) >= 12


def test_cut_out_words_are_named(known, tmp_path):
    rows = []
    for item in known:
        frames = decode(item.path.read_bytes()).frames
        for n, word in enumerate(item.words):
            start, end = word_span(word, len(frames), CONTEXT, CONTEXT)
            path = tmp_path / f"{item.name}-{n}.mp4"
            path.write_bytes(film(np.ascontiguousarray(frames[start:end])))
            rows.append((path, word.text, item.speaker, "en"))
    figures, _ = _evaluate(tmp_path, rows, "--model", "grid-words")
    assert figures["n"] == 666
    assert figures["sentence_accuracy"] >= 0.90
    assert figures["top3_accuracy"] >= 0.97
