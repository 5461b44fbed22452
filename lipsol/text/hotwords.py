"""Hotwords: words and short phrases of the caller's own that are likelier than usual (names, places, today's subject).

The laws of a hotword, wherever it is used:
- A reading is preferred by as many times as its hotwords say, for each time that it holds one (shallow fusion: the logs
  of the weights are added to the reading's).
- A hotword changes which reading is offered first, never how sure it is told: every probability is the one that the
  reading has without any hotword. What the preference alone brought to the top is told as not sure.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lipsol.errors import BadInput
from lipsol.text.alphabet import ALPHABETS, normalise

TIMES = 10.0  # how many times likelier a hotword is whose caller says nothing else
MAX_TIMES = 1000.0  # beyond it a hotword would be written over whatever was said
MAX_HOTWORDS = 100
MAX_HOTWORD_LENGTH = 100  # characters


@dataclass(frozen=True)
class Hotwords:
    """weights: for each hotword, its words and how many times likelier a reading is that holds them, in [1, MAX_TIMES];
    sorted, none twice."""

    weights: tuple[tuple[tuple[str, ...], float], ...] = ()

    @classmethod
    def of(cls, times: Mapping[str, Any], language: str) -> "Hotwords":
        """From hotwords as they were written, each with its weight. Raises BadInput naming the one that can't be."""
        if len(times) > MAX_HOTWORDS:
            raise BadInput(f"{len(times)} hotwords", f"give at most {MAX_HOTWORDS}")
        if language not in ALPHABETS:
            raise BadInput(f"no language {language[:20]!r} is known", f"give one of {', '.join(sorted(ALPHABETS))}")
        held: dict[tuple[str, ...], float] = {}
        for text, weight in times.items():
            words = tuple(_spelled(text, language).split())
            if words in held:
                raise BadInput(f"the hotword {' '.join(words)!r} is there twice", "give each once")
            held[words] = _checked(text, weight)
        return cls(tuple(sorted(held.items())))

    def __bool__(self) -> bool:
        return bool(self.weights)

    def document(self) -> dict[str, float]:
        """What `of` makes these very hotwords of."""
        return {" ".join(words): times for words, times in self.weights}

    def boost(self, words: Sequence[str]) -> float:
        """Log of how much a reading is preferred."""
        heard: tuple[str, ...] = ()
        total = 0.0
        for word in words:
            heard, gained = self.step(heard, word)
            total += gained
        return total

    def step(self, heard: tuple[str, ...], word: str) -> tuple[tuple[str, ...], float]:
        """One word on: what of the words so far can still become a hotword, and the log of what was gained.

        heard: the words before, as the last step gave them; () at the beginning.
        """
        longer = (*heard, word)
        gained = sum((math.log(times) for words, times in self.weights if longer[-len(words) :] == words), 0.0)
        while longer and longer not in self._begun:
            longer = longer[1:]
        return longer, gained

    @cached_property
    def _begun(self) -> frozenset[tuple[str, ...]]:
        """Every true beginning of a hotword."""
        return frozenset(words[:n] for words, _ in self.weights for n in range(1, len(words)))


NO_HOTWORDS = Hotwords()


def _spelled(text: str, language: str) -> str:
    if len(text) > MAX_HOTWORD_LENGTH:
        raise BadInput(
            f"the hotword {text[:20]!r}... has {len(text)} characters", f"give at most {MAX_HOTWORD_LENGTH} characters"
        )
    spelled = normalise(text, language)
    if not spelled:
        raise BadInput(f"the hotword {text!r} holds no word", "leave it out, or give a word")
    try:
        ALPHABETS[language].encode(spelled)
    except BadInput as fault:
        raise BadInput(f"in the hotword {spelled!r}, {fault.detail}", fault.cure) from fault
    return spelled


def _checked(text: str, weight: Any) -> float:
    """The weight as a number. `not <=` refuses NaN too."""
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not number or not 1 <= weight <= MAX_TIMES:
        raise BadInput(
            f"the hotword {text!r} is to be {str(weight)[:20]} times likelier", f"give a number from 1 to {MAX_TIMES:g}"
        )
    return float(weight)
