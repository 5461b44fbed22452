"""Wordings: what a caller says may be said, as one document that travels with the clip.

A wording is a grammar (the model's own, one of the caller's, or none), whether it is a board, and hotwords. A board is
a list of phrases of which the reader also tells how sure it is that none of them was said.

How it is written, for files, events and network doors (bounds in `lipsol.text.grammar` and `lipsol.text.hotwords`):
    ""       the model's own grammar
    "none"   no grammar: a free reading
    NAME     a packaged grammar
    {...}    a grammar document, which may hold "hotwords": {text: times} and, with "phrases", "none": true, a board;
             or {"language", "grammar": "" | "none" | NAME, "hotwords": {...}}: hotwords beside one of the above
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from lipsol.errors import BadInput
from lipsol.text.grammar import Grammar, parsed
from lipsol.text.hotwords import NO_HOTWORDS, Hotwords

FREE = "none"  # in place of a grammar: a free reading
MAX_BOARD = 500  # phrases of a board: each is answered with its own probability


class BundleGrammar(Enum):
    """Stands for the grammar that the bundle itself brings."""

    OWN = "own"


BUNDLE_GRAMMAR: Final = BundleGrammar.OWN


@dataclass(frozen=True)
class Wording:
    """What may be said. grammar None: anything; board: whether `grammar` is a board's phrases."""

    grammar: Grammar | None | BundleGrammar = BUNDLE_GRAMMAR
    hotwords: Hotwords = NO_HOTWORDS
    board: bool = False

    @classmethod
    def of(cls, spec: str) -> "Wording":
        """What a door was sent (forms above; never a path). Raises BadInput or NotFound naming what is wrong in it."""
        if spec.lstrip().startswith("{"):
            return cls._of_document(dict(parsed(spec)))
        return cls(_based(spec))

    @classmethod
    def of_phrases(cls, name: str, language: str, phrases: list[str], hotwords: Hotwords = NO_HOTWORDS) -> "Wording":
        """A board. Raises BadInput for none, too many, or one that the language's alphabet can't spell."""
        if len(phrases) > MAX_BOARD:
            raise BadInput(f"a board of {len(phrases)} phrases", f"give at most {MAX_BOARD}, or a grammar of phrases")
        return cls(Grammar.of_phrases(name, language, phrases), hotwords, board=True)

    @classmethod
    def _of_document(cls, held: dict[str, Any]) -> "Wording":
        said, board = held.pop("hotwords", {}), held.pop("none", False)
        if not isinstance(said, Mapping):
            raise BadInput(
                '"hotwords" of the grammar document is no object', 'give {"a word": how many times likelier}'
            )
        if not isinstance(board, bool):
            raise BadInput('"none" of the grammar document is neither true nor false', "give true for a board")
        if "grammar" in held:
            return cls._beside(held, said, board)
        grammar = Grammar.of_document(held)
        hotwords = Hotwords.of(said, grammar.language)
        if not board:
            return cls(grammar, hotwords)
        if "phrases" not in held:
            raise BadInput('"none" in a grammar document without "phrases"', "a board is made of phrases: give them")
        return cls.of_phrases(grammar.name, grammar.language, held["phrases"], hotwords)

    @classmethod
    def _beside(cls, held: dict[str, Any], said: Mapping[str, Any], board: bool) -> "Wording":
        """Hotwords beside a grammar that is named."""
        spec, language = held["grammar"], held.get("language")
        unknown = sorted(held.keys() - {"grammar", "language"})
        if unknown or board or not isinstance(spec, str) or not isinstance(language, str):
            keys = ", ".join([*sorted(held), *(["none"] if board else [])])[:200]
            raise BadInput(
                f"a document beside a named grammar has the keys {keys}",
                'give "language", "grammar" and "hotwords" alone',
            )
        grammar = _based(spec)
        if isinstance(grammar, Grammar) and grammar.language != language:
            raise BadInput(
                f"the grammar {grammar.name!r} is of {grammar.language!r}, its hotwords of {language!r}",
                "give both in one language",
            )
        return cls(grammar, Hotwords.of(said, language))

    def spec(self, language: str) -> str:
        """What `of` makes this very wording of. language: of the hotwords, where no grammar tells it."""
        grammar = self.grammar
        if isinstance(grammar, Grammar):
            held = grammar.document()
            if self.board:
                held = {
                    "name": grammar.name,
                    "language": grammar.language,
                    "phrases": list(grammar.sentences()),
                    "none": True,
                }
            if self.hotwords:
                held["hotwords"] = self.hotwords.document()
            return json.dumps(held, ensure_ascii=False)
        base = FREE if grammar is None else ""
        if not self.hotwords:
            return base
        document = {"language": language, "grammar": base, "hotwords": self.hotwords.document()}
        return json.dumps(document, ensure_ascii=False)


Bound: TypeAlias = Grammar | None | BundleGrammar | Wording  # all that a reader can be asked for


def wording_of(bound: Bound) -> Wording:
    """Whatever a reader is asked for, as a wording."""
    return bound if isinstance(bound, Wording) else Wording(bound)


def _based(spec: str) -> Grammar | None | BundleGrammar:
    """The grammar of a name. Raises NotFound naming those that exist."""
    if spec == "":
        return BUNDLE_GRAMMAR
    return None if spec == FREE else Grammar.named(spec)
