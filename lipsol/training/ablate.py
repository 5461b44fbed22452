"""What one change does: train one member for a few epochs and score it on validation clips, never on test clips.

    python -m lipsol.training.ablate near --epochs 25 --set shift_px=1.5 scale=0.04 turn_deg=3.0 --whitening 1.0

Prints one JSON line. docs/experiments.md is made of such lines. `far-s5` trains the far member with s5 left out and
scores it on s5's training clips as well.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lipsol.model.decoding import decode_beam, decode_grammar
from lipsol.model.emissions import Emissions
from lipsol.model.networks import Eye, Member, time_mask
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from lipsol.text.scoring import character_error_rate, word_error_rate
from lipsol.training.corpus import GRAMMAR, LANGUAGE, Corpus
from lipsol.training.examples import HEAVY, LIGHT, Augmentation, Example
from lipsol.training.fit import WHITENING, fit_eye
from lipsol.training.loop import Schedule
from lipsol.training.manifest import Item
from lipsol.training.members import Teacher


def main() -> None:
    """Parse, train, score, print."""
    asked = _arguments()
    torch.set_num_threads(1)
    torch.manual_seed(asked.seed)
    began = time.monotonic()
    corpus = Corpus.load(asked.data, asked.cache, 2, print)
    left_out = asked.member.partition("-")[2]
    items = corpus.known("train") + ([] if asked.member == "near" else corpus.others("train", left_out))
    fitted = corpus.examples_of([*corpus.known("train"), *corpus.others("train")])
    eye = fit_eye(fitted, asked.components, asked.seed, asked.whitening)
    how = _changed(LIGHT if asked.member == "near" else HEAVY, asked.set)
    teach = Teacher(corpus, eye, how, asked.seed, print)
    member = teach.member(teach.new(still=asked.member == "near"), items, Schedule(asked.epochs, rate=asked.rate))
    groups = {"validation": corpus.known("validation")}
    if left_out:
        groups[left_out] = [item for item in corpus.others("train") if item.speaker == left_out]
    scores = {name: _scores(member, eye, corpus, group) for name, group in groups.items()}
    print(json.dumps({"asked": vars(asked), "seconds": round(time.monotonic() - began), **scores}, default=str))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("member", help="near, far, or far-SPEAKER to leave one out")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--whitening", type=float, default=WHITENING)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="fields of Augmentation")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/grid"))
    parser.add_argument("--cache", type=Path, default=Path("build/training"))
    return parser.parse_args()


def _changed(how: Augmentation, settings: Sequence[str]) -> Augmentation:
    changes: dict[str, Any] = {name: json.loads(value) for name, _, value in (each.partition("=") for each in settings)}
    return dataclasses.replace(how, **changes)


def _scores(member: Member, eye: Eye, corpus: Corpus, items: Sequence[Item]) -> dict[str, float]:
    """Error rates of raw readings, bound by the grammar and free."""
    grammar, truths = Grammar.named(GRAMMAR), [item.text for item in items]
    said = [_emissions(member, eye, corpus.examples[item.name], corpus) for item in items]
    bound = [decode_grammar(each, grammar).text for each in said]
    free = [decode_beam(each).text for each in said]
    return {
        "n": len(items),
        "grammar_wer": round(word_error_rate(truths, bound), 4),
        "free_wer": round(word_error_rate(truths, free), 4),
        "free_cer": round(character_error_rate(truths, free), 4),
    }


def _emissions(member: Member, eye: Eye, example: Example, corpus: Corpus) -> Emissions:
    length = torch.tensor([len(example.words)])
    with torch.no_grad():
        components = eye(eye.look(example.mouth[None]), time_mask(length, len(example.words)))
        chars, words = member(components, example.points.flatten(1)[None], length)
    return Emissions(chars[0].numpy(), words[0].numpy(), ALPHABETS[LANGUAGE].characters, corpus.vocabulary)


if __name__ == "__main__":
    main()
