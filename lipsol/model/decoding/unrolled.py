"""Grammars as automata: over characters by CTC's rules, and over words by how long each lasts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from lipsol.model.decoding.automaton import Automaton, Draft
from lipsol.model.decoding.chain import encode
from lipsol.model.emissions import BLANK, SILENCE
from lipsol.text.grammar import Arc, Grammar

SPACE = " "
NOWHERE = -1  # in place of a character's node, before the first character


def over_characters(grammar: Grammar, characters: str) -> Automaton:
    """CTC over all sentences of a grammar: a tree of letters under each state, a space before all words but the first.

    A character is two nodes, itself and the blank after it; the blank may be left out unless the next character is the
    same. Raises BadInput naming a character of the grammar that is not among `characters`.
    """
    draft = _draft(grammar)
    for state, arcs in _by_state(grammar):
        if state:
            root = _character(draft, encode(SPACE, characters)[0])
            draft.entries.append((state, root[0]))
        else:
            root = (NOWHERE, draft.node(BLANK, loop=True))
            draft.entries.append((0, root[1]))
        _spell(draft, root, arcs, characters)
    return draft.done()


def over_words(grammar: Grammar, words: Sequence[str], min_frames: int) -> Automaton:
    """Word after word, each at least `min_frames` long, with silence of any length before, between and after them.

    words: those of the word head, in class order; they must hold the grammar's.
    """
    classes = {word: n + 1 for n, word in enumerate(words)}
    return _worded(_draft(grammar), [(arc.start, classes[arc.word]) for arc in grammar.arcs], min_frames)


def over_anything(words: int, min_frames: int) -> Automaton:
    """Any of so many words in any order and number, or silence alone; for `total`, since its one state is a circle."""
    return _worded(Draft(1, [0] * words, frozenset({0})), [(0, n + 1) for n in range(words)], min_frames)


def shortest_characters(grammar: Grammar) -> int:
    """Frames that CTC needs for the shortest sentence of a grammar: its characters, and a blank between equal ones."""
    return _shortest(grammar, lambda arc: bool(arc.start) + len(arc.word) + _repeats(arc.word))


def shortest_words(grammar: Grammar, min_frames: int) -> int:
    """Frames that the words of the shortest sentence of a grammar need."""
    return _shortest(grammar, lambda _: min_frames)


def _worded(draft: Draft, arcs: Sequence[tuple[int, int]], min_frames: int) -> Automaton:
    """Words and the silence between them. arcs: the state that each leaves, and its class."""
    silence = [draft.node(SILENCE, loop=True) for _ in range(draft.states)]
    draft.entries.extend(enumerate(silence))
    draft.rests.update((silence[state], state) for state in draft.finals)
    for number, (start, emits) in enumerate(arcs):
        chain = [draft.node(emits, loop=n == min_frames - 1) for n in range(min_frames)]
        draft.entries.append((start, chain[0]))
        draft.edge(silence[start], chain[0])
        for source, target in pairwise(chain):
            draft.edge(source, target)
        draft.exits[number] = (chain[-1],)
    return draft.done()


def _draft(grammar: Grammar) -> Draft:
    return Draft(grammar.states, [arc.end for arc in grammar.arcs], grammar.finals)


def _by_state(grammar: Grammar) -> Iterator[tuple[int, list[tuple[int, Arc]]]]:
    """Each state that arcs leave, with those arcs and their numbers."""
    for state, group in groupby(enumerate(grammar.arcs), key=lambda item: item[1].start):
        yield state, list(group)


def _spell(draft: Draft, root: tuple[int, int], arcs: Iterable[tuple[int, Arc]], characters: str) -> None:
    """Hang the words that leave a state under its root; words that begin alike share their letters."""
    tree: dict[tuple[int, int], tuple[int, int]] = {}
    for number, arc in arcs:
        at = root
        for character in encode(arc.word, characters):
            key = (at[1], character)
            if key not in tree:
                tree[key] = _character(draft, character)
                _follow(draft, at, tree[key])
                if at[0] == NOWHERE:
                    draft.entries.append((arc.start, tree[key][0]))
            at = tree[key]
        draft.exits[number] = at


def _character(draft: Draft, emits: int) -> tuple[int, int]:
    """Nodes of a character and of the blank after it."""
    voiced, blank = draft.node(emits, loop=True), draft.node(BLANK, loop=True)
    draft.edge(voiced, blank)
    return voiced, blank


def _follow(draft: Draft, before: tuple[int, int], after: tuple[int, int]) -> None:
    draft.edge(before[1], after[0])
    if before[0] != NOWHERE and draft.classes[before[0]] != draft.classes[after[0]]:
        draft.edge(before[0], after[0])


def _repeats(word: str) -> int:
    return sum(first == second for first, second in pairwise(word))


def _shortest(grammar: Grammar, cost: Callable[[Arc], int]) -> int:
    """Least cost of a sentence."""
    least = {0: 0}
    for arc in grammar.arcs:
        if arc.start in least:
            reached = least[arc.start] + cost(arc)
            least[arc.end] = min(reached, least.get(arc.end, reached))
    return min(least[state] for state in grammar.finals if state in least)
