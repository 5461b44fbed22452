"""Corrections become a data set: what is believed, what is left out, and who belongs to which split."""

import hashlib
import itertools
from dataclasses import replace

import numpy as np
import pytest

from lipsol.data.checks.rules import Rules
from lipsol.data.checks.transcripts import transcripts
from lipsol.data.corrections import Correction, contributor_of
from lipsol.data.dataset import Dataset, Item, open_dataset, save
from lipsol.data.feedback import FLOOD, MOST, collect
from lipsol.errors import BadInput, NotFound
from tests.services_made import mouth_of
from tests.unit.data.mouths_made import Here

SAID = "bin blue at f two now"
OTHER = "set red by k nine soon"
FRAMES = 30


class Kept:
    """Corrections as the store keeps them."""

    def __init__(self):
        self.corrections: list[Correction] = []
        self.mouths: dict[str, bytes] = {}
        self.seeds = itertools.count()

    def add(self, clip, text=SAID, session="", *, at=0.0, mouth=None, language="en"):
        clip_id = hashlib.sha256(clip.encode()).hexdigest()[:32]
        data = (mouth or mouth_of(100 + next(self.seeds), FRAMES)).to_bytes()
        digest = hashlib.sha256(data).hexdigest()
        self.mouths[digest] = data
        name = contributor_of(session, clip_id)
        self.corrections.append(
            Correction(clip_id, f"{len(self.corrections)}", text, language, name, "f" * 64, "", "1", at, digest)
        )
        return clip_id

    def mouth(self, correction):
        if correction.mouth not in self.mouths:
            raise NotFound("it is gone")
        return self.mouths[correction.mouth]

    def into(self, out, previous=None, **how):
        return collect(self.corrections, self.mouth, previous, out, out.parent / "cache", **how)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def grid_like(tmp_path, monkeypatch):
    """A data set without corrections, of two mouths that are named as GRID names its clips."""
    monkeypatch.setattr("lipsol.data.mouths.ProcessPoolExecutor", Here)
    folder, items = tmp_path / "grid", []
    for n, (name, text) in enumerate((("bbaf2n", "bin blue at f two now"), ("srbk9s", "set red by k nine soon"))):
        path = tmp_path / f"{name}.npz"
        path.write_bytes(mouth_of(n, FRAMES).to_bytes())
        items.append(Item(path, "s1", (), "test" if n else "train", text))
    save(
        Dataset(
            "grid",
            "en",
            "grid",
            ("s1",),
            tuple(items),
            "CC-BY-4.0",
            "GRID",
            "by sha256(stem)[0]",
            "GRID",
            "grid",
            False,
            folder,
        ),
        folder,
        copy=True,
    )
    return folder


def texts(folder):
    return {item.id: item.text for item in open_dataset(folder).items}


def shaken(mouth, seed=9):
    """The same film, encoded anew."""
    noise = np.random.default_rng(seed).normal(0, 3, mouth.mouth.shape)
    return replace(mouth, mouth=(mouth.mouth + noise).clip(0, 255).astype(np.uint8))


def test_corrections_become_clips_without_word_times(kept, tmp_path):
    clip = kept.add("one", "Bin BLUE at f two now!")
    summary = kept.into(tmp_path / "out")
    (item,) = open_dataset(tmp_path / "out").items
    assert (item.id, item.text, item.words, item.split) == (clip, SAID, (), "train")
    assert item.path.read_bytes() == kept.mouth(kept.corrections[0])
    assert (sum(summary.taken.values()), summary.before, summary.left_out) == (1, 0, {})


def test_they_are_added_to_a_data_set_which_keeps_its_own_law(kept, grid_like, tmp_path):
    clip = kept.add("one")
    summary = kept.into(tmp_path / "out", grid_like)
    merged, before = open_dataset(tmp_path / "out"), open_dataset(grid_like)
    assert [item.text for item in merged.items[:2]] == [item.text for item in before.items]
    assert merged.items[2].id == clip
    assert (merged.name, merged.home, summary.before) == ("grid", ("s1",), 2)
    assert (merged.names, merged.corpus) == ("grid", "GRID"), "its own clips' figures stay what they were"
    assert merged.split == "by sha256(stem)[0]; corrections: training alone"
    assert "never to be published" in merged.licence
    assert merged.version() != before.version()


def test_the_names_of_corrections_say_nothing_and_those_of_the_data_sets_own_clips_all_they_said(
    kept, grid_like, tmp_path
):
    kept.add("one")
    kept.into(tmp_path / "out", grid_like)
    merged, law = open_dataset(tmp_path / "out"), Rules.of("default")
    assert law.judged(found_by("names", merged, law)) is None
    wrong = replace(merged, items=(replace(merged.items[0], text=OTHER), *merged.items[1:]))
    assert law.judged(found_by("names", wrong, law)).clips == ("s1_bbaf2n",)


