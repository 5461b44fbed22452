"""Grammars: which sentences a reading may be.

A grammar is a graph without cycles whose arcs carry words: every path from state 0 to a final state is a sentence.
States are numbered so that an arc always leads to a higher one, and no two arcs with the same word leave a state. Words
are normalised, and spelled in the alphabet of the grammar's language.

Documents, for files and network doors (all bounds below): {"name", "language"} and one of
    "slots"    a list of lists of words: one word of each list, in order
    "phrases"  a list of sentences
    "words"    a list of single words
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from lipsol.errors import BadInput, NotFound
from lipsol.text.alphabet import ALPHABETS, normalise

MAX_PHRASES = 10_000  # phrases, or words over all slots
MAX_SLOTS = 100
MAX_PHRASE_LENGTH = 200  # characters of a phrase or word
MAX_NAME_LENGTH = 100
MAX_DOCUMENT_LENGTH = 4_000_000  # characters; holds the longest allowed phrases with room for JSON's own


@dataclass(frozen=True)
class Arc:
    """One word that leads from state `start` to state `end`; start < end."""

    start: int
    end: int
    word: str


@dataclass(frozen=True)
class Grammar:
    """A finite set of sentences as a word graph.

    arcs    sorted by start, end and word: a topological order
    states  how many there are, numbered from 0, where every sentence starts
    finals  states in which a sentence may end
    """

    name: str
    language: str
    arcs: tuple[Arc, ...]
    states: int
    finals: frozenset[int]

    @classmethod
    def of_slots(cls, name: str, language: str, slots: Sequence[Sequence[str]]) -> "Grammar":
        """One word of each slot, in order. Raises BadInput for an empty or repeating slot or a word out of bounds."""
        _check_header(name, language)
        if not 1 <= len(slots) <= MAX_SLOTS:
            raise BadInput(f"the grammar {name!r} has {len(slots)} slots", f"give 1 to {MAX_SLOTS}")
        _check_total(name, sum(map(len, slots)))
        spelled = [_spelled_words(slot, language, f"slot {n} of {name!r}") for n, slot in enumerate(slots, start=1)]
        arcs = sorted((n, n + 1, word) for n, words in enumerate(spelled) for word in words)
        return cls(name, language, tuple(Arc(*arc) for arc in arcs), len(slots) + 1, frozenset({len(slots)}))

    @classmethod
    def of_phrases(cls, name: str, language: str, phrases: Sequence[str]) -> "Grammar":
        """Whole sentences, as a tree in which common beginnings are shared. Raises BadInput as `of_slots` does."""
        _check_header(name, language)
        _check_total(name, len(phrases))
        spelled = _spelled(phrases, language, f"the phrases of {name!r}")
        tree: dict[tuple[int, str], int] = {}
        finals = set()
        for phrase in sorted(phrase.split() for phrase in spelled):
            state = 0
            for word in phrase:
                state = tree.setdefault((state, word), len(tree) + 1)
            finals.add(state)
        arcs = sorted((start, end, word) for (start, word), end in tree.items())
        return cls(name, language, tuple(Arc(*arc) for arc in arcs), len(tree) + 1, frozenset(finals))

    @classmethod
    def of_words(cls, name: str, language: str, words: Sequence[str]) -> "Grammar":
        """Exactly one of these words. Raises BadInput as `of_slots` does."""
        return cls.of_slots(name, language, [words])

    @classmethod
    def named(cls, name: str) -> "Grammar":
        """A grammar that LipSol brings. Raises NotFound naming those that exist; a name is never taken for a path."""
        folder = resources.files("lipsol.text") / "grammars"
        held = {each.name.removesuffix(".json"): each for each in folder.iterdir() if each.name.endswith(".json")}
        if name not in held:
            raise NotFound(f"no grammar is called {name[:MAX_NAME_LENGTH]!r}", f"give one of {', '.join(sorted(held))}")
        return cls.from_json(held[name].read_text(encoding="utf-8"))

    @classmethod
    def of(cls, spec: str) -> "Grammar":
        """What a network door was sent: a document if it starts with "{", else a packaged name. Never a path."""
        return cls.from_json(spec) if spec.lstrip().startswith("{") else cls.named(spec)

    @classmethod
    def from_json(cls, document: str) -> "Grammar":
        """Read a document (forms above). Raises BadInput naming what is wrong in it."""
        return cls.of_document(parsed(document))

    @classmethod
    def of_document(cls, held: Mapping[str, Any]) -> "Grammar":
        """A document as JSON has it. Raises BadInput as `from_json` does."""
        forms = [form for form in ("slots", "phrases", "words") if form in held]
        unknown = sorted(held.keys() - {"name", "language", *forms})
        if len(forms) != 1 or unknown:
            said = f"has the keys {', '.join(sorted(held))}"[:MAX_PHRASE_LENGTH]
            raise BadInput(
                f"the grammar document {said}", 'give "name", "language" and one of "slots", "phrases", "words"'
            )
        name, language = _text(held, "name"), _text(held, "language")
        content = held[forms[0]]
        if forms[0] == "slots":
            return cls.of_slots(name, language, [_texts(slot, "a slot") for slot in _listed(content, '"slots"')])
        made = cls.of_phrases if forms[0] == "phrases" else cls.of_words
        return made(name, language, _texts(content, f'"{forms[0]}"'))

    @classmethod
    def from_file(cls, path: Path) -> "Grammar":
        """Read a file: a document if it is called .json, else one phrase a line, named after the file.

        A text file's language is the one that spells most of it. Raises BadInput if it can't be read or is no grammar.
        """
        text = text_of(path, "the grammar", "give a .json document or UTF-8 text")
        if path.suffix.lower() == ".json":
            return cls.from_json(text)
        phrases = [line for line in text.splitlines() if line.strip()]
        return cls.of_phrases(path.stem[:MAX_NAME_LENGTH], language_of(text), phrases)

    def to_json(self) -> str:
        """The document that `from_json` makes this very grammar of."""
        return json.dumps(self.document(), ensure_ascii=False)

    def document(self) -> dict[str, Any]:
        """The document that `of_document` makes this very grammar of: slots where it is a chain, else phrases."""
        slots: list[list[str]] = [[] for _ in range(self.states - 1)]
        for arc in self.arcs:
            slots[arc.start].append(arc.word)
        chain = all(arc.end == arc.start + 1 for arc in self.arcs) and self.finals == {self.states - 1}
        content = {"slots": slots} if chain else {"phrases": list(self.sentences())}
        return {"name": self.name, "language": self.language, **content}

    @property
    def words(self) -> tuple[str, ...]:
        """Every word of the grammar once, sorted."""
        return tuple(sorted({arc.word for arc in self.arcs}))

    def accepts(self, text: str) -> bool:
        """Whether the text, once normalised, is one of the sentences."""
        following = {(arc.start, arc.word): arc.end for arc in self.arcs}
        state: int | None = 0
        for word in normalise(text, self.language).split():
            state = following.get((state, word)) if state is not None else None
        return state in self.finals

    def count(self) -> int:
        """How many sentences there are, without listing them."""
        ways = [int(state in self.finals) for state in range(self.states)]
        for arc in reversed(self.arcs):
            ways[arc.start] += ways[arc.end]
        return ways[0]

    def sentences(self) -> Iterator[str]:
        """Every sentence once, in the order of the arcs; there may be very many (see `count`)."""
        leaving: dict[int, list[Arc]] = {}
        for arc in reversed(self.arcs):
            leaving.setdefault(arc.start, []).append(arc)
        waiting: list[tuple[int, tuple[str, ...]]] = [(0, ())]
        while waiting:
            state, said = waiting.pop()
            if state in self.finals:
                yield " ".join(said)
            waiting.extend((arc.end, (*said, arc.word)) for arc in leaving.get(state, ()))


def _check_header(name: str, language: str) -> None:
    if not name.strip() or len(name) > MAX_NAME_LENGTH:
        raise BadInput(f"a grammar's name has {len(name)} characters", f"give 1 to {MAX_NAME_LENGTH}, not blanks alone")
    if not name.isprintable():
        raise BadInput(f"the grammar's name {name!r} can't be shown", "leave out its control characters")
    if language not in ALPHABETS:
        raise BadInput(f"no language {language[:20]!r} is known", f"give one of {', '.join(sorted(ALPHABETS))}")


def _check_total(name: str, total: int) -> None:
    if not 1 <= total <= MAX_PHRASES:
        raise BadInput(f"the grammar {name!r} has {total} phrases or words", f"give 1 to {MAX_PHRASES}")


def _spelled(texts: Sequence[str], language: str, where: str) -> list[str]:
    """The texts normalised and checked; two spellings of the same text become one."""
    if not texts:
        raise BadInput(f"{where}: nothing is in it", "give at least one word")
    repeated = _first_repeated(texts)
    if repeated is not None:
        raise BadInput(f"{where}: {repeated!r} is there twice", "give each once")
    return list(dict.fromkeys(_spelled_text(text, language, where) for text in texts))


def _spelled_words(words: Sequence[str], language: str, where: str) -> list[str]:
    spelled = _spelled(words, language, where)
    for word in spelled:
        if " " in word:
            raise BadInput(f"{where}: {word!r} is more than one word", 'give single words here, or "phrases"')
    return spelled


def _spelled_text(text: str, language: str, where: str) -> str:
    if len(text) > MAX_PHRASE_LENGTH:
        raise BadInput(
            f"{where}: {text[:20]!r}... has {len(text)} characters", f"give at most {MAX_PHRASE_LENGTH} characters each"
        )
    spelled = normalise(text, language)
    if not spelled:
        raise BadInput(f"{where}: {text!r} holds no word", "leave it out, or give a word")
    try:
        ALPHABETS[language].encode(spelled)
    except BadInput as fault:
        raise BadInput(f"{where}: in {spelled!r}, {fault.detail}", fault.cure) from fault
    return spelled


def _first_repeated(texts: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            return text
        seen.add(text)
    return None


def text_of(path: Path, what: str, cure: str) -> str:
    """The text of a file. Raises BadInput, which says `what` is in it and the cure, for what is none or not there."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        said = getattr(fault, "strerror", None) or "it is no UTF-8 text"
        raise BadInput(f"{what} {path.name} can't be read ({said})", cure) from fault


