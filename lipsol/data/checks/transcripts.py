"""What is said to be said: spelled as its language spells, by grammar and file name, and evenly in training."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from lipsol.data.checks.rules import Found, Rules, share
from lipsol.data.corrections import is_contributor
from lipsol.data.dataset import Dataset, Item
from lipsol.errors import BadInput
from lipsol.text.alphabet import ALPHABETS, normalise
from lipsol.text.grammar import Grammar

GRID_CODE: tuple[Mapping[str, str], ...] = (  # a letter of a GRID name -> the word it stands for, slot by slot
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True)),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def transcripts(dataset: Dataset, rules: Rules) -> Iterator[Found]:
    """What is wrong with the texts, clip by clip and on the whole."""
    items, total = dataset.items, len(dataset.items)
    yield share("empty", {item.name: "has no transcript" for item in items if not item.text.strip()}, total)
    spoken = [item for item in items if item.text.strip()]
    if dataset.language not in ALPHABETS:
        yield Found("rows", 1.0, f"the language {dataset.language!r} is none of {', '.join(sorted(ALPHABETS))}")
        return
    yield share("letters", _told(spoken, lambda item: _unspelled(item.text, dataset.language)), total)
    yield share("spelling", _told(spoken, lambda item: _otherwise(item, dataset.language)), total)
    if dataset.names == "grid":
        named = [item for item in spoken if not is_contributor(item.speaker)]
        yield share("names", _told(named, _unnamed), total)
    if dataset.grammar:
        yield from _by_grammar(dataset, Grammar.named(dataset.grammar), rules)


def _told(items: list[Item], fault: Callable[[Item], str]) -> dict[str, str]:
    """Item name -> its fault, of those that have one."""
    return {item.name: said for item in items if (said := fault(item))}


def _unspelled(text: str, language: str) -> str:
    try:
        ALPHABETS[language].encode(normalise(text, language))
    except BadInput as fault:
        return f"says {text!r}: {fault.detail}"
    return ""


def _otherwise(item: Item, language: str) -> str:
    """A text, or a word of its alignment, that its language spells otherwise."""
    for text in (item.text, *(word.text for word in item.words)):
        right = normalise(text, language)
        if right != text:
            return f"spells {text!r} what is {right!r}"
    return ""


def _unnamed(item: Item) -> str:
    """A transcript that is not what GRID's code says; the name may have more after a hyphen or underscore."""
    code = item.id.replace("_", "-").partition("-")[0]
    known = len(code) == len(GRID_CODE) and all(letter in slot for letter, slot in zip(code, GRID_CODE, strict=True))
    said = " ".join(slot[letter] for letter, slot in zip(code, GRID_CODE, strict=True)) if known else ""
    if said == item.text:
        return ""
    return f"is {said!r} by its name, and {item.text!r} by its transcript" if known else "has a name that is no code"


def _by_grammar(dataset: Dataset, grammar: Grammar, rules: Rules) -> Iterator[Found]:
    outside = {
        item.name: f"says {item.text!r}"
        for item in dataset.items
        if item.text.strip() and not grammar.accepts(item.text)
    }
    yield share("grammar", outside, len(dataset.items))
    training = [normalise(item.text, dataset.language).split() for item in dataset.items if item.split == "train"]
    if not training:
        return
    said = {word for words in training for word in words}
    missing = [word for word in grammar.words if word not in said]
    yield Found("unsaid", len(missing) / len(grammar.words), f"{len(missing)} words: {', '.join(missing) or 'none'}")
    yield _balance(training, grammar, rules.each("balance"))


def _balance(training: list[list[str]], grammar: Grammar, bound: float) -> Found:
    """Slots whose words are said unevenly; only a grammar of slots says how often each should be."""
    slots = grammar.document().get("slots", [])
    uneven = {}
    for number, slot in enumerate(slots):
        times = Counter(words[number] for words in training if len(words) == len(slots))
        counts = np.array([times[word] for word in slot], np.float64)
        effect = effect_of(counts)
        if effect > bound:
            most, least = slot[int(counts.argmax())], slot[int(counts.argmin())]
            uneven[f"slot {number + 1}"] = (
                f"(w {effect:.2f}): {most} {counts.max():.0f} times, {least} {counts.min():.0f}"
            )
    told = "; ".join(f"{slot} {said}" for slot, said in uneven.items())
    return Found("balance", float(len(uneven)), told or "none")


def effect_of(counts: np.ndarray) -> float:
    """Cohen's w of counts against even ones: sqrt(chi squared / n), less what chance alone would bring."""
    total = counts.sum()
    if not total or len(counts) < 2:
        return 0.0
    expected = total / len(counts)
    squared = float(((counts - expected) ** 2 / expected).sum()) / total
    return float(np.sqrt(max(0.0, squared - (len(counts) - 1) / total)))
