"""How far boards and alternatives can be believed: fitted on validation clips and strangers, measured on others.

Each clip is asked under boards of 40 phrases of the grammar, once with what was said among them and once without:
"far" boards hold sentences drawn at random, "near" ones sentences that differ from what was said in one to three words,
"mixed" ones eight near and the rest far.

    python -m lipsol.training.boards [--data DIR] [--cache DIR] [--model FILE] [--fit]
"""

import json
import os
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import rankdata

from lipsol.bundle import Bundle
from lipsol.data.dataset import Item, open_dataset
from lipsol.data.mouths import mouths_of
from lipsol.model.boards import LEAST, Fit, Fits, fits_of, missed
from lipsol.model.decoding import Decoded, Evidence
from lipsol.reader import BUNDLE_GRAMMAR, Heard, Reader
from lipsol.text.grammar import Grammar
from lipsol.text.scoring import expected_calibration_error
from lipsol.text.wording import Wording

KNOWN_SPEAKER = "s1"
PHRASES = 40
NEAR = 8  # near phrases of a mixed board
KINDS = ("far", "mixed", "near")
KNOWN_WRONG, EXPECTED = 0.012, 1.4  # of `calibrate`: what may be sure and wrong where the bound is chosen
LOWEST = 0.5
PULL = 0.05  # weight that pulls a fit's numbers towards 0


@dataclass(frozen=True)
class Trial:
    """A clip under a board; truth "": what was said is not on it."""

    group: str
    kind: str
    truth: str
    heard: Heard
    wording: Wording
    decoded: Decoded

    @property
    def evidence(self) -> Evidence:
        """That one of the phrases was said."""
        return self.decoded.evidence or Evidence(None, None)

    @property
    def shares(self) -> list[float]:
        """Raw shares of the board, the reading's first."""
        return [self.decoded.probability, *(other.probability for other in self.decoded.alternatives)]

    @property
    def place(self) -> int | None:
        """Where the truth stands among the readings."""
        texts = [self.decoded.text, *(other.text for other in self.decoded.alternatives)]
        return texts.index(self.truth) if self.truth else None


def group_of(item: Item) -> str:
    """Which clips are reported together."""
    if item.speaker == KNOWN_SPEAKER:
        return f"known speaker, {item.split}"
    return "unseen speaker, all" if item.split == "unseen" else f"other speakers, {item.split}"


def trials_of(reader: Reader, items: Sequence[Item], heard: Sequence[Heard]) -> Iterator[Trial]:
    """Every clip under every kind of board, with the truth and without."""
    rng = np.random.default_rng(0)
    grammar = Grammar.named("grid")
    slots = [[arc.word for arc in grammar.arcs if arc.start == state] for state in range(grammar.states - 1)]
    for item, each in zip(items, heard, strict=True):
        for kind in KINDS:
            others = sorted(others_of(item.text, kind, slots, rng))
            for phrases, truth in (([*others[1:], item.text], item.text), (others, "")):
                wording = Wording.of_phrases("board", grammar.language, phrases)
                yield Trial(group_of(item), kind, truth, each, wording, reader.decode_raw(each, wording))


def others_of(text: str, kind: str, slots: Sequence[Sequence[str]], rng: np.random.Generator) -> set[str]:
    """A board's worth of phrases beside what was said."""
    near = {"far": 0, "mixed": NEAR, "near": PHRASES}[kind]
    made: set[str] = set()
    while len(made) < PHRASES:
        words = text.split()
        changed = rng.choice(len(words), int(rng.integers(1, 4)) if len(made) < near else len(words), replace=False)
        for place in changed:
            words[place] = str(rng.choice([word for word in slots[place] if len(made) >= near or word != words[place]]))
        made |= {" ".join(words)} - {text}
    return made


def fitted(trials: Sequence[Trial], *, both: bool) -> Fit:
    """Logistic regression of `Fit.inside`, then the sharpness under which the truths are likeliest."""
    signs = np.array([[1.0, *_missed(trial.evidence, both=both)] for trial in trials])
    on = np.array([bool(trial.truth) for trial in trials], np.float64)

    def loss(fit: Float64[np.ndarray, "3"]) -> float:
        odds = signs @ fit
        return float((np.logaddexp(0, odds) - on * odds).sum() + PULL * (fit**2).sum())

    offset, characters, words = minimize(loss, np.zeros(3), bounds=[(None, None), (None, 0), (None, 0)]).x
    truths = [(np.log(np.maximum(trial.shares, LEAST)), trial.place) for trial in trials if trial.place is not None]

    def surprise(sharpness: float) -> float:
        return -sum(float(sharpness * logs[at] - np.logaddexp.reduce(sharpness * logs)) for logs, at in truths)

    sharpness = minimize_scalar(surprise, bounds=(0.05, 2.0), method="bounded").x
    return Fit(*(round(float(each), 3) for each in (offset, abs(characters), abs(words), sharpness)))