def found_by(rule, dataset, law):
    return next(found for found in transcripts(dataset, law) if found.rule == rule)


@pytest.mark.parametrize("again", [lambda mouth: mouth, shaken], ids=["the bytes", "anew"])
def test_a_clip_that_the_data_set_has_of_its_own_is_left_out_whatever_is_said_of_it(kept, grid_like, tmp_path, again):
    theirs = kept.add("sample", OTHER, mouth=again(mouth_of(1, FRAMES)))
    fine = kept.add("fine")
    summary = kept.into(tmp_path / "out", grid_like)
    assert summary.left_out == {theirs: "the data set has this film of its own"}
    assert list(texts(tmp_path / "out")) == ["bbaf2n", "srbk9s", fine]


def test_a_version_can_point_to_the_data_sets_own_clips(kept, grid_like, tmp_path):
    kept.add("one")
    kept.into(tmp_path / "out", grid_like, copy=False)
    before, merged = open_dataset(grid_like), open_dataset(tmp_path / "out")
    assert [item.path.resolve() for item in merged.items[:2]] == [item.path.resolve() for item in before.items]
    assert len(list((tmp_path / "out").rglob("*.npz"))) == 1


def test_a_second_version_has_what_the_first_had_and_says_its_laws_once(kept, grid_like, tmp_path):
    first = kept.add("one")
    kept.into(tmp_path / "v1", grid_like)
    kept.corrections.clear()  # their time in the store is up
    second = kept.add("two")
    kept.into(tmp_path / "v2", tmp_path / "v1")
    assert list(texts(tmp_path / "v2"))[2:] == [first, second]
    one, two = open_dataset(tmp_path / "v1"), open_dataset(tmp_path / "v2")
    assert (one.split, one.licence, one.corpus) == (two.split, two.licence, two.corpus)


def test_nobody_who_corrects_is_tested_or_validated_on_also_where_an_earlier_version_did(kept, tmp_path):
    for n in range(12):  # the hash of a name dealt one in five elsewhere
        kept.add(f"clip {n}", session=f"talk {n % 7}" if n % 2 else "", at=n * 60.0)
    assert kept.into(tmp_path / "v1").taken == {"train": 12}
    before = open_dataset(tmp_path / "v1")
    tested = replace(before, items=tuple(replace(item, split="unseen") for item in before.items))
    save(tested, tmp_path / "v1", copy=False)
    kept.corrections.clear()
    kept.into(tmp_path / "v2", tmp_path / "v1")
    assert {item.split for item in open_dataset(tmp_path / "v2").items} == {"train"}


def test_the_newest_of_what_one_person_says_of_a_clip_holds(kept, tmp_path):
    clip = kept.add("one", at=2.0, text=OTHER, mouth=mouth_of(1, FRAMES))
    kept.add("one", at=1.0, text=SAID, mouth=mouth_of(1, FRAMES))
    kept.into(tmp_path / "out")
    assert texts(tmp_path / "out") == {clip: OTHER}


@pytest.mark.parametrize("again", [lambda mouth: mouth, shaken], ids=["the same bytes", "encoded anew"])
def test_a_film_that_was_sent_twice_counts_once(kept, tmp_path, again):
    mouth = mouth_of(1, FRAMES)
    first = kept.add("one", mouth=mouth, at=1.0)
    second = kept.add("two", mouth=again(mouth), at=2.0)
    other = kept.add("three", at=3.0)
    summary = kept.into(tmp_path / "out")
    assert set(texts(tmp_path / "out")) == {first, other}
    assert summary.left_out == {second: "the same film is there already"}


def test_where_two_people_disagree_about_a_film_nobody_is_believed(kept, tmp_path):
    mouth = mouth_of(1, FRAMES)
    ids = {kept.add("one", SAID, "a", mouth=mouth), kept.add("two", OTHER, "b", mouth=shaken(mouth))}
    fine = kept.add("three")
    summary = kept.into(tmp_path / "out")
    assert set(texts(tmp_path / "out")) == {fine}
    assert set(summary.left_out) == ids
    assert SAID not in summary.to_json()


def test_where_one_person_changes_their_mind_about_a_film_the_newest_holds(kept, tmp_path):
    mouth = mouth_of(1, FRAMES)
    kept.add("one", SAID, "a", mouth=mouth, at=1.0)
    second = kept.add("two", OTHER, "a", mouth=mouth, at=2.0)
    kept.into(tmp_path / "out")
    assert texts(tmp_path / "out") == {second: OTHER}


