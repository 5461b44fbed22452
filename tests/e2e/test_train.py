"""Training from clips to bundles, on a few dozen clips for an epoch each: the whole way, not how well it reads."""

import pytest
import torch

from lipsol import golden
from lipsol.bundle import Bundle
from lipsol.clips.watch import Watcher
from lipsol.data.dataset import open_dataset
from lipsol.data.grid import split_of
from lipsol.reader import Reader
from lipsol.training.corpus import Corpus
from lipsol.training.job import Job
from lipsol.training.loop import Manner
from lipsol.training.members import train_member_of
from lipsol.training.plan import Plan, Schedule
from lipsol.training.tasks import Task
from lipsol.training.train import train

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # torch's exporter warns of its own doings
]
BRIEF = Schedule(epochs=1, batch=8)
PLAN = Plan(BRIEF, BRIEF, BRIEF, BRIEF, BRIEF, BRIEF)
TAKEN = {"s1": {"train": 16, "validation": 4, "test": 4}, "s4": {"unseen": 2}}
TAKEN_OF_OTHERS = {"train": 3, "test": 2}


@pytest.fixture(scope="module")
def few(grid, tmp_path_factory):
    """A corpus of a few clips of each speaker and split, in GRID's own folders."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "align").symlink_to(grid / "align")
    for source in (grid / "s1", *sorted((grid / "speakers").iterdir())):
        left = dict(TAKEN.get(source.name, TAKEN_OF_OTHERS))
        target = folder / source.relative_to(grid)
        target.mkdir(parents=True)
        for path in sorted(source.glob("*.mp4")):
            split = split_of(source.name, path.stem)
            if split is not None and left.get(split, 0):
                left[split] -= 1
                (target / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_a_seed_gives_one_set_of_weights(few, cache):
    corpus = Corpus.load(open_dataset(few), cache, 2, print)
    one, other, third = (
        train_member_of(Task("near"), corpus, PLAN, seed, Manner()).member.state_dict() for seed in (3, 3, 4)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not all(torch.equal(one[name], third[name]) for name in one)


def test_clips_become_two_bundles_that_read_and_tell_of_themselves(few, cache, sample, tmp_path):
    said = []
    paths = train(Job(few, tmp_path, cache, seed=3, plan=PLAN, command="lipsol train --seed 3"), said.append)
    mouth = Watcher().watch(sample.bytes()).mouth
    assert [path.name for path in paths] == ["grid-sentences.lipsol", "grid-words.lipsol"]
    for path in paths:
        assert path.stat().st_size < 8_000_000
        bundle = Bundle.load(path)
        assert Reader(bundle).read(mouth).text
        golden.check(Reader(bundle))
        assert len(bundle.golden) == 2 and all(len(clip.mouth) <= golden.FRAMES for clip in bundle.golden)
        assert bundle.card["training"]["command"] == "lipsol train --seed 3"
        assert len(bundle.card["data"]["sha256"]) == 64 and "0-25 never used" in bundle.card["data"]["split"]
        assert "CC BY 4.0" in bundle.card["attribution"] and bundle.card["licence"] == "CC-BY-4.0"
        for ways in bundle.card["scores"].values():
            for scores in ways.values():
                low, high = scores["wer"]["interval"]
                assert low <= scores["wer"]["value"] <= high and scores["risk_coverage"]["points"]
    assert len(said) >= 4
