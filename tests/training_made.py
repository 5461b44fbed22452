"""A tiny data set of made-up mouths, and one member trained on it by a process of its own, for tests of training.

python -m tests.training_made DATA OUT PLAN [EPOCH, after whose line in the curve the process kills itself]
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch

from lipsol.clips.clip import MouthClip
from lipsol.data.dataset import Dataset, Item, Spoken, open_dataset, save
from lipsol.training import members
from lipsol.training.checkpoints import Keeper
from lipsol.training.corpus import Corpus
from lipsol.training.loop import Manner
from lipsol.training.members import finish
from lipsol.training.plan import Plan
from lipsol.training.ranks import joined
from lipsol.training.tasks import Task

FRAMES = 24
SENTENCES = (
    "bin blue at f two now",
    "lay red by a one soon",
    "set white in c nine again",
    "place green with x six please",
)


def made(folder: Path) -> Dataset:
    """Two speakers at home, five others, one unseen; a clip of each home speaker's training ones is not aligned."""
    rng = np.random.default_rng(0)
    items = []
    for speaker in "abcdefgu":
        splits = ("train", "train", "train", "validation", "test") if speaker in "ab" else ("train", "test")
        for n, split in enumerate(("unseen", "unseen") if speaker == "u" else splits):
            path = folder / f"{speaker}{n}.npz"
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_mouth(rng).to_bytes())
            text = SENTENCES[(n + ord(speaker)) % len(SENTENCES)]
            words = tuple(Spoken(word, 2 + 3 * at, 5 + 3 * at) for at, word in enumerate(text.split()))
            items.append(Item(path, speaker, () if speaker in "ab" and n == 2 else words, split, text))
    dataset = Dataset(
        name="made", language="en", grammar="grid", home=("a", "b"), items=tuple(items), licence="CC0-1.0",
        attribution="nobody", split="by hand", corpus="made up", names="", synthetic=True, folder=folder,
    )  # fmt: skip
    save(dataset, folder, copy=False)
    return open_dataset(folder)


def _mouth(rng: np.random.Generator) -> MouthClip:
    points = rng.normal(0, 0.1, (FRAMES, 56, 2)).astype(np.float32)
    picture = rng.integers(0, 256, (FRAMES, 96, 96), dtype=np.uint8)
    return MouthClip(picture, points[:, :40], points[:, 40:], points[:, :40], np.ones(FRAMES, bool))


def near(data: Path, out: Path, plan: str) -> dict[str, torch.Tensor]:
    """The near member's weights, its word head's too, after training or after going on with it."""
    torch.set_num_threads(1)
    corpus = Corpus.load(open_dataset(data), data.parent / "cache", 1, print)
    with joined("cpu") as ranks:
        out.mkdir(parents=True, exist_ok=True)
        file = finish(Task("near"), corpus, Plan.named(plan), 5, Manner(ranks=ranks), out)
        ranks.wait()
        trained = torch.load(file, weights_only=False)
    parts = (("eye", trained.eye), ("member", trained.member), ("head", trained.head))
    return {f"{name}.{key}": value for name, part in parts for key, value in part.state_dict().items()}


def dies_or_waits(line, _job, folder):
    """In place of a training process: that of the second member dies as soon as that of the first is there."""
    if line.recv().kind == "near":
        (folder / "waits").write_text(str(os.getpid()))
        time.sleep(900.0)
    while not (folder / "waits").exists():
        time.sleep(0.01)
    os._exit(7)


class Dies(Keeper):
    """Ends its process between a line of the curve and its checkpoint."""

    def tell(self, told):
        super().tell(told)
        if told["epoch"] == int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if len(sys.argv) > 4:
        members.Keeper = Dies
    near(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
