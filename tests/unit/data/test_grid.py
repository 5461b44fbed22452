"""GRID's own folder as a data set: its split, its alignments."""

import hashlib

import pytest

from lipsol.data.dataset import open_dataset
from lipsol.data.grid import is_spread, read_alignment, split_of
from lipsol.errors import BadInput
from lipsol.text.grammar import Grammar


def _stem(first: int) -> str:
    """A stem whose SHA-256 begins with the byte `first`."""
    return next(name for name in map(str, range(100_000)) if hashlib.sha256(name.encode()).digest()[0] == first)


@pytest.mark.parametrize(
    ("speaker", "first", "split"),
    [
        ("s1", 0, None),
        ("s1", 25, None),
        ("s1", 26, "test"),
        ("s1", 51, "test"),
        ("s1", 52, "validation"),
        ("s1", 77, "validation"),
        ("s1", 78, "train"),
        ("s1", 255, "train"),
        ("s2", 4, "train"),
        ("s5", 7, "test"),
        ("s4", 200, "unseen"),
        ("s4", 3, "unseen"),
    ],
)
def test_the_split_is_a_law_of_the_file_name(speaker, first, split):
    assert split_of(speaker, _stem(first)) == split


def test_clips_that_are_held_back_are_never_listed(tmp_path):
    (tmp_path / "s1").mkdir()
    (tmp_path / "align" / "s1").mkdir(parents=True)
    for first in (0, 25, 26, 200):
        (tmp_path / "s1" / f"{_stem(first)}.mp4").touch()
        (tmp_path / "align" / "s1" / f"{_stem(first)}.align").write_text("0 5000 sil\n5000 9000 bin\n")
    assert [item.path.stem for item in open_dataset(tmp_path).items] == sorted([_stem(26), _stem(200)])


def test_the_corpus_splits_into_the_numbers_of_the_issue(grid):
    items = open_dataset(grid).items
    known = [item.split for item in items if item.speaker == "s1"]
    assert [known.count(split) for split in ("train", "validation", "test")] == [675, 103, 111]
    assert {item.split for item in items if item.speaker == "s4"} == {"unseen"}
    assert sum(is_spread(item) for item in items if item.speaker == "s4") == 49
    grammar = Grammar.named("grid")
    assert all(grammar.accepts(item.text) for item in items)


def test_an_alignment_counts_in_thousandths_of_a_frame(tmp_path):
    (tmp_path / "a.align").write_text("0 17000 sil\n17000 23250 place\n23250 30000 sp\n30000 32500 in\n")
    words = read_alignment(tmp_path / "a.align")
    assert [(word.text, word.start, word.end) for word in words] == [("place", 17, 23), ("in", 30, 32)]


@pytest.mark.parametrize(
    "line", ["12 place", "a 3 place", "1 2 place now"], ids=["two columns", "no number", "four columns"]
)
def test_a_wrong_line_of_an_alignment_is_named(tmp_path, line):
    (tmp_path / "a.align").write_text(f"0 1000 sil\n{line}\n")
    with pytest.raises(BadInput, match=r"a\.align line 2"):
        read_alignment(tmp_path / "a.align")


def test_no_clips_is_an_error_with_a_cure(tmp_path):
    with pytest.raises(BadInput, match="no GRID clips"):
        open_dataset(tmp_path)
