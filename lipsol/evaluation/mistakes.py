"""What is read wrong: which places of a sentence, which words, which looks, and what they are taken for.

A sentence and its reading are aligned word by word. A word belongs to the slot of the grammar that holds it at its
place; where there are no slots, to its place alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lipsol.errors import NotFound
from lipsol.evaluation.records import ClipRead
from lipsol.text.grammar import Grammar
from lipsol.text.phones import phones_of
from lipsol.text.scoring import Step, align
from lipsol.text.visemes import viseme_confusions

NOTHING = ""  # stands for a word or look that was left out or added

Pairs = Counter[tuple[str, str]]  # (truth, reading) -> how often


@dataclass
class _Slot:
    """One place of a sentence: its words in the grammar's order (empty: whatever is said), and what became of them."""

    name: str
    words: tuple[str, ...] = ()
    pairs: Pairs = field(default_factory=Counter)


def mistakes_of(clips: Sequence[ClipRead], grammar: Grammar | None, language: str) -> dict[str, Any]:
    """Errors of clips of one group and way, as JSON values.

    slots    in order: {"name", "words", "said", "wrong", "pairs": [[truth, reading, times], ...]}
    words    the greatest share wrong first: [word, times said, times wrong, what it was mostly taken for]
    visemes  [true look, look read, times], "" for one left out or added; empty for a language without sounds
    """
    slots = _slots(grammar)
    steps: list[Step[str]] = []
    for clip in clips:
        aligned = align(clip.truth.split(), clip.reading.split())
        steps += aligned
        said = [step for step in aligned if step.truth is not None]
        for place, step in enumerate(said):
            slot = _slot_of(str(step.truth), place, len(said), slots)
            slot.pairs[str(step.truth), step.reading or NOTHING] += 1
    return {
        "slots": [_told(slot) for slot in slots.values() if slot.pairs],
        "words": _words(sum((slot.pairs for slot in slots.values()), Counter())),
        "visemes": _visemes(steps, language),
    }


def _slots(grammar: Grammar | None) -> dict[int, _Slot]:
    """Place -> slot of the grammar; none where the grammar is no row of slots."""
    lists = grammar.document().get("slots", []) if grammar is not None else []
    return {place: _Slot(f"{place + 1}: {_named(words)}", tuple(words)) for place, words in enumerate(lists)}


def _named(words: Sequence[str]) -> str:
    return ", ".join(words) if len(words) <= 4 else f"{words[0]}, {words[1]} … {words[-1]}"


def _slot_of(word: str, place: int, length: int, slots: dict[int, _Slot]) -> _Slot:
    """The slot at the word's place; of a word that was cut out, the first that has it; else the place itself."""
    grammatical = [held for held in slots.values() if held.words]
    if length == len(grammatical) and word in slots[place].words:
        return slots[place]
    found = next((held for held in grammatical if word in held.words), None)
    return found or slots.setdefault(len(grammatical) + place, _Slot(f"word {place + 1}"))


def _told(slot: _Slot) -> dict[str, Any]:
    said = slot.pairs.total()
    return {
        "name": slot.name,
        "words": list(slot.words),
        "said": said,
        "wrong": said - sum(times for (truth, read), times in slot.pairs.items() if truth == read),
        "pairs": [[*pair, times] for pair, times in sorted(slot.pairs.items())],
    }


def _words(pairs: Mapping[tuple[str, str], int]) -> list[list[Any]]:
    said: Counter[str] = Counter()
    taken: dict[str, Counter[str]] = {}
    for (truth, read), times in pairs.items():
        said[truth] += times
        if truth != read:
            taken.setdefault(truth, Counter())[read] += times
    wrong = {word: others.total() for word, others in taken.items()}
    order = sorted(said, key=lambda word: (-wrong.get(word, 0) / said[word], word))
    return [
        [word, said[word], wrong.get(word, 0), taken[word].most_common(1)[0][0] if word in taken else NOTHING]
        for word in order
    ]


def _visemes(steps: Sequence[Step[str]], language: str) -> list[list[Any]]:
    words = {word for step in steps for word in (step.truth, step.reading) if word is not None}
    try:
        sounds = {word: phones_of(word, language) for word in words}
    except NotFound:
        return []
    return [[*pair, times] for pair, times in sorted(viseme_confusions(steps, sounds).items())]
