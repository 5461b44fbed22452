"""Emissions -> words: greedily, by beam, or bound by a grammar. Pure numpy; probabilities are raw, not calibrated.

    decode_greedy    the likeliest class of each frame, collapsed
    decode_beam      prefix beam search: free reading
    decode_grammar   exactly, over all sentences of a grammar, by lattices of both heads
    decode_board     the same, with the evidence that it was any of them at all
    choose           of a words model, among the words that may be said

Each raises BadInput for a clip without frames and ModelError for emissions that are no numbers.
"""

from lipsol.model.decoding.beam import decode_beam
from lipsol.model.decoding.chain import ctc_align
from lipsol.model.decoding.choice import choose
from lipsol.model.decoding.decoded import Decoded, Evidence, Hypothesis, Timed, share
from lipsol.model.decoding.greedy import decode_greedy
from lipsol.model.decoding.lattice import Blend, decode_board, decode_grammar

__all__ = [
    "Blend",
    "Decoded",
    "Evidence",
    "Hypothesis",
    "Timed",
    "choose",
    "ctc_align",
    "decode_beam",
    "decode_board",
    "decode_grammar",
    "decode_greedy",
    "share",
]
