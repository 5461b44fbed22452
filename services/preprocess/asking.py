"""How a client wants its clip read, checked before any work is done for it."""

from dataclasses import dataclass, replace

from lipsol.errors import BadInput, NotFound
from lipsol.registry.port import ModelInfo, Registry
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar

FREE = "none"  # the grammar that asks for a free reading
NAME_MAX = 200  # characters of a model's name, a language's tag or a session's name
ASKED = ("model", "grammar", "language", "session")  # what a client may say beside the clip
GRAMMAR_MAX = 64 * 1024  # characters of an inline grammar; a phrase list of some thousand words


@dataclass(frozen=True)
class Asked:
    """What was asked for; "" always means the default.

    model     name or digest of a bundle
    grammar   a packaged grammar's name, an inline JSON document, or "none" for a free reading; never a path
    language  what is spoken, as BCP 47
    session   name of the stream that the clip was cut from: its clips are read in order, by one track
    """

    model: str = ""
    grammar: str = ""
    language: str = ""
    session: str = ""

    def checked(self, registry: Registry, language: str) -> "Asked":
        """The same with its language settled (`language`: where neither it nor the model is named).

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
        self._check_grammar(spoken)
        return replace(self, language=spoken)

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

    def _check_grammar(self, language: str) -> None:
        if self.grammar in ("", FREE):
            return
        grammar = Grammar.of(self.grammar)
        if grammar.language != language:
            raise BadInput(
                f"the grammar {grammar.name!r} is of {grammar.language!r}, the clip of {language!r}",
                f"use a grammar of that language, or {FREE}",
            )
