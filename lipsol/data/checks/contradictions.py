"""Transcripts that a model surely reads otherwise: swapped or mistyped ones, most likely (or the model's own errors).

The model comes as a function, since nothing here may stand on the reader.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lipsol.clips.clip import MouthClip
from lipsol.data.checks.rules import Found, Rules, share
from lipsol.data.dataset import Item
from lipsol.data.mouths import seen
from lipsol.text.scoring import edits

Reads = Callable[[Sequence[MouthClip]], Sequence[tuple[str, float]]]  # mouths -> text and confidence of each
AT_ONCE = 32  # mouths that are held and read together
HALF = 0.5  # of the words; a sure reading that differs in fewer is told by evaluation, not here


def contradictions(items: Sequence[Item], cache: Path, reads: Reads, rules: Rules, total: int) -> Found:
    """Clips, all of them watched, of which the model is sure and reads something else."""
    otherwise = {}
    for item, (text, confidence) in _read(items, cache, reads):
        said = item.text.split()
        if confidence >= rules.each("contradicted") and edits(said, text.split()) >= HALF * len(said):
            otherwise[item.name] = f"says {item.text!r}, and is read {text!r} (confidence {confidence:.2f})"
    return share("contradicted", otherwise, total)


def _read(items: Sequence[Item], cache: Path, reads: Reads) -> Iterator[tuple[Item, tuple[str, float]]]:
    for at in range(0, len(items), AT_ONCE):
        some = items[at : at + AT_ONCE]
        yield from zip(some, reads([seen(item, cache).mouth for item in some]), strict=True)