def test_who_disagrees_with_an_earlier_version_takes_its_clip_out(kept, tmp_path):
    mouth = mouth_of(1, FRAMES)
    first = kept.add("one", SAID, "a", mouth=mouth)
    stays = kept.add("three")
    kept.into(tmp_path / "v1")
    kept.corrections.clear()
    kept.add("two", OTHER, "b", mouth=mouth, at=1.0)
    assert kept.into(tmp_path / "v2", tmp_path / "v1").removed == [first]
    assert set(texts(tmp_path / "v2")) == {stays}


def test_what_was_taken_back_is_in_no_later_version(kept, grid_like, tmp_path):
    clip, other = kept.add("one"), kept.add("two")
    kept.into(tmp_path / "v1", grid_like)
    summary = kept.into(tmp_path / "v2", tmp_path / "v1", withdrawn={clip})
    assert set(texts(tmp_path / "v1")) >= {clip, other}
    assert clip not in texts(tmp_path / "v2")
    assert not list((tmp_path / "v2").rglob(f"*{clip}*"))
    assert summary.removed == [clip]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"text": "  "}, "no words"),
        ({"text": "bin blue at f 2 now"}, "not in the alphabet"),
        ({"text": "buy cheap watches now"}, "no sentence of the data set's grammar"),
        ({"text": "آج", "language": "ur"}, "in 'ur', the data set in 'en'"),
        ({"mouth": mouth_of(5, 10)}, "nobody says over 25 a second"),
        ({"mouth": replace(mouth_of(5, FRAMES), seen=np.zeros(FRAMES, bool))}, "the face is seen in 0.00"),
    ],
    ids=["empty", "letters", "spam", "language", "too fast", "faceless"],
)
def test_what_nobody_said_in_the_clip_is_left_out_with_the_reason(kept, tmp_path, bad, reason):
    spoilt, fine = kept.add("bad", **bad), kept.add("fine")
    summary = kept.into(tmp_path / "out")
    assert set(texts(tmp_path / "out")) == {fine}
    assert reason in summary.left_out[spoilt]


def test_a_mouth_that_is_gone_or_none_at_all_is_left_out(kept, tmp_path):
    gone, fine = kept.add("gone"), kept.add("fine")
    broken = kept.add("broken")
    kept.mouths.pop(kept.corrections[0].mouth)
    kept.mouths[kept.corrections[2].mouth] = b"no mouth"
    summary = kept.into(tmp_path / "out")
    assert (set(summary.left_out), set(texts(tmp_path / "out"))) == ({gone, broken}, {fine})


def test_one_who_floods_is_left_out_and_slower_ones_are_not(kept, tmp_path, monkeypatch):
    monkeypatch.setattr("lipsol.data.feedback.FLOOD", 3)
    for n in range(4):
        kept.add(f"flood {n}", session="bot", at=n * 2.0)
        kept.add(f"calm {n}", session="person", at=n * 30.0)
    summary = kept.into(tmp_path / "out")
    assert set(summary.left_out.values()) == {"its contributor sent over 3 within 60 s"}
    assert (open_dataset(tmp_path / "out").speakers(), FLOOD) == ([contributor_of("person", "")], 20)


def test_who_names_no_session_shares_one_bound_and_loses_the_flood_alone(kept, tmp_path, monkeypatch):
    monkeypatch.setattr("lipsol.data.feedback.FLOOD", 3)
    monkeypatch.setattr("lipsol.data.feedback.MOST", 2)
    calm = [kept.add(f"calm {n}", at=n * 60.0) for n in range(3)]
    flood = {kept.add(f"flood {n}", at=1000.0 + n) for n in range(4)}
    summary = kept.into(tmp_path / "out")
    told = dict.fromkeys(flood, "who names no session sent over 3 within 60 s")
    assert summary.left_out == {**told, calm[0]: "who names no session has 2 newer"}
    assert list(texts(tmp_path / "out")) == calm[1:]


def test_of_one_contributor_no_more_are_taken_than_most_and_those_are_the_newest(kept, tmp_path, monkeypatch):
    monkeypatch.setattr("lipsol.data.feedback.MOST", 3)
    ids = [kept.add(f"clip {n}", session="eager", at=n * 60.0) for n in range(5)]
    kept.into(tmp_path / "out")
    assert (list(texts(tmp_path / "out")), MOST) == (ids[2:], 100)


def test_a_version_is_never_changed(kept, tmp_path):
    kept.add("one")
    kept.into(tmp_path / "out")
    with pytest.raises(BadInput, match="holds something already"):
        kept.into(tmp_path / "out")


def test_where_nothing_is_left_nothing_is_written(kept, tmp_path):
    kept.add("one", "buy cheap watches")
    with pytest.raises(BadInput, match="no correction can teach anything: it is no sentence"):
        kept.into(tmp_path / "out")
    assert not (tmp_path / "out" / "dataset.json").exists()
