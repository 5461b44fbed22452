"""Data sets on disk: what is written is read again, what is wrong is named, and the version tells contents apart."""

import dataclasses

import pytest

from lipsol.data.dataset import FACTS, MANIFEST, Dataset, Item, Spoken, open_dataset, save
from lipsol.errors import BadInput


@pytest.fixture
def made(tmp_path):
    """Three clips of two speakers, one not aligned, in Urdu and English letters alike."""
    folder = tmp_path / "here"
    folder.mkdir()
    items = []
    for n, (speaker, text) in enumerate([("a", "ایک دو"), ("a", "دو"), ("b", "ایک")]):
        (folder / f"clip{n}.npz").write_bytes(bytes([n]))
        words = () if n == 1 else tuple(Spoken(word, 5 * m, 5 * m + 4) for m, word in enumerate(text.split()))
        items.append(Item(folder / f"clip{n}.npz", speaker, words, ("train", "test", "unseen")[n], text))
    return Dataset(
        name="made", language="ur", grammar="urdu", home=("a",), items=tuple(items), licence="CC0-1.0",
        attribution="nobody", split="as it came", corpus="made up", names="", synthetic=True, folder=folder,
    )  # fmt: skip


@pytest.mark.parametrize("copy", [False, True], ids=["pointing", "copied"])
def test_what_is_saved_is_opened_again(made, tmp_path, copy):
    save(made, tmp_path / "there", copy=copy)
    opened = open_dataset(tmp_path / "there" / MANIFEST)
    same = dataclasses.replace(opened, items=made.items, folder=made.folder)
    assert same == made and opened == open_dataset(tmp_path / "there")
    assert [(i.name, i.words, i.split, i.text) for i in opened.items] == [
        (i.name, i.words, i.split, i.text) for i in made.items
    ]
    assert [item.path.read_bytes() for item in opened.items] == [b"\0", b"\1", b"\2"]
    assert opened.version() == made.version()
    assert (tmp_path / "there" / "clips" / "a" / "clip0.npz").exists() is copy


def test_saving_where_it_lies_moves_nothing(made):
    save(made, made.folder, copy=False)
    assert [item.path for item in open_dataset(made.folder).items] == [item.path for item in made.items]


CHANGES = {
    "text": {"text": "دو دو"},
    "split": {"split": "validation"},
    "word times": {"words": (Spoken("ایک", 0, 5),)},
    "speaker": {"speaker": "c"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_another_clip_makes_another_version(made, change):
    first, *rest = made.items
    changed = dataclasses.replace(made, items=(dataclasses.replace(first, **change), *rest))
    assert changed.version() != made.version()


def test_other_bytes_or_another_order_make_another_version(made):
    version = made.version()
    assert dataclasses.replace(made, items=made.items[::-1]).version() != version
    assert dataclasses.replace(made, home=("b",)).version() != version
    made.items[0].path.write_bytes(b"other")
    assert made.version() != version


ROWS = {
    "a split that is none": ("clip0.npz,دو,a,ur,dev,", "line 2 has the split 'dev'"),
    "another language": ("clip0.npz,bin,a,en,train,", "line 2 is in 'en'"),
    "words without times": ("clip0.npz,دو,a,ur,train,دو", "line 2 has the words"),
    "a word that ends before it starts": ("clip0.npz,دو,a,ur,train,دو:9-4", "line 2 has the words"),
    "no speaker": ("clip0.npz,دو,,ur,train,", "line 2 has no path or no speaker"),
    "nothing": ("", "lists no clips"),
}


@pytest.mark.parametrize(("row", "told"), ROWS.values(), ids=ROWS.keys())
def test_a_wrong_row_is_named(made, row, told):
    save(made, made.folder, copy=False)
    (made.folder / MANIFEST).write_text(f"path,text,speaker,language,split,words\n{row}\n")
    with pytest.raises(BadInput, match=told):
        open_dataset(made.folder)


def test_other_columns_and_another_format_are_refused(made):
    save(made, made.folder, copy=False)
    (made.folder / MANIFEST).write_text("path,text\na,b\n")
    with pytest.raises(BadInput, match="has the columns"):
        open_dataset(made.folder)
    (made.folder / FACTS).write_text('{"format": 2}')
    with pytest.raises(BadInput, match="does not describe a data set"):
        open_dataset(made.folder)


def test_a_clip_that_is_gone_is_named_when_its_bytes_are_asked_for(made):
    made.items[1].path.unlink()
    with pytest.raises(BadInput, match=r"clip1\.npz"):
        made.version()


def test_a_limit_takes_so_many_of_each_speaker_and_split_in_their_order(grid):
    whole = open_dataset(grid)
    few = whole.limited(3)
    counts = {}
    for item in few.items:
        counts[item.speaker, item.split] = counts.get((item.speaker, item.split), 0) + 1
    assert set(counts.values()) == {3} and len(counts) == 10
    assert list(few.items) == [item for item in whole.items if item in set(few.items)]
    assert len({item.text for item in few.items}) > 25
    assert whole.limited(0) is whole
