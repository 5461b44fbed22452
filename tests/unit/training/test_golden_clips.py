"""Which clips become golden: of those that training never saw, one of the known speaker and one of another."""

from pathlib import Path

import pytest

from lipsol import golden
from lipsol.bundle import Bundle
from lipsol.data.dataset import Dataset, Item, Spoken
from lipsol.reader import Reader
from lipsol.training.build import _golden, _sentences, _words
from lipsol.training.corpus import Corpus, labels_of


@pytest.fixture(scope="module")
def mouths(top):
    """What the shipped bundle's golden clips show; nothing here asks what is said in them."""
    return [clip.mouth for clip in Bundle.load(top / "models" / "grid-sentences.lipsol").golden]


@pytest.fixture(scope="module")
def corpus(mouths):
    """Clips of both speakers, of which training saw the first of each."""
    words = (Spoken("lay", 0, 10), Spoken("blue", 10, 20))
    items = [
        Item(Path(f"{speaker}{n}.mp4"), speaker, words, split, "lay blue")
        for speaker in ("s1", "s5")
        for n, split in enumerate(("train", "test", "test"))
    ]
    shown = {item.name: mouths[item.speaker == "s5"] for item in items}
    shown["s1_s12"] = shown["s1_s12"].cut(0, 20)  # of which little can be read
    dataset = Dataset(
        name="made", language="en", grammar="grid", home=("s1",), items=tuple(items), licence="", attribution="",
        split="", corpus="", names="", synthetic=False, folder=Path(),
    )  # fmt: skip
    return Corpus(dataset, items, shown, {}, labels_of(dataset))


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [("grid-sentences", _sentences, ["s1_s11", "s5_s51"]), ("grid-words", _words, None)],
    ids=["sentences", "words"],
)
def test_they_are_held_back_clips_of_both_speakers(top, corpus, name, said, expected):
    reader = Reader(Bundle.load(top / "models" / f"{name}.lipsol"))
    made = _golden(reader, corpus, said)
    assert [clip.name.split("_")[0] for clip in made] == ["s1", "s5"]
    assert not {clip.name.split()[0] for clip in made} & {"s1_s10", "s5_s50"}
    assert expected is None or [clip.name for clip in made] == expected
    assert all(len(clip.mouth) <= golden.FRAMES and clip.answers for clip in made)