def parsed(document: str) -> Mapping[str, Any]:
    """A document's text as JSON has it. Raises BadInput for what is too long, no JSON or no object."""
    if len(document) > MAX_DOCUMENT_LENGTH:
        raise BadInput(f"the grammar document has {len(document)} characters", f"give at most {MAX_DOCUMENT_LENGTH}")
    try:
        held = json.loads(document)
    except (ValueError, RecursionError) as fault:
        where = f"line {fault.lineno}, column {fault.colno}" if isinstance(fault, json.JSONDecodeError) else "too deep"
        raise BadInput(
            f"the grammar document is not JSON ({where})", "check its commas, quotes and brackets"
        ) from fault
    if not isinstance(held, dict):
        raise BadInput(f"the grammar document is {_kind(held)}", 'give an object with "name" and "language"')
    return held


def _text(held: Mapping[str, Any], key: str) -> str:
    if not isinstance(held.get(key), str):
        raise BadInput(f'"{key}" of the grammar document is {_kind(held.get(key))}', f'give "{key}" as text')
    return str(held[key])


def _listed(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f"{where} of the grammar document is {_kind(value)}", "give a list")
    return value


def _texts(value: Any, where: str) -> list[str]:
    for each in _listed(value, where):
        if not isinstance(each, str):
            raise BadInput(f"{where} of the grammar document holds {_kind(each)}", "give a list of texts")
    return list(value)


def _kind(value: Any) -> str:
    """What a JSON value is, as people say it."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "missing or null"}
    return names.get(type(value), "a number")


def language_of(text: str) -> str:
    """The language whose alphabet spells most characters of the text."""
    return max(sorted(ALPHABETS), key=lambda name: sum(c in ALPHABETS[name].characters for c in normalise(text, name)))
