"""What a network says about a clip, frame by frame, before any decoding."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy.special import entr

BLANK = 0  # CTC's blank is class 0 of char_logp; class i + 1 is character i of the alphabet
DIGITS = 4  # that an entropy is rounded to
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

    @property
    def entropy(self) -> float:
        """How unsure the network was of a frame, in the mean: Shannon's entropy over the most that it can be, 0 to 1.

        Of its words where it knows any, else of its characters; whatever grammar then bound the reading has no say.
        """
        logp = self.word_logp if self.words else self.char_logp
        classes = int(np.isfinite(logp).any(axis=0).sum())  # a words model has no silence
        if classes < 2:
            return 0.0
        return round(float(np.clip(entr(np.exp(logp)).sum(axis=1).mean() / np.log(classes), 0.0, 1.0)), DIGITS)
