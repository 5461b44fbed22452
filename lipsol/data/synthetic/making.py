"""A data set of drawn mouths: what `lipsol data synthesise` runs. The same arguments give the same bytes.

Half of what each speaker says are the founders' sentences (`ur.txt`), the other half is drawn from their grammar. The
split is a law: unseen speakers are never trained on, and of the others the hash of the sentence decides, so what is
tested was not trained on in anybody's mouth.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from lipsol.data.dataset import Dataset, Item, Split, save
from lipsol.data.synthetic.clip import say
from lipsol.data.synthetic.speaker import invent
from lipsol.errors import BadInput
from lipsol.text.alphabet import normalise
from lipsol.text.grammar import Grammar

GRAMMARS = {"ur": "urdu"}  # languages that can be synthesised: those whose sounds have targets
FEWEST = 4  # speakers: of each role one, and two to know
UNSEEN_SHARE, OTHER_SHARE = 4, 8  # one speaker in so many is never trained on; is trained on, but not familiar
TESTED, VALIDATED = 26, 52  # first byte of a sentence's hash below which it is tested, or else validated
LAW = (
    "unseen speakers are never trained on; else by sha256(sentence)[0]: 0-25 test, 26-51 validation (familiar speakers "
    "alone), the rest training"
)
ATTRIBUTION = (
    "drawn by LipSol, nobody real was filmed; sentences of LIPSOL's founders and of their grammar; times of sounds by "
    "espeak-ng's voice"
)


@dataclass(frozen=True)
class Wish:
    """What to make: so many speakers, sentences of each, and the seed that all chance comes from."""

    language: str = "ur"
    speakers: int = 24
    sentences: int = 60
    seed: int = 1


def synthesise(wish: Wish, folder: Path, workers: int, report: Callable[[str], None]) -> Dataset:
    """Write the data set into the folder, speaker by speaker in `workers` processes.

    Raises BadInput for a language without a grammar here, or too few speakers or sentences.
    """
    _check(wish)
    roles = roles_of(wish.speakers)
    items: list[Item] = []
    for name, made in zip(roles, _in_turn(wish, folder, roles, workers), strict=True):
        report(f"{name} ({roles[name]}): {len(made)} clips")
        items += made
    dataset = Dataset(
        name=f"{GRAMMARS[wish.language]}-synthetic", language=wish.language, grammar=GRAMMARS[wish.language],
        home=tuple(name for name, role in roles.items() if role == "home"), items=tuple(items),
        licence="Apache-2.0", attribution=ATTRIBUTION, split=LAW, corpus="LipSol's synthetic Urdu: drawn mouths",
        names="", synthetic=True, folder=folder,
    )  # fmt: skip
    save(dataset, folder, copy=False)
    return dataset


def roles_of(speakers: int) -> dict[str, str]:
    """Speaker -> home (familiar), other (trained on, not familiar) or unseen."""
    unseen, other = max(1, speakers // UNSEEN_SHARE), max(1, speakers // OTHER_SHARE)
    names = [f"drawn{n:02d}" for n in range(1, speakers + 1)]
    return {
        name: "unseen" if n >= speakers - unseen else "other" if n >= speakers - unseen - other else "home"
        for n, name in enumerate(names)
    }


def founders_sentences(language: str) -> list[str]:
    """The packaged sentences of a language, normalised."""
    text = Path(__file__).with_name(f"{language}.txt").read_text(encoding="utf-8")
    return [normalise(line, language) for line in text.splitlines()]


def sentences_of(wish: Wish, speaker: str) -> list[str]:
    """What a speaker says: half the founders' sentences, half drawn from the grammar, none twice."""
    rng = _chance(wish, f"what {speaker} says")
    known = founders_sentences(wish.language)
    said = [known[n] for n in rng.permutation(len(known))[: wish.sentences // 2]]
    grammar = Grammar.named(GRAMMARS[wish.language])
    while len(said) < wish.sentences:
        drawn = _sentence(grammar, rng)
        if drawn not in said:
            said.append(drawn)
    return said


def _sentence(grammar: Grammar, rng: np.random.Generator) -> str:
    """A walk through the grammar."""
    words, state = [], 0
    while state not in grammar.finals:
        ways = [arc for arc in grammar.arcs if arc.start == state]
        chosen = ways[int(rng.integers(len(ways)))]
        words.append(chosen.word)
        state = chosen.end
    return " ".join(words)


def split_of(role: str, sentence: str) -> Split:
    """Where a clip belongs: LAW."""
    if role == "unseen":
        return "unseen"
    first = hashlib.sha256(sentence.encode()).digest()[0]
    if first < TESTED:
        return "test"
    return "validation" if first < VALIDATED and role == "home" else "train"


def _in_turn(wish: Wish, folder: Path, roles: Mapping[str, str], workers: int) -> Iterator[list[Item]]:
    """Each speaker's clips in the roles' order, each speaker in a process of its own: see `espeak`."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        yield from pool.map(partial(_speaker, wish, folder), roles, roles.values())


def _speaker(wish: Wish, folder: Path, name: str, role: str) -> list[Item]:
    """All clips of one speaker, written."""
    speaker = invent(name, _chance(wish, f"who {name} is"))
    place = folder / "clips" / name
    place.mkdir(parents=True, exist_ok=True)
    items = []
    for number, sentence in enumerate(sentences_of(wish, name), start=1):
        said = say(sentence, wish.language, speaker, wish.seed)
        path = place / f"{number:03d}.npz"
        path.write_bytes(said.mouth.to_bytes())
        items.append(Item(path, name, said.words, split_of(role, sentence), sentence))
    return items


def _chance(wish: Wish, what: str) -> np.random.Generator:
    """A stream of chance of its own for each thing, so that one more speaker leaves the others as they are."""
    digest = hashlib.sha256(f"{wish.seed} {wish.language} {what}".encode()).digest()
    return np.random.default_rng(list(digest))


def _check(wish: Wish) -> None:
    if wish.language not in GRAMMARS:
        raise BadInput(f"{wish.language!r} can't be synthesised", f"give one of {', '.join(GRAMMARS)}")
    for value, least, what in ((wish.speakers, FEWEST, "speakers"), (wish.sentences, 1, "sentences")):
        if value < least:
            raise BadInput(f"{value} {what}", f"give {least} at least")
    if wish.sentences > 1000:
        raise BadInput(f"{wish.sentences} sentences a speaker", "give 1000 at most: the grammar has no more to spare")