def bound_of(fits: Fits, trials: Sequence[Trial]) -> float:
    """The lowest confidence above which few are wrong, as `lipsol.training.calibrate` chooses it."""
    rows = sorted(((*_judged(fits, trial)[:2],) for trial in trials), key=lambda row: -row[0])
    sure, wrong = np.array([row[0] for row in rows]), np.cumsum([not row[1] for row in rows])
    fine = np.flatnonzero(np.maximum(wrong, np.cumsum(1 - sure) / EXPECTED) <= KNOWN_WRONG * len(rows))
    return round(max(LOWEST, float(sure[fine[-1]])), 4) if len(fine) else 1.0


def figures(fits: Fits, trials: Sequence[Trial]) -> dict[str, float]:
    """What a board does to these trials: with the truth on it and without."""
    judged = [_judged(fits, trial) for trial in trials]
    on = np.array([bool(trial.truth) for trial in trials])
    sure, right, none = (np.array([row[n] for row in judged]) for n in range(3))
    given = sure >= fits.threshold
    ranks = rankdata(none)
    area = (ranks[~on].sum() - (~on).sum() * ((~on).sum() + 1) / 2) / ((~on).sum() * on.sum())
    return {
        "n": float(on.sum()),
        "right": float(right[on].mean()),
        "answered": float(given[on].mean()),
        "answered wrong": float((given & ~right)[on].mean()),
        "none, truth on": float((none[on] > LOWEST).mean()),
        "none, truth off": float((none[~on] > LOWEST).mean()),
        "answered, truth off": float(given[~on].mean()),
        "AUC of none": float(area),
        "ECE of none": expected_calibration_error(none.tolist(), (~on).tolist()),
        "ECE of the reading": expected_calibration_error(sure.tolist(), right.tolist()),
    }


def _judged(fits: Fits, trial: Trial) -> tuple[float, bool, float]:
    """Confidence of the reading, whether it is right, and the confidence that it is none."""
    evidence = trial.evidence
    inside = fits.of(evidence).inside(evidence)
    return inside * float(fits.of(evidence).among(trial.shares)[0]), trial.place == 0, 1 - inside


def _missed(evidence: Evidence, *, both: bool) -> list[float]:
    return [missed(evidence.characters), missed(evidence.words) if both else 0.0]


def nbest(reader: Reader, items: Sequence[Item], heard: Sequence[Heard], bound: Any) -> dict[str, float]:
    """How far the alternatives' confidences can be believed: their sum against how often the truth is among them."""
    rows = [
        (other.confidence, other.text == item.text)
        for item, each in zip(items, heard, strict=True)
        for other in reader.decode(each, bound).alternatives
    ]
    told, right = zip(*rows, strict=True)
    return {
        "n": float(len(items)),
        "expected": sum(told) / len(items),
        "found": sum(right) / len(items),
        "ECE": expected_calibration_error(told, right),
    }


def main() -> int:
    """Fit, if asked to, and print what boards and alternatives are worth."""
    parser = ArgumentParser(description="Measure boards of phrases and alternatives on GRID.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/grid"))
    parser.add_argument("--cache", type=Path, default=Path("build/training"))
    parser.add_argument("--model", type=Path, default=Path("models/grid-sentences.lipsol"))
    parser.add_argument("--fit", action="store_true", help="fit anew, and print the fits")
    asked = parser.parse_args()
    reader = Reader(Bundle.load(asked.model))
    items = [item for item in open_dataset(asked.data).items if item.split != "train"]
    mouths = mouths_of(items, asked.cache, len(os.sched_getaffinity(0)), print)
    items = [item for item in items if item.name in mouths]
    heard = reader.hear([mouths[item.name] for item in items])
    trials = list(trials_of(reader, items, heard))
    fits = {stranger: _fits(reader, trials, stranger=stranger, anew=asked.fit) for stranger in (False, True)}
    if asked.fit:
        print(json.dumps({"familiar": asdict(fits[False]), "stranger": asdict(fits[True])}))
    for group in dict.fromkeys(trial.group for trial in trials):
        for kind in KINDS:
            some = [trial for trial in trials if trial.group == group and trial.kind == kind]
            _row([group, kind], figures(fits[not group.startswith("known")], some))
    for group in dict.fromkeys(map(group_of, items)):
        rows = [(item, each) for item, each in zip(items, heard, strict=True) if group_of(item) == group]
        for way, bound in {"grammar": BUNDLE_GRAMMAR, "free": None}.items():
            _row([group, way], nbest(reader, [item for item, _ in rows], [each for _, each in rows], bound))
    return 0


def _fits(reader: Reader, trials: Sequence[Trial], *, stranger: bool, anew: bool) -> Fits:
    if not anew:
        return fits_of(reader.bundle.card, stranger=stranger)
    some = [
        trial
        for trial in trials
        if trial.group == ("other speakers, test" if stranger else "known speaker, validation")
    ]
    fits = Fits(fitted(some, both=True), fitted(some, both=False), threshold=1.0)
    return fits if stranger else replace(fits, threshold=bound_of(fits, some))


def _row(names: Sequence[str], told: dict[str, float]) -> None:
    print(f"| {' | '.join([*names, *(f'{value:.3g}' for value in told.values())])} |")


if __name__ == "__main__":
    raise SystemExit(main())
