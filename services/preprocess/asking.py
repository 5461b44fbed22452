"""How a client wants its clip read, checked before any work is done for it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from lipsol.errors import BadInput, NotFound
from lipsol.registry.port import ModelInfo, Registry
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from lipsol.text.hotwords import TIMES, Hotwords
from lipsol.text.wording import FREE, Wording

BOARD = "phrases"  # what a board is called
NAME_MAX = 200  # characters of a model's name, a language's tag or a session's name
ASKED = ("model", "grammar", "language", "session")  # what a client may say beside the clip, in one word
GRAMMAR_MAX = 64 * 1024  # characters of an inline grammar; a phrase list of some thousand words


@dataclass(frozen=True)
class Asked:
    """What was asked for; "" always means the default.

    model     name or digest of a bundle
    grammar   a packaged grammar's name, an inline JSON document, or "none" for a free reading; never a path
    language  what is spoken, as BCP 47
    session   name of the stream that the clip was cut from: its clips are read in order, by one track
    phrases   a board: only these are read; instead of a grammar
    hotwords  words and short phrases that are likelier than usual, and how many times
    """

    model: str = ""
    grammar: str = ""
    language: str = ""
    session: str = ""
    phrases: tuple[str, ...] = ()
    hotwords: tuple[tuple[str, float], ...] = ()

    def told(self) -> list[str]:
        """All of it as texts, that one request can be told from another."""
        listed = [json.dumps(each) for each in (self.phrases, self.hotwords) if each]
        return [str(each) for each in astuple(self)[: len(ASKED)]] + listed

    def checked(self, registry: Registry, language: str) -> "Asked":
        """The same with its language settled (`language`: where neither it nor the model is named), its phrases and
        hotwords inside its grammar.

        Raises NotFound or BadInput, naming what is there, for what can't be had here.
        """
        for name in ASKED:
            bound = GRAMMAR_MAX if name == "grammar" else NAME_MAX
            if len(getattr(self, name)) > bound:
                raise BadInput(
                    f"a {name} of {len(getattr(self, name))} characters, at most {bound} are taken", "shorten it"
                )
        if not self.session.isprintable():
            raise BadInput("a session with characters that can't be printed", "name it by letters and digits")
        spoken = self._model(registry, language).language
        grammar = self._worded(spoken)
        if len(grammar) > GRAMMAR_MAX:
            raise BadInput(
                f"phrases and hotwords of {len(grammar)} characters, at most {GRAMMAR_MAX} are taken", "give fewer"
            )
        return replace(self, language=spoken, grammar=grammar, phrases=(), hotwords=())

    def _model(self, registry: Registry, language: str) -> ModelInfo:
        """The model that would read now."""
        if self.language and self.language not in ALPHABETS:
            raise NotFound(f"no language {self.language!r} is known", f"give one of {', '.join(sorted(ALPHABETS))}")
        if not self.model:
            return registry.default(self.language or language)
        info = registry.find(self.model)
        if self.language not in ("", info.language):
            raise BadInput(
                f"the model {info.name} reads {info.language!r}, not {self.language!r}",
                "name a model of that language, or leave the language out",
            )
        return info

    def _worded(self, language: str) -> str:
        """The grammar as `MouthReady` has it: with phrases and hotwords in it, or as it came where there are none."""
        if self.phrases and self.grammar:
            raise BadInput("both a grammar and phrases were given", "give one of the two")
        own = Wording.of_phrases(BOARD, language, list(self.phrases)) if self.phrases else Wording.of(self.grammar)
        if isinstance(own.grammar, Grammar) and own.grammar.language != language:
            raise BadInput(
                f"the grammar {own.grammar.name!r} is of {own.grammar.language!r}, the clip of {language!r}",
                f"use a grammar of that language, or {FREE}",
            )
        if own.hotwords and self.hotwords:
            raise BadInput("hotwords were given both beside the grammar and in it", "give them in one place")
        hotwords = Hotwords.of(_once(self.hotwords), language)
        if not self.phrases and not hotwords:
            return self.grammar
        return replace(own, hotwords=hotwords).spec(language)


def asked_of(fields: Mapping[str, Sequence[str]]) -> Asked:
    """What form fields ask for, all that each of them held; of one that means one thing the last. Raises BadInput."""
    plain = {name: fields[name][-1].strip() for name in ASKED if fields.get(name)}
    return Asked(
        **plain, phrases=phrases_of(fields.get("phrases", ())), hotwords=hotwords_of(fields.get("hotwords", ()))
    )


def phrases_of(values: Sequence[str]) -> tuple[str, ...]:
    """The phrases of form fields: each value a JSON list of texts, or a phrase a line. Raises BadInput."""
    found: list[str] = []
    for value in values:
        listed = _json(value, "phrases") if value.lstrip().startswith("[") else value.splitlines()
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise BadInput("phrases that are no list of texts", 'send ["one phrase", "another"], or a phrase a line')
        found += [each.strip() for each in listed if each.strip()]
    if values and not found:
        raise BadInput("0 phrases", "give at least one, or leave the field out")
    return tuple(found)


def hotwords_of(values: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """The hotwords of form fields: each value a JSON object {word: times} or list, or WORD or WORD:TIMES a line."""
    found: list[tuple[Any, Any]] = []
    for value in values:
        if value.lstrip().startswith(("{", "[")):
            held = _json(value, "hotwords")
            pairs = held.items() if isinstance(held, dict) else [(each, TIMES) for each in held]
        else:
            pairs = [hotword_of(line) for line in value.splitlines() if line.strip()]
        found += pairs
    for word, times in found:
        number = isinstance(times, int | float) and not isinstance(times, bool)
        if not isinstance(word, str) or not number:
            raise BadInput("hotwords that are no words with numbers", 'send {"word": times}, or WORD:TIMES a line')
    return tuple((word, float(times)) for word, times in found)


def hotword_of(line: str) -> tuple[str, float]:
    """WORD or WORD:TIMES. Raises BadInput where TIMES is no number."""
    word, _, times = line.strip().partition(":")
    try:
        return word.strip(), float(times) if times else TIMES
    except ValueError as fault:
        raise BadInput(f"the hotword {word!r} is to be {times[:20]!r} times likelier", "write WORD:NUMBER") from fault


def _once(hotwords: Sequence[tuple[str, float]]) -> dict[str, float]:
    held = dict(hotwords)
    if len(held) != len(hotwords):
        twice = next(word for n, (word, _) in enumerate(hotwords) if word in dict(hotwords[:n]))
        raise BadInput(f"the hotword {twice!r} is there twice", "give each once")
    return held


def _json(value: str, field: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"the field {field} is not JSON", "check its commas, quotes and brackets") from fault
