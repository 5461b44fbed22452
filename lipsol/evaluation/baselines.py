"""What others would get on the same clips: who knows only how often words are said, who guesses, who reads by eye.

Guesses are computed from the grammar and the training texts, never typed in. The human figure is a published one, on
other clips of the same corpus: it says how hard the task is, not how this model compares.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from lipsol.evaluation.records import Baseline, ClipRead, Evaluation
from lipsol.evaluation.scores import error_rate
from lipsol.text.grammar import MAX_PHRASES, Grammar
from lipsol.text.scoring import edits

MAJORITY, CHANCE, CHAMPION, HUMAN = "majority class", "grammar chance", "champion", "people who read lips"
PAIRS = 5000  # of sentences that chance is computed from where a grammar has no slots

# Section 4.3 and table 2 of the paper: WER 57.3, 50.4 and 35.5 % of three hearing-impaired people on its unseen
# speakers, after they were told the grammar and had watched ten minutes of annotated clips; 300 clips each.
HUMANS: Mapping[str, Baseline] = {
    "GRID": Baseline(
        HUMAN, "unseen", "grammar", 0.477,
        "mean of three hearing-impaired people, 300 clips each, of that paper's own unseen speakers, not of these",
        'Y. M. Assael, B. Shillingford, S. Whiteson, N. de Freitas, "LipNet: End-to-end sentence-level lipreading", '
        "arXiv:1611.01599, 2016, section 4.3 and table 2",
    )
}  # fmt: skip


def chance(grammar: Grammar) -> float:
    """Expected WER of a sentence drawn evenly from the grammar for one drawn evenly from it.

    Of a grammar of slots exact, place by place: the mean of 1 - 1/n over slots of n words (0.81 for GRID). Of others
    the mean over PAIRS drawn pairs of its first sentences.
    """
    slots = grammar.document().get("slots")
    if slots:
        return sum(1 - 1 / len(slot) for slot in slots) / len(slots)
    said = [sentence.split() for sentence in islice(grammar.sentences(), MAX_PHRASES)]
    drawn = np.random.default_rng(0).integers(len(said), size=(PAIRS, 2))
    return sum(edits(said[n], said[m]) for n, m in drawn) / sum(len(said[n]) for n, _ in drawn)


def choice(words: int) -> float:
    """The same of one word drawn evenly from a vocabulary."""
    return 1 - 1 / words


def majority(texts: Sequence[str]) -> str:
    """What is said most: of texts of the commonest length, at each place the commonest word (the first of equals)."""
    split = [text.split() for text in texts]
    length = Counter(map(len, split)).most_common(1)[0][0]
    places = zip(*(words for words in split if len(words) == length), strict=True)
    return " ".join(Counter(place).most_common(1)[0][0] for place in places)


def baselines_of(
    clips: Sequence[ClipRead], training: Sequence[str], guessing: float, champion: Evaluation | None, corpus: str
) -> Iterator[Baseline]:
    """The table's rows. training: texts that training heard; guessing: chance; corpus: as the data set calls it."""
    ways = dict.fromkeys((clip.group, clip.way) for clip in clips)
    common = majority(training) if training else ""
    for group, way in ways:
        own = [clip for clip in clips if (clip.group, clip.way) == (group, way)]
        if common:
            words = sum(clip.words for clip in own)
            wrong = sum(edits(clip.truth.split(), common.split()) for clip in own)
            yield Baseline(MAJORITY, group, way, round(wrong / words, 4), f'always "{common}"')
        if way != "free":
            yield Baseline(CHANCE, group, way, round(guessing, 4), "any reading that is allowed, all equally likely")
        if champion is not None:
            yield from _champion(champion, own)
    if corpus in HUMANS and ("unseen", "grammar") in ways:
        yield HUMANS[corpus]


def _champion(champion: Evaluation, own: Sequence[ClipRead]) -> Iterator[Baseline]:
    """The champion on the very same clips, as far as it read them."""
    wanted = {clip.key for clip in own}
    rate = error_rate(held := [clip for clip in champion.clips if clip.key in wanted])
    if rate is not None:
        name = f"{CHAMPION} {champion.bundle['name']} {champion.bundle['version']}"
        missed = f", without {len(own) - len(held)} clips that it did not read" if len(held) < len(own) else ""
        note = f"digest {champion.bundle['digest'][:12]}{missed}"
        yield Baseline(name, own[0].group, own[0].way, rate, note)
