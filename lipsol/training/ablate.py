"""What one change does: train one member for a few epochs and score it on validation clips, never on test clips.

    python -m lipsol.training.ablate near --plan '{"near": {"epochs": 25}, "light": {"shift_px": 1.5}}'

Prints one JSON line. docs/experiments.md is made of such lines. `far-s5` trains the far member with s5 left out and
scores it on s5's training clips as well.
"""

import argparse
import json
import time
from pathlib import Path

import torch

from lipsol.data.dataset import open_dataset
from lipsol.training.corpus import Corpus
from lipsol.training.loop import Manner
from lipsol.training.measure import scores
from lipsol.training.members import train_member_of
from lipsol.training.plan import Plan
from lipsol.training.tasks import Task


def main() -> None:
    """Parse, train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("member", help="near, second, far, or far-SPEAKER to leave one out")
    parser.add_argument("--plan", default="full", help="a name, a JSON file, or JSON of what is to be changed")
    parser.add_argument("--limit", type=int, default=0, help="clips of each speaker and split")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/grid"))
    parser.add_argument("--cache", type=Path, default=Path("build/training"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    corpus = Corpus.load(open_dataset(asked.data).limited(asked.limit), asked.cache, 2, print)
    kind, _, left_out = asked.member.partition("-")
    began = time.monotonic()
    trained = train_member_of(Task(kind, left_out), corpus, Plan.named(asked.plan), asked.seed, Manner())
    groups = {"validation": corpus.known("validation")}
    if left_out:
        groups[left_out] = corpus.others("train", only=corpus.folds()[left_out])
    found = {name: scores(trained.member, trained.eye, corpus, group) for name, group in groups.items()}
    print(json.dumps({"asked": vars(asked), "seconds": round(time.monotonic() - began), **found}, default=str))


if __name__ == "__main__":
    main()
