"""The sentence that hotwords prefer, found exactly: by a search through the grammar times what was said of hotwords.

What is preferred is added up along a sentence, so the best first search of `paths` finds it, once every state of the
grammar is split by the words that lead to it and may still become a hotword. Probabilities stay what they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from lipsol.model.decoding.decoded import NEVER
from lipsol.model.decoding.paths import STOP, Choices, Path, best_paths
from lipsol.text.grammar import Arc, Grammar
from lipsol.text.hotwords import Hotwords


@dataclass(frozen=True)
class _Split:
    """A grammar whose states know what was said of hotwords.

    states  the state of the plain grammar that each of its states was split from
    arcs    the same of its arcs
    gains   log of what each arc is preferred by
    """

    grammar: Grammar
    choices: Choices
    states: tuple[int, ...]
    arcs: tuple[int, ...]
    gains: tuple[float, ...]


def preferred(
    grammar: Grammar,
    choices: Choices,
    logp: Float64[np.ndarray, "choices"],
    likeliest: Sequence[Path],
    hotwords: Hotwords,
) -> list[Path]:
    """The likeliest paths with the one that the hotwords prefer in front of them, each with its own probability."""
    arcs, stops = np.full(len(grammar.arcs), NEVER), np.full(grammar.states, NEVER)
    stop = choices.arcs == STOP
    arcs[choices.arcs[~stop]] = logp[~stop]
    stops[choices.froms[stop]] = logp[stop]
    split = _split(grammar, hotwords)
    raised = [
        stops[split.states[state]] if arc == STOP else arcs[split.arcs[arc]] + split.gains[arc]
        for state, arc in zip(split.choices.froms.tolist(), split.choices.arcs.tolist(), strict=True)
    ]
    best = best_paths(split.grammar, split.choices, np.array(raised, np.float64), 1)[0]
    taken = tuple(split.arcs[arc] for arc in best.arcs)
    shares = tuple(float(arcs[arc]) for arc in taken)
    first = Path(sum(shares) + float(stops[grammar.arcs[taken[-1]].end]), taken, shares)
    return [first, *(path for path in likeliest if path.arcs != taken)]


@lru_cache(maxsize=8)
def _split(grammar: Grammar, hotwords: Hotwords) -> _Split:
    heard: list[dict[tuple[str, ...], None]] = [{} for _ in range(grammar.states)]  # in order of finding
    heard[0][()] = None
    found: list[tuple[tuple[int, tuple[str, ...]], tuple[int, tuple[str, ...]], int, float]] = []
    for number, arc in enumerate(grammar.arcs):
        for before in heard[arc.start]:
            after, gain = hotwords.step(before, arc.word)
            heard[arc.end][after] = None
            found.append(((arc.start, before), (arc.end, after), number, gain))
    every = [(state, words) for state, ways in enumerate(heard) for words in ways]
    place = {key: n for n, key in enumerate(every)}
    rows = sorted(
        (place[start], place[end], grammar.arcs[number].word, number, gain) for start, end, number, gain in found
    )
    finals = frozenset(n for n, (state, _) in enumerate(every) if state in grammar.finals)
    arcs = tuple(Arc(start, end, word) for start, end, word, _, _ in rows)
    split = Grammar(grammar.name, grammar.language, arcs, len(every), finals)
    return _Split(
        split,
        Choices.of(split),
        tuple(state for state, _ in every),
        tuple(number for *_, number, _ in rows),
        tuple(gain for *_, gain in rows),
    )
