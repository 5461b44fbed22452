"""What a network says about a clip, frame by frame, before any decoding."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

BLANK = 0  # CTC's blank is class 0 of char_logp; class i + 1 is character i of the alphabet
SILENCE = 0  # silence is class 0 of word_logp; class i + 1 is words[i]


@dataclass(frozen=True)
class Emissions:
    """Log-probabilities of a character model for one clip at 25 frames a second.

    char_logp   float32, shape (frames, 1 + len(alphabet)): CTC log-probabilities, class 0 the blank
    word_logp   float32, shape (frames, 1 + len(words)): which word is being said in each frame, class 0 silence
    characters  the alphabet's characters in class order
    words       the words that word_logp knows, in class order; () for a model without that head
    """

    char_logp: Float32[np.ndarray, "frames chars"]
    word_logp: Float32[np.ndarray, "frames words"]
    characters: str
    words: tuple[str, ...]
