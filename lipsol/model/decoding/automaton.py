"""A grammar unrolled over time: nodes that emit a class a frame, and the grammar's states between them.

Between two frames a path that has just finished an arc passes through the arc's end state, which takes no time. The
forward-backward algorithm (Baum et al. 1970) over it gives how likely every arc and every end is, over all paths at
once: exact, in frames x edges steps, with only the states' values kept over time.
"""

from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from jaxtyping import Float, Float64, Int

from lipsol.model.decoding.decoded import NEVER, floored


@dataclass(frozen=True)
class Segments:
    """Indexes in groups: `items` holds them group by group, a group starts at each of `starts`. No group is empty."""

    items: Int[np.ndarray, "items"]
    starts: Int[np.ndarray, "groups"]
    groups: Int[np.ndarray, "groups"]

    @classmethod
    def of(cls, pairs: list[tuple[int, int]]) -> "Segments":
        """From (group, item) pairs in any order."""
        table = np.array(pairs, np.intp).reshape(-1, 2)
        table = table[np.argsort(table[:, 0], kind="stable")]
        groups, starts = np.unique(table[:, 0], return_index=True)
        return cls(table[:, 1].copy(), starts.astype(np.intp), groups)

    def sums(self, logp: Float64[np.ndarray, "items"]) -> Float64[np.ndarray, "groups"]:
        """Log of each group's sum."""
        return np.asarray(np.logaddexp.reduceat(logp[self.items], self.starts))


@dataclass(frozen=True)
class Automaton:
    """Nodes 0..N-1, and states that count on from N where both are meant ("places").

    classes  int, shape (nodes,): column of the log-probabilities that a node emits
    before   places from which a node can be reached, for every node
    after    places that can follow a node, for every node
    enter    nodes that can follow a state, for the states that have any
    exits    int, shape (ways, arcs): nodes from which an arc is finished
    arrive   arcs that end in a state, for the states that have any
    ends     int, shape (arcs,): the state that each arc ends in
    finals   int, shape (finals,): states in which a sentence may end
    rests    final state by node, for nodes that a path may still be in at the end, past its last arc
    """

    classes: Int[np.ndarray, "nodes"]
    before: Segments
    after: Segments
    enter: Segments
    exits: Int[np.ndarray, "ways arcs"]
    arrive: Segments
    ends: Int[np.ndarray, "arcs"]
    finals: Int[np.ndarray, "finals"]
    rests: dict[int, int]
    states: int


@dataclass
class Draft:
    """An automaton in the making. ends: the state that each arc ends in, by arc."""

    states: int
    ends: list[int]
    finals: frozenset[int]
    classes: list[int] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    entries: list[tuple[int, int]] = field(default_factory=list)
    exits: dict[int, tuple[int, ...]] = field(default_factory=dict)
    rests: dict[int, int] = field(default_factory=dict)

    def node(self, emits: int, *, loop: bool) -> int:
        """A new node that emits a class; loop: whether it may last longer than a frame."""
        self.classes.append(emits)
        number = len(self.classes) - 1
        if loop:
            self.edge(number, number)
        return number

    def edge(self, source: int, target: int) -> None:
        """`target` may follow `source` in the next frame."""
        self.edges.append((source, target))

    def done(self) -> Automaton:
        """Sorted and packed."""
        nodes = len(self.classes)
        before = [(target, source) for source, target in self.edges]
        before += [(node, nodes + state) for state, node in self.entries]
        after = self.edges + [(node, nodes + self.ends[arc]) for arc, ways in self.exits.items() for node in ways]
        return Automaton(
            classes=np.array(self.classes, np.intp),
            before=Segments.of(before),
            after=Segments.of(after),
            enter=Segments.of(self.entries),
            exits=np.array([self.exits[arc] for arc in range(len(self.ends))], np.intp).T,
            arrive=Segments.of([(end, arc) for arc, end in enumerate(self.ends)]),
            ends=np.array(self.ends, np.intp),
            finals=np.array(sorted(self.finals), np.intp),
            rests=self.rests,
            states=self.states,
        )


@dataclass(frozen=True)
class Flow:
    """How a clip's paths spread over a grammar.

    arcs   float, shape (arcs,): log of the expected number of times that each arc is passed (0 or 1: its posterior)
    stops  float, shape (states,): log of the probability that the sentence ends in each state
    total  log of the sum over all paths; NEVER if the clip is too short for any
    """

    arcs: Float64[np.ndarray, "arcs"]
    stops: Float64[np.ndarray, "states"]
    total: float

    @property
    def possible(self) -> bool:
        """Whether any sentence fits into the clip."""
        return self.total > NEVER / 2


def flow(automaton: Automaton, logp: Float[np.ndarray, "frames classes"]) -> Flow:
    """Exact posteriors of all arcs and ends. logp: log-probabilities (or scaled ones) of the classes."""
    logp = floored(logp)
    rest = _rest(automaton, logp)
    nodes = len(automaton.classes)
    places = np.full(nodes + automaton.states, NEVER)
    places[nodes] = 0.0
    arcs = np.full(len(automaton.ends), NEVER)
    for frame, ahead in zip(logp, rest[1:], strict=True):
        places[:nodes] = automaton.before.sums(places) + frame[automaton.classes]
        finished = reduce(np.logaddexp, (places[ways] for ways in automaton.exits))
        arcs = np.logaddexp(arcs, finished + ahead[automaton.ends])
        places[nodes:] = NEVER
        places[nodes + automaton.arrive.groups] = automaton.arrive.sums(finished)
    stops = np.full(automaton.states, NEVER)
    stops[automaton.finals] = places[nodes + automaton.finals]
    for node, state in automaton.rests.items():
        stops[state] = np.logaddexp(stops[state], places[node])
    total = float(np.logaddexp.reduce(stops))
    return Flow(arcs - total, stops - total, total)


def total(automaton: Automaton, logp: Float[np.ndarray, "frames classes"]) -> float:
    """Log of the sum over all paths, as `flow` has it, in half its time; here the states may form circles."""
    logp = floored(logp)
    nodes = len(automaton.classes)
    places = np.full(nodes + automaton.states, NEVER)
    places[nodes] = 0.0
    for frame in logp:
        places[:nodes] = automaton.before.sums(places) + frame[automaton.classes]
        finished = reduce(np.logaddexp, (places[ways] for ways in automaton.exits))
        places[nodes:] = NEVER
        places[nodes + automaton.arrive.groups] = automaton.arrive.sums(finished)
    ends = [*(nodes + automaton.finals), *automaton.rests]
    return float(np.logaddexp.reduce(places[ends]))


def _rest(automaton: Automaton, logp: Float64[np.ndarray, "frames classes"]) -> Float64[np.ndarray, "bounds states"]:
    """Log-mass of all that can follow each state from each frame's beginning on; the last row is the clip's end."""
    nodes = len(automaton.classes)
    rest = np.full((len(logp) + 1, automaton.states), NEVER)
    rest[-1, automaton.finals] = 0.0
    places = np.full(nodes + automaton.states, NEVER)
    places[nodes:] = rest[-1]
    ahead = automaton.after.sums(places)
    resting = list(automaton.rests)
    ahead[resting] = np.logaddexp(ahead[resting], 0.0)
    for t in range(len(logp) - 1, -1, -1):
        places[:nodes] = ahead + logp[t, automaton.classes]
        rest[t, automaton.enter.groups] = automaton.enter.sums(places)
        places[nodes:] = rest[t]
        ahead = automaton.after.sums(places)
    return rest
