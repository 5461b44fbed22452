"""CTC's best path (Graves et al. 2006): the likeliest class of every frame; repeats collapse, blanks go."""

import numpy as np
from jaxtyping import Int

from lipsol.model.decoding.beam import beam_search
from lipsol.model.decoding.chain import ctc_probability, encode, timed_words
from lipsol.model.decoding.decoded import Decoded, Hypothesis, floored
from lipsol.model.emissions import BLANK, Emissions

WIDTH = 8  # of the beam that finds the alternatives


def decode_greedy(emissions: Emissions, alternatives: int = 5) -> Decoded:
    """The best path's text; every probability is the text's exact CTC probability, over all its alignments.

    Spaces at the ends or doubled are left out of the text, but its probability counts them as the path has them. Times
    come from the path itself. A word's probability is the product of its characters' peaks. The alternatives are found
    by a small beam, and one of them may be likelier than the best path's text: a path is not a sum of paths.
    """
    logp = floored(emissions.char_logp)
    ids, at = collapse(logp.argmax(1))
    written = "".join(emissions.characters[n - 1] for n in ids)
    text = " ".join(written.split())
    others = [other for other, _ in beam_search(logp, emissions.characters, WIDTH) if other not in {text, ""}]
    found = [Hypothesis(other, ctc_probability(logp, encode(other, emissions.characters))) for other in others]
    return Decoded(
        text,
        ctc_probability(logp, ids),
        timed_words(written, ids, at, logp),
        tuple(sorted(found, key=lambda other: -other.probability)[:alternatives]),
    )


def collapse(path: Int[np.ndarray, "frames"]) -> tuple[list[int], Int[np.ndarray, "chars 2"]]:
    """A path of classes -> the characters' classes, and first frame and the one after the last of each."""
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    at = np.stack([starts, np.append(starts[1:], len(path))], -1)
    kept = path[starts] != BLANK
    return [int(n) for n in path[starts][kept]], at[kept]
