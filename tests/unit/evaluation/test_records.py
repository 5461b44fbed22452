"""An evaluation on disk: the same bytes for the same findings, and nothing else is taken for one."""

import hashlib
import json

import pytest

from lipsol.errors import BadInput
from lipsol.evaluation.records import Evaluation
from tests.clips_read import evaluation_of, read


@pytest.fixture
def found() -> Evaluation:
    return evaluation_of([
        read("s1_a", "bin blue at f two now", "bin blue at s two now", facts={"brightness": 100.25}, others=["lay"]),
        read("s4_b", "lay red in k one soon", "lay red in k one soon", speaker="s4", group="unseen"),
    ])  # fmt: skip


def test_an_evaluation_comes_back_as_it_was(found):
    assert Evaluation.from_json(found.to_json()) == found


def test_its_digest_is_the_files(found, tmp_path):
    file = tmp_path / "evaluation.json"
    file.write_bytes(found.to_json())
    assert Evaluation.load(file).digest() == found.digest() == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_clip_stands_on_a_line_of_its_own(found):
    lines = found.to_json().decode().splitlines()
    assert [json.loads(line.rstrip(","))["name"] for line in lines if line.startswith('{"abstained"')] == [
        "s1_a",
        "s4_b",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"no json", "no evaluation", id="no json"),
        pytest.param(b'{"clips": []}', "bundle", id="half of it"),
        pytest.param(b"[]", "no evaluation", id="a list"),
    ],
)
def test_what_is_no_evaluation_is_refused_by_name(data, said, tmp_path):
    file = tmp_path / "champion.json"
    file.write_bytes(data)
    with pytest.raises(BadInput, match=said) as fault:
        Evaluation.load(file)
    assert "champion.json" in str(fault.value)


def test_another_format_is_refused(found):
    with pytest.raises(BadInput, match="format 7"):
        Evaluation.from_json(found.to_json().replace(b'"format": 1', b'"format": 7'))


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="gone.json"):
        Evaluation.load(tmp_path / "gone.json")


def test_words_of_one_recording_know_that_they_are():
    assert read("s1_a word 3", "at", "by").recording == read("s1_a word 4", "f", "f").recording == "s1_a"
    assert read("s1_a", "at", "by").key == ("s1_a", "grammar")
