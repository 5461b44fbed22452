"""The `lipsol` command as a person and a program meet it: real clips, the shipped models, a process of its own."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path("samples")
MODELS = Path("models")

pytestmark = pytest.mark.skipif(not list(MODELS.glob("*.lipsol")), reason="models/ holds no bundle: `make train`")


def lipsol(*arguments, cwd=None, check=None):
    """Run the command; `check` is the exit code that it must end with."""
    command = [sys.executable, "-m", "services.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd, check=False)
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


@pytest.fixture(scope="module")
def truths():
    with (SAMPLES / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["text"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def demo():
    """What `make demo` runs."""
    return lipsol("read", *sorted(SAMPLES.glob("*.mp4")), "--truth", SAMPLES / "truth.csv")


def test_the_demo_prints_each_sample_with_its_truth(demo, truths):
    assert demo.returncode == 0, demo.stderr
    lines = demo.stdout.splitlines()
    assert len(lines) == len(truths)
    for line in lines:
        name = Path(line.split("  ")[0]).name
        assert line.endswith(truths[name])
        assert " % " in line


def test_nothing_but_readings_comes_out(demo):
    assert demo.stderr == ""
    assert all(line.startswith("samples/") for line in demo.stdout.splitlines())


def test_a_clip_of_the_seen_speaker_is_read_right(truths):
    name = max(name for name in truths if name.startswith("s1-"))
    told = json.loads(lipsol("read", SAMPLES / name, "--format", "json", check=0).stdout)
    assert told["text"] == truths[name]
    assert told["state"] == "read"
    assert len(told["alternatives"]) >= 3
    assert told["text"] not in [each["text"] for each in told["alternatives"]]
    assert [word["text"] for word in told["words"]] == truths[name].split()
    assert all(word["start_s"] < word["end_s"] for word in told["words"])
    assert len(told["model"]["digest"]) == 64


def test_a_bad_clip_among_good_ones_is_exit_2_and_the_good_are_read(truths, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"#EXTM3U\nfile:///etc/passwd\n")
    good = SAMPLES / min(truths)
    done = lipsol("read", bad, good, "--format", "jsonl", check=2)
    assert [json.loads(line)["path"] for line in done.stdout.splitlines()] == [str(good)]
    assert len(done.stderr.splitlines()) == 1
    assert str(bad) in done.stderr


def test_captions_lie_beside_each_other(truths, tmp_path):
    first, second = sorted(truths)[:2]
    lipsol("read", SAMPLES / first, SAMPLES / second, "--format", "vtt", "--output", tmp_path)
    assert (tmp_path / first).with_suffix(".vtt").read_text().startswith("WEBVTT")
    assert (tmp_path / second).with_suffix(".vtt").exists()


def test_a_phrase_list_of_my_own_binds_the_reading(truths, tmp_path):
    name = min(name for name in truths if name.startswith("s1-"))
    (tmp_path / "phrases.txt").write_text("place red at zero please\nset white in nine soon\n")
    done = lipsol("read", SAMPLES / name, "--grammar", tmp_path / "phrases.txt", "--format", "json")
    assert json.loads(done.stdout)["text"] in {"place red at zero please", "set white in nine soon"}


def test_a_free_reading_names_no_grammar(truths):
    done = lipsol("read", SAMPLES / min(truths), "--grammar", "none", "--format", "json")
    assert json.loads(done.stdout)["grammar"] is None


def test_samples_are_a_manifest_to_evaluate(truths):
    told = json.loads(lipsol("evaluate", "--manifest", SAMPLES / "truth.csv", "--json", check=0).stdout)
    assert told["n"] == len(truths)
    assert told["unreadable"] == []
    assert told["decoding"] == "grammar grid"
    assert told["per_speaker"]["s1"]["wer"] <= 0.1
    assert sum(each["n"] for each in told["per_speaker"].values()) == told["n"]


def test_an_unknown_model_is_told_once_with_those_there_are(truths):
    done = lipsol("read", *[SAMPLES / name for name in sorted(truths)[:3]], "--model", "gird", check=2)
    assert len(done.stderr.splitlines()) == 1
    assert "grid-sentences" in done.stderr


def test_models_are_listed_and_shown():
    listed = json.loads(lipsol("models", "--json", check=0).stdout)
    names = [each["name"] for each in listed]
    assert {"grid-sentences", "grid-words"} <= set(names)
    card = json.loads(lipsol("models", "grid-words", check=0).stdout)["card"]
    assert card["licence"]


def test_the_doctor_finds_this_machine_able_to_read():
    told = json.loads(lipsol("doctor", "--json", check=0).stdout)
    assert told["works"] is True
    assert {"python", "video", "face", "onnx", "models", "store"} <= {each["name"] for each in told["checks"]}


def test_reading_works_from_any_folder_and_leaves_nothing_there(truths, tmp_path):
    repository = Path.cwd()
    done = subprocess.run(
        [Path(sys.executable).with_name("lipsol"), "read", repository / SAMPLES / min(truths)],
        capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 3}, done.stderr  # 3: not sure of it
    assert list(tmp_path.iterdir()) == []


def test_a_reader_who_leaves_early_hears_no_complaint(truths):
    clips = " ".join(str(SAMPLES / name) for name in sorted(truths)[:4])
    line = f"{sys.executable} -m services.cli read {clips} --format jsonl | head -n 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=300, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""
