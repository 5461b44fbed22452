"""What `--grammar`, `--phrases` and `--hotword` mean together: the one document that goes with each clip."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lipsol.errors import BadInput
from lipsol.text.grammar import Grammar, language_of, text_of
from lipsol.text.hotwords import Hotwords
from lipsol.text.wording import Wording
from services.cli.platform import grammar_asked
from services.preprocess.asking import BOARD, hotword_of


@dataclass(frozen=True)
class Wish:
    """What may be said, as it stood on the command line. phrases: a file, one a line; hotwords: WORD[:TIMES] each."""

    grammar: str = ""
    phrases: Path | None = None
    hotwords: tuple[str, ...] = ()

    def spec(self, language: str) -> str:
        """The document, a name, or "" for the default. language: what is spoken; "": told by the letters.

        Raises BadInput or NotFound for what can't be meant.
        """
        if self.grammar and self.phrases is not None:
            raise BadInput("both --grammar and --phrases were given", "give one of the two")
        if self.phrases is None and not self.hotwords:
            return grammar_asked(self.grammar)
        pairs = [hotword_of(each) for each in self.hotwords]
        twice = sorted({word for word, _ in pairs if [each for each, _ in pairs].count(word) > 1})
        if twice:
            raise BadInput(f"the hotword {twice[0]!r} is there twice", "give each once")
        lines = _lines(self.phrases) if self.phrases is not None else []
        spoken = language or _spoken(self.grammar, [*lines, *(word for word, _ in pairs)])
        own = Wording.of_phrases(BOARD, spoken, lines) if self.phrases is not None else self._bound()
        return replace(own, hotwords=Hotwords.of(dict(pairs), spoken)).spec(spoken)

    def _bound(self) -> Wording:
        held = Wording.of(grammar_asked(self.grammar))
        if held.hotwords:
            raise BadInput("both the grammar's file and --hotword give hotwords", "give them in one place")
        return held


def _lines(file: Path) -> list[str]:
    text = text_of(file, "the phrases in", "give UTF-8 text, a phrase a line")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _spoken(grammar: str, texts: Sequence[str]) -> str:
    """The language of a grammar, else the one that spells most of the texts."""
    held = Wording.of(grammar_asked(grammar)).grammar
    return held.language if isinstance(held, Grammar) else language_of("\n".join(texts))
