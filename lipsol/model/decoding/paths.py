"""From posteriors of arcs to sentences: what each state's choices are worth, and the k best ways through them.

At each state of a grammar a sentence goes on by one of the arcs that leave it, or stops. The probability of a sentence
is the product of its choices', each given its state: so all sentences of a grammar together have probability 1.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from jaxtyping import Bool, Float64, Int

from lipsol.model.decoding.automaton import Flow
from lipsol.model.decoding.decoded import NEVER
from lipsol.text.grammar import Grammar

STOP = -1  # in place of an arc: the sentence ends here
TIE_DIGITS = 9  # paths whose log-probabilities agree to so many digits are as good as each other


@dataclass(frozen=True)
class Choices:
    """All choices of a grammar, state by state.

    arcs    int, shape (choices,): number of the arc, or STOP
    froms   int, shape (choices,): the state, rising
    starts  int, shape (groups,): where each state's choices start
    sizes   int, shape (groups,): how many there are
    """

    arcs: Int[np.ndarray, "choices"]
    froms: Int[np.ndarray, "choices"]
    starts: Int[np.ndarray, "groups"]
    sizes: Int[np.ndarray, "groups"]

    @classmethod
    def of(cls, grammar: Grammar) -> "Choices":
        """Those of a grammar; a state's arcs come before its stop."""
        froms = np.array([arc.start for arc in grammar.arcs] + sorted(grammar.finals), np.intp)
        arcs = np.concatenate([np.arange(len(grammar.arcs)), np.full(len(grammar.finals), STOP)]).astype(np.intp)
        order = np.argsort(froms, kind="stable")
        _, starts, sizes = np.unique(froms[order], return_index=True, return_counts=True)
        return cls(arcs[order], froms[order], starts.astype(np.intp), sizes.astype(np.intp))

    def of_flow(self, flow: Flow) -> Float64[np.ndarray, "choices"]:
        """Log-probability of each choice in a flow."""
        return np.asarray(np.where(self.arcs == STOP, flow.stops[self.froms], flow.arcs[self.arcs]))

    def given_state(self, logp: Float64[np.ndarray, "choices"]) -> Float64[np.ndarray, "choices"]:
        """Each choice's share among those of its state; NEVER throughout a state that is never reached."""
        whole = np.logaddexp.reduceat(logp, self.starts)
        shares = logp - np.repeat(whole, self.sizes)
        return np.where(np.repeat(whole, self.sizes) > NEVER / 2, shares, NEVER)

    def reached(self, logp: Float64[np.ndarray, "choices"]) -> Bool[np.ndarray, "choices"]:
        """Whether any choice of the same state can be."""
        return np.asarray(np.repeat(np.maximum.reduceat(logp, self.starts), self.sizes) > NEVER / 2)


def blended(choices: Choices, heads: Sequence[tuple[float, Flow]]) -> Float64[np.ndarray, "choices"]:
    """Log-probability of each choice given its state: the heads' logs, averaged by weight and normalised again.

    A head has no say in a state that it never reaches, nor with weight 0. Where that leaves no choice that all heads
    allow, the first head that reaches the state decides.
    """
    views = [choices.given_state(choices.of_flow(flow)) for _, flow in heads]
    mixed, weights = np.zeros((2, len(choices.arcs)))
    possible = np.ones(len(choices.arcs), bool)
    for (weight, _), view in zip(heads, views, strict=True):
        heard = choices.reached(view) & (weight > 0)
        mixed += np.where(heard, weight * view, 0.0)
        weights += np.where(heard, weight, 0.0)
        possible &= ~heard | (view > NEVER / 2)
    mixed = np.where(possible & (weights > 0), mixed / np.where(weights > 0, weights, 1.0), NEVER)
    for view in views:
        mixed = np.where(choices.reached(mixed), mixed, view)
    return choices.given_state(mixed)


@dataclass(frozen=True)
class Path:
    """One sentence: log of its probability, its arcs, and the log-probability of each of them given its state."""

    logp: float
    arcs: tuple[int, ...]
    shares: tuple[float, ...]


def best_paths(grammar: Grammar, choices: Choices, logp: Float64[np.ndarray, "choices"], most: int) -> list[Path]:
    """The `most` likeliest sentences, likeliest first; fewer if no more are possible.

    Best first search (A*, Hart et al. 1968), guided by how well the rest can go at best, which is known exactly.
    """
    return sorted(_best_first(grammar, _Ways.of(grammar, choices, logp), most), key=lambda path: -path.logp)


@dataclass(frozen=True)
class _Ways:
    """Possible choices by state as (arc, log-probability), and the log-probability of the best way on from a state."""

    choices: list[list[tuple[int, float]]]
    best: list[float]

    @classmethod
    def of(cls, grammar: Grammar, choices: Choices, logp: Float64[np.ndarray, "choices"]) -> "_Ways":
        ways: list[list[tuple[int, float]]] = [[] for _ in range(grammar.states)]
        best = [NEVER] * grammar.states
        able = np.flatnonzero(logp > NEVER / 2)[::-1]
        rows = zip(choices.froms[able].tolist(), choices.arcs[able].tolist(), logp[able].tolist(), strict=True)
        for state, arc, worth in rows:
            ways[state].append((arc, worth))
            best[state] = max(best[state], worth + (0.0 if arc == STOP else best[grammar.arcs[arc].end]))
        return cls(ways, best)


@dataclass(frozen=True)
class _Reached:
    """A way into the grammar: where it stands (STOP: at its end), what it is worth, and how it came there."""

    state: int
    worth: float
    choice: tuple[int, float] | None
    before: "_Reached | None"

    def path(self) -> Path:
        """Back to the start."""
        taken: list[tuple[int, float]] = []
        at: _Reached | None = self.before
        while at is not None and at.choice is not None:
            taken.append(at.choice)
            at = at.before
        taken.reverse()
        return Path(self.worth, tuple(arc for arc, _ in taken), tuple(worth for _, worth in taken))


def _best_first(grammar: Grammar, ways: _Ways, most: int) -> Iterator[Path]:
    later = count()
    waiting: list[tuple[float, int, _Reached]] = [(0.0, 0, _Reached(0, 0.0, None, None))]
    while waiting and most:
        _, _, at = heapq.heappop(waiting)
        if at.state == STOP:
            most -= 1
            yield at.path()
            continue
        for arc, worth in ways.choices[at.state]:
            end = STOP if arc == STOP else grammar.arcs[arc].end
            rest = 0.0 if arc == STOP else ways.best[end]
            if rest > NEVER / 2:
                reached = _Reached(end, at.worth + worth, (arc, worth), at)
                hope = -round(reached.worth + rest, TIE_DIGITS)
                heapq.heappush(waiting, (hope, -next(later), reached))  # among ties the latest: straight to the end
