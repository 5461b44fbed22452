"""The repository keeps the laws that its README and DESIGN state."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

READING = ("services.cli", "services.cli.app", "services.embedded", "lipsol.reader", "lipsol.clips.watch")
TRAINING_ONLY = ("torch", "onnx", "onnxscript")
NEVER = ("tensorflow", "mlflow", "kfp", "evidently", "kafka")
HOSTS = re.compile(r"https?://|(pypi|pythonhosted|npmjs|conda|docker)\.(org|io|com)|--(extra-)?index-url|--find-links")
PLACES = re.compile(r"(?<![\w.])/(work|root|home/(?!somebody)\w+|opt/wheels|Users)/")


def tracked(top: Path, *patterns: str) -> list[Path]:
    """Files that git knows or would take in."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=top, capture_output=True, text=True, check=True).stdout.split("\0")
    return [top / name for name in names if name and (top / name).is_file()]


def texts(top: Path) -> dict[str, str]:
    """Name and content of each tracked text file."""
    found = {}
    for path in tracked(top):
        data = path.read_bytes()
        if b"\0" not in data:
            found[path.relative_to(top).as_posix()] = data.decode(errors="replace")
    return found


def imported(top: Path, *modules: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after importing `modules`."""
    code = f"import sys, {', '.join(modules)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=top, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_nobody_imports_above_or_beside_their_floor(top):
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=top, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_reading_a_clip_needs_no_training_weight(top):
    assert imported(top, *READING).isdisjoint(TRAINING_ONLY)


def test_the_command_line_answers_before_anything_heavy_is_loaded(top):
    heavy = {"numpy", "cv2", "av", "onnxruntime", "fastapi", "ai_edge_litert"}
    assert imported(top, "services.cli", "services.cli.app").isdisjoint(heavy)


@pytest.mark.parametrize("module", ["lipsol.bus.memory", "lipsol.events", "lipsol.runtime.wiring"])
def test_plumbing_holds_no_arrays(top, module):
    assert imported(top, module).isdisjoint({"torch", "cv2", "numpy", "onnxruntime"})


def pinned(top: Path, name: str) -> set[str]:
    return {line.partition("==")[0].partition("[")[0] for line in _lines(top, name) if re.match(r"\w", line)}


def _lines(top: Path, name: str) -> list[str]:
    return (top / "requirements" / f"{name}.txt").read_text().splitlines()


def test_what_serves_is_pinned_without_what_trains(top):
    assert pinned(top, "serve").isdisjoint(TRAINING_ONLY + NEVER)
    assert pinned(top, "train").isdisjoint(NEVER)
    assert pinned(top, "serve") <= pinned(top, "train") <= pinned(top, "pipelines") <= pinned(top, "dev")
    assert "tensorflow" not in pinned(top, "dev")


def test_a_bento_holds_what_serves_in_the_same_versions_and_all_that_bentoml_needs(top):
    assert pinned(top, "serve") | {"bentoml"} <= pinned(top, "bento") <= pinned(top, "dev")
    versions = {line.split(";")[0].split()[0] for line in _lines(top, "bento") if re.match(r"\w", line)}
    assert {line.split(";")[0].split()[0] for line in _lines(top, "serve") if re.match(r"\w", line)} <= versions


@pytest.mark.parametrize("name", ["serve", "train", "pipelines", "dev", "bento", "gpu"])
def test_a_requirement_file_pins_everything_and_names_no_host(top, name):
    for line in _lines(top, name):
        assert not HOSTS.search(line), f"requirements/{name}.txt: {line}"
        assert re.match(r"#|    #|    --hash=sha256:|[\w.-]+(\[[\w, -]+\])?==\S+", line), (
            f"requirements/{name}.txt: {line}"
        )


def test_no_file_names_a_place_of_the_machine_it_was_written_on(top):
    law = "tests/unit/test_layout.py"
    named = {
        f"{name}: {found[0]}" for name, text in texts(top).items() if name != law and (found := PLACES.search(text))
    }
    assert not named


def tree(top: Path) -> set[str]:
    """Every path of the README's tree; folders end in a slash."""
    drawn = (top / "README.md").read_text().partition("## The tree")[2].split("```")[1]
    above: list[str] = []
    named = set()
    for line in re.findall(r"^ *[\w.-]+/?(?= |$)", drawn, flags=re.MULTILINE):
        name = line.strip()
        del above[(len(line) - len(name)) // 2 :]
        named.add("".join([*above, name]))
        above.append(name)
    return named


def test_the_readmes_tree_names_every_folder_and_every_module(top):
    parts = {path.relative_to(top).parts for path in tracked(top)}
    wanted = {each[0] + "/" if len(each) > 1 else each[0] for each in parts}
    wanted |= {f"{each[0]}/{each[1]}/" for each in parts if len(each) > 2}
    wanted |= {"/".join(each) for each in parts if each[0] in {"lipsol", "services"} and each[-1].endswith(".py")}
    told_by_their_folder = (
        "__init__.py",
        "lipsol/bus/",
        "lipsol/store/",
        "lipsol/registry/",
        "lipsol/model/decoding/",
        "lipsol/proto/v1/",
        "lipsol/proto/oip/",
    )
    unnamed = {name for name in wanted - tree(top) if not any(part in name for part in told_by_their_folder)}
    assert not unnamed


def test_the_readmes_tree_names_nothing_that_is_not_there(top):
    assert tree(top)
    assert not {name for name in tree(top) if not (top / name).exists()}


def made(top: Path, *verbs: str) -> str:
    """What `make VERBS` prints, when no other make calls it."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *verbs], cwd=top, env=quiet, capture_output=True, text=True, check=True).stdout


def test_make_help_lists_every_verb(top):
    declared = re.search(r"^\.PHONY: (.*)$", (top / "Makefile").read_text(), flags=re.MULTILINE)
    assert declared is not None
    assert [line.split()[1] for line in made(top, "help").splitlines()] == declared[1].split()


def test_make_alone_lists_the_verbs(top):
    assert made(top) == made(top, "help")


def test_the_samples_are_a_dozen_clips_none_of_them_held_back_or_trained_on(top, samples):
    assert {sample.path for sample in samples} == set((top / "samples").glob("*.mp4"))
    assert len(samples) == 12
    for sample in samples:
        first = hashlib.sha256(sample.path.stem.partition("-")[2].encode()).digest()[0]
        allowed = first in range(26, 52) if sample.speaker == "s1" else first % 2 or sample.speaker == "s4"
        assert allowed, f"{sample.path.name}: {first}"


@pytest.mark.parametrize(
    ("service", "left_out"),
    [
        ("preprocess", {"onnxruntime", "evidently", "pandas"}),
        ("inference", {"cv2", "av", "ai_edge_litert", "evidently", "pandas"}),
        ("monitor", {"cv2", "av", "ai_edge_litert", "onnxruntime", "evidently", "pandas"}),
    ],
)
def test_a_service_alone_brings_no_other_with_it(top, service, left_out):
    """Its image leaves these out; the monitor's reports are made in a process of their own."""
    code = f"import sys; from services.__main__ import ALONE; ALONE[{service!r}].bring(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=top, capture_output=True, text=True, check=True)
    held = set(done.stdout.split())
    assert left_out.isdisjoint(held)
    assert {name for name in ("preprocess", "inference", "monitor") if f"services.{name}" in held} == {service}
