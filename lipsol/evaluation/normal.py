"""What clips are like when all is well, from a data set: the reference that a bundle brings for `lipsol.drift`.

Of the home speakers. What comes in, and which words there are, is learned from their training and validation clips; how
sure the model is, and how often right, from validation clips alone, as it flatters itself on what it was trained on.
Test clips stay outside, so that traffic of them is an honest trial of the monitor.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from lipsol.bundle import Bundle
from lipsol.clips.clip import MouthClip
from lipsol.clips.embedding import embed
from lipsol.clips.quality import of_mouth
from lipsol.data.dataset import Dataset, Item, word_span
from lipsol.data.mouths import MOUTH, Seen
from lipsol.drift.features import NUMBERS, Observation, Told
from lipsol.drift.reference import LEAST, Reference
from lipsol.evaluation.reading import WORD_CONTEXT
from lipsol.reader import BUNDLE_GRAMMAR, Reader
from lipsol.text.alphabet import normalise
from lipsol.text.rates import character_rate, word_rate

MOST = 800  # clips (of a words model: cut words) that are read; of more, of every so many clips
OF_THE_CUT = ("seconds", "contrast", "sharpness", "face_found", "motion")  # measured on the mouth, so on a cut-out word
OF_A_MOUTH = ("brightness",)  # that a data set of mouths has of the mouth alone, and the platform of the whole picture
Cut = tuple[str, MouthClip, Mapping[str, float]]  # what is said, the mouth, and the numbers of NUMBERS that are known


def reference_for(bundle: Bundle, dataset: Dataset, look: Callable[[Item], Seen | None]) -> Reference | None:
    """The bundle's reference; None: the data set's home speakers have too few clips.

    look: a clip's mouth and facts, None for one that can't be read; clips are looked at one after the other.
    """
    home = [item for item in dataset.items if item.speaker in dataset.home]
    heard = [item for item in home if item.split == "validation"]
    seen = [item for item in home if item.split == "train"]
    reader = Reader(bundle)
    read = [_read(reader, cut, dataset.language) for cut in _cuts(bundle, heard, look)]
    room = max(1, MOST - len(read))
    cuts = sum(1 if bundle.kind == "sentences" else len(item.words) for item in seen)
    some = seen[:: -(-cuts // room) or 1]
    known = [
        replace(_read(reader, cut, dataset.language)[0], outputs={}, abstained=False)
        for cut in _cuts(bundle, some, look)
    ]
    if len(read) + len(known) < LEAST:
        return None
    observations = [*(observation for observation, _ in read), *known]
    return Reference.of(observations, [told for _, told in read], digest_of_data=dataset.version())


def with_reference(bundle: Bundle, dataset: Dataset, look: Callable[[Item], Seen | None]) -> Bundle:
    """The bundle with its reference; as it was, where there are too few clips for one."""
    reference = reference_for(bundle, dataset, look)
    return bundle if reference is None else replace(bundle, reference=reference.to_bytes())


def _cuts(bundle: Bundle, items: Sequence[Item], look: Callable[[Item], Seen | None]) -> Iterator[Cut]:
    """What the bundle reads as one: clips whole, or each aligned word by itself."""
    for item in items:
        seen = look(item)
        if seen is None:
            continue
        unlike = OF_A_MOUTH if item.path.suffix == MOUTH else ()
        numbers = {name: value for name, value in seen.facts.items() if name in NUMBERS and name not in unlike}
        if bundle.kind == "sentences":
            yield item.text, seen.mouth, numbers
            continue
        for word in item.words:
            mouth = seen.mouth.cut(*word_span(word, len(seen.mouth), WORD_CONTEXT, WORD_CONTEXT))
            own = of_mouth(mouth)
            yield word.text, mouth, {**numbers, **{name: own[name] for name in OF_THE_CUT}}


def _read(reader: Reader, cut: Cut, language: str) -> tuple[Observation, Told]:
    """A clip as the monitor would see it, and what a person who knows the truth would tell of it."""
    text, mouth, numbers = cut
    (heard,) = reader.hear([mouth])
    read, truth = reader.decode(heard, BUNDLE_GRAMMAR), normalise(text, language)
    outputs = {"confidence": read.confidence, "length": float(len(read.text)), "entropy": heard.emissions.entropy}
    observation = Observation(numbers, embed(mouth), outputs, read.abstained, Counter(read.text.split()))
    words, characters = word_rate(truth, read.text), character_rate(truth, read.text)
    return observation, Told(
        read.confidence, truth == read.text, words.edits, words.said, characters.edits, characters.said
    )
