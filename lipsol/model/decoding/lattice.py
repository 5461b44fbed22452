"""Reading bound by a grammar: exact posteriors from both heads, blended choice by choice.

The character head is decoded by CTC over all sentences of the grammar at once, the word head by a lattice of words of a
least length. Nothing is rescored from an n-best list: every sentence of the grammar has its probability.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from lipsol.errors import BadInput
from lipsol.model.decoding.automaton import Automaton, Flow, flow, total
from lipsol.model.decoding.chain import Chain, best_positions, ctc_align, encode, spans
from lipsol.model.decoding.decoded import NEVER, Decoded, Evidence, Hypothesis, Timed, share
from lipsol.model.decoding.paths import Choices, Path, best_paths, blended
from lipsol.model.decoding.preferring import preferred
from lipsol.model.decoding.unrolled import (
    over_anything,
    over_characters,
    over_words,
    shortest_characters,
    shortest_words,
)
from lipsol.model.emissions import SILENCE, Emissions
from lipsol.text.grammar import Grammar
from lipsol.text.hotwords import NO_HOTWORDS, Hotwords

MAX_NODE_FRAMES = 10**8  # automaton nodes times frames: about ten seconds of one core


@dataclass(frozen=True)
class Blend:
    """How the two heads are weighed.

    words       weight of the word head, in [0, 1]; the character head has the rest
    scale       exponent of the word head's probabilities: neighbouring frames repeat each other, this discounts it
    min_frames  least length of a word in the word head's lattice, at 25 frames a second
    """

    words: float = 0.5
    scale: float = 0.5
    min_frames: int = 3


EVEN = Blend()


@dataclass(frozen=True)
class _Unrolled:
    """A grammar made ready for one model's alphabet and words; `words` is None if the word head can't say it all."""

    characters: Automaton
    words: Automaton | None
    choices: Choices


def decode_grammar(
    emissions: Emissions,
    grammar: Grammar,
    alternatives: int = 5,
    blend: Blend = EVEN,
    hotwords: Hotwords = NO_HOTWORDS,
) -> Decoded:
    """The likeliest sentence of a grammar and the next ones, with probabilities over all sentences of the grammar.

    A word's probability is its share among the words that could stand in its place. Times are those of the word head
    where it knows all words of the grammar, else CTC's. With hotwords the sentence that they prefer comes first; the
    others come with the probabilities that they have without.

    Raises BadInput if the model's alphabet can't write the grammar, the clip is too short for every sentence, or
    grammar and clip together are too large.
    """
    characters, words = _flows(emissions, grammar, blend)
    return _decoded(emissions, grammar, (characters, words), alternatives, blend, hotwords)


def decode_board(
    emissions: Emissions, grammar: Grammar, blend: Blend = EVEN, hotwords: Hotwords = NO_HOTWORDS
) -> Decoded:
    """Every sentence of a grammar as `decode_grammar` has it, with the evidence that it was any of them at all.

    All is exact: the background, anything else that could have been said, is summed and not searched. By CTC it is
    every text there is, which together have probability 1; by the word head every sequence of the words it knows.
    """
    characters, words = _flows(emissions, grammar, blend)
    decoded = _decoded(emissions, grammar, (characters, words), grammar.count(), blend, hotwords)
    known = set(grammar.words) <= set(emissions.words)
    evidence = Evidence(
        characters.total if characters is not None else None if known else NEVER,
        _share_of_words(emissions, words, blend) if known else None,
    )
    return replace(decoded, evidence=evidence)


def _share_of_words(emissions: Emissions, board: Flow | None, blend: Blend) -> float:
    if board is None:
        return NEVER
    anything = total(_anything(len(emissions.words), blend.min_frames), emissions.word_logp * np.float32(blend.scale))
    return min(0.0, board.total - anything)


def _decoded(
    emissions: Emissions,
    grammar: Grammar,
    flows: tuple[Flow | None, Flow | None],
    alternatives: int,
    blend: Blend,
    hotwords: Hotwords,
) -> Decoded:
    choices = _unrolled(grammar, emissions.characters, emissions.words, blend.min_frames).choices
    heads = zip((1 - blend.words, blend.words), flows, strict=True)
    logp = blended(choices, [(weight, flow) for weight, flow in heads if flow is not None])
    paths = best_paths(grammar, choices, logp, alternatives + 1)
    if hotwords:
        paths = preferred(grammar, choices, logp, paths, hotwords)
    readings = [Hypothesis(_text(grammar, path), share(path.logp)) for path in paths]
    said = [grammar.arcs[arc].word for arc in paths[0].arcs]
    fits = flows[1] is not None and blend.min_frames * len(said) <= len(emissions.word_logp)
    at = _word_frames(emissions, said, blend.min_frames) if fits else _ctc_frames(emissions, said)
    timed = tuple(
        Timed(word, start, end, share(worth))
        for word, (start, end), worth in zip(said, at, paths[0].shares, strict=True)
    )
    return Decoded(readings[0].text, readings[0].probability, timed, tuple(readings[1:]))


@lru_cache(maxsize=4)
def _anything(words: int, min_frames: int) -> Automaton:
    return over_anything(words, min_frames)


@lru_cache(maxsize=8)
def _unrolled(grammar: Grammar, characters: str, words: tuple[str, ...], min_frames: int) -> _Unrolled:
    known = set(grammar.words) <= set(words)
    return _Unrolled(
        over_characters(grammar, characters),
        over_words(grammar, words, min_frames) if known else None,
        Choices.of(grammar),
    )


def _flows(emissions: Emissions, grammar: Grammar, blend: Blend) -> tuple[Flow | None, Flow | None]:
    """What the character head and the word head say; None for a head without a say. At least one has one."""
    frames = len(emissions.char_logp)
    _check_size(grammar, frames)
    unrolled = _unrolled(grammar, emissions.characters, emissions.words, blend.min_frames)
    characters = flow(unrolled.characters, emissions.char_logp)
    words = None
    if unrolled.words is not None:
        words = flow(unrolled.words, emissions.word_logp * np.float32(blend.scale))
    if not characters.possible and (words is None or not words.possible):
        needed = shortest_characters(grammar)
        needed = needed if words is None else min(needed, shortest_words(grammar, blend.min_frames))
        raise BadInput(
            f"the clip has {frames} frames at 25 a second, the shortest sentence of {grammar.name!r} needs {needed}",
            "send a longer clip, or use a grammar with shorter sentences",
        )
    return characters if characters.possible else None, words if words is not None and words.possible else None


def _check_size(grammar: Grammar, frames: int) -> None:
    """Refuse before anything is built: each letter, and each gap between words, has a node and a blank."""
    size = 2 * sum(len(arc.word) + 1 for arc in grammar.arcs) * frames
    if size > MAX_NODE_FRAMES:
        raise BadInput(
            f"the grammar {grammar.name!r} on {frames} frames makes {size} steps, at most {MAX_NODE_FRAMES} are done",
            "give fewer or shorter phrases, or a shorter clip",
        )


def _text(grammar: Grammar, path: Path) -> str:
    return " ".join(grammar.arcs[arc].word for arc in path.arcs)


def _word_frames(emissions: Emissions, said: list[str], min_frames: int) -> list[tuple[int, int]]:
    """First frame of each word and the one after its last, on the word head's likeliest path with silence between."""
    body = [emissions.words.index(word) + 1 for word in said]
    classes, firsts, lasts = [SILENCE], [], []
    for n in body:
        firsts.append(len(classes))
        classes += [n] * min_frames
        lasts.append(len(classes) - 1)
        classes.append(SILENCE)
    stay, skip = np.zeros(len(classes), bool), np.zeros(len(classes), bool)
    stay[[0, *lasts, *(last + 1 for last in lasts)]] = True
    skip[firsts[1:]] = True
    path = best_positions(emissions.word_logp, Chain(np.array(classes, np.intp), stay, skip))
    return list(zip(spans(path, firsts)[:, 0].tolist(), spans(path, lasts)[:, 1].tolist(), strict=True))


def _ctc_frames(emissions: Emissions, said: list[str]) -> list[tuple[int, int]]:
    """The same by the likeliest CTC alignment of the sentence."""
    at = ctc_align(emissions.char_logp, encode(" ".join(said), emissions.characters))
    ends = np.cumsum([len(word) + 1 for word in said]) - 1
    return [(int(at[end - len(word), 0]), int(at[end - 1, 1])) for word, end in zip(said, ends.tolist(), strict=True)]
