"""One known text laid over the frames: how likely it is, and when each part of it was said.

A text is a chain of positions that time walks through from the left: it stays, moves on by one, or skips one. Which of
these a position allows makes the chain CTC's (Graves et al. 2006: blanks around every character, skipped unless it
stands between two equal ones) or that of words (each at least so many frames, silence between them skipped or not).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from lipsol.errors import BadInput
from lipsol.model.decoding.decoded import NEVER, Timed, floored, share
from lipsol.model.emissions import BLANK


@dataclass(frozen=True)
class Chain:
    """Positions in the order they are passed. A path starts at one of the first two and ends at one of the last two.

    classes  int, shape (positions,): column of the log-probabilities that a position emits
    stay     bool, shape (positions,): whether it may last longer than a frame
    skip     bool, shape (positions,): whether it may be reached from the position before the last one
    """

    classes: Int[np.ndarray, "positions"]
    stay: Bool[np.ndarray, "positions"]
    skip: Bool[np.ndarray, "positions"]


def ctc_chain(ids: Sequence[int]) -> Chain:
    """The chain of a text under CTC: blank, character, blank, ..., blank. ids: classes of its characters, 1 and up."""
    classes = np.full(2 * len(ids) + 1, BLANK, np.intp)
    classes[1::2] = ids
    skip = np.zeros(len(classes), bool)
    skip[3::2] = classes[3::2] != classes[1:-2:2]
    return Chain(classes, np.ones(len(classes), bool), skip)


def log_probability(logp: Float[np.ndarray, "frames classes"], chain: Chain) -> float:
    """Log of the sum over all paths; NEVER if there are too few frames. Exact."""
    emitted = floored(logp)[:, chain.classes]
    mass = _entry(emitted[0])
    for frame in emitted[1:]:
        mass = np.logaddexp.reduce(_moves(mass, chain)) + frame
    return float(np.logaddexp.reduce(mass[-2:]))


def best_positions(logp: Float[np.ndarray, "frames classes"], chain: Chain) -> Int[np.ndarray, "frames"]:
    """The likeliest path (Viterbi): the position of each frame. Raises BadInput if there are too few frames."""
    emitted = floored(logp)[:, chain.classes]
    score = _entry(emitted[0])
    came = np.zeros(emitted.shape, np.int8)
    for t in range(1, len(emitted)):
        moves = _moves(score, chain)
        came[t] = moves.argmax(0)
        score = moves.max(0) + emitted[t]
    at = max(len(score) - 2, 0) + int(score[-2:].argmax())
    if score[at] <= NEVER / 2:
        raise BadInput(
            f"the clip has {len(emitted)} frames, too few for the text", "give a shorter text or a longer clip"
        )
    path = np.empty(len(emitted), np.intp)
    for t in range(len(emitted) - 1, -1, -1):
        path[t] = at
        at -= int(came[t, at])
    return path


def spans(path: Int[np.ndarray, "frames"], positions: Sequence[int]) -> Int[np.ndarray, "n 2"]:
    """First frame and the one after the last in which a path, which never turns back, is at each position."""
    at = np.asarray(positions, np.intp)
    return np.stack([np.searchsorted(path, at, "left"), np.searchsorted(path, at, "right")], -1)


def ctc_probability(char_logp: Float[np.ndarray, "frames classes"], ids: Sequence[int]) -> float:
    """Probability of exactly this text, summed over its alignments, in [0, 1]."""
    return share(log_probability(char_logp, ctc_chain(ids)))


def ctc_align(char_logp: Float[np.ndarray, "frames classes"], ids: Sequence[int]) -> Int[np.ndarray, "chars 2"]:
    """When each character was said on the likeliest alignment: its first frame, and the one after its last.

    char_logp: log-probabilities, class 0 the blank; ids: classes of the text's characters.
    Raises BadInput if the clip has too few frames for the text.
    """
    return spans(best_positions(char_logp, ctc_chain(ids)), range(1, 2 * len(ids), 2))


def encode(text: str, characters: str) -> list[int]:
    """Classes of a text's characters, 1 and up. Raises BadInput naming a character that the model can't write."""
    unknown = sorted(set(text) - set(characters))
    if unknown:
        raise BadInput(
            f"the model can't write {unknown[0]!r} of {text!r}, it knows only {characters!r}",
            "use a grammar in the model's language",
        )
    return [characters.index(character) + 1 for character in text]


def timed_words(
    text: str, ids: Sequence[int], at: Int[np.ndarray, "chars 2"], char_logp: Float[np.ndarray, "frames classes"]
) -> tuple[Timed, ...]:
    """The words between a text's spaces. at: frames of each character, as ctc_align gives them.

    A word's probability is the product of its characters' highest probabilities, each within its own frames.
    """
    peaks = [float(char_logp[start:end, n].max()) for n, (start, end) in zip(ids, at, strict=True)]
    words: list[Timed] = []
    first = 0
    for word in text.split(" "):
        end = first + len(word)
        if word:
            words.append(Timed(word, int(at[first, 0]), int(at[end - 1, 1]), share(sum(peaks[first:end]))))
        first = end + 1
    return tuple(words)


def _entry(frame: Float64[np.ndarray, "positions"]) -> Float64[np.ndarray, "positions"]:
    score = np.full(len(frame), NEVER)
    score[:2] = frame[:2]
    return score


def _moves(score: Float64[np.ndarray, "positions"], chain: Chain) -> Float64[np.ndarray, "3 positions"]:
    """Scores carried into each position by staying, moving on by one, and skipping one."""
    moves = np.full((3, len(score)), NEVER)
    moves[0] = np.where(chain.stay, score, NEVER)
    moves[1, 1:] = score[:-1]
    moves[2, 2:] = np.where(chain.skip[2:], score[:-2], NEVER)
    return moves
