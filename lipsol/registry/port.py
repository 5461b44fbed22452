"""The registry: which models there are, and where their bundle files lie.

The law: a digest (sha256 of the bundle file, hex) names the same bytes for ever; a name may move to a newer version.
`path` gives a file that holds just those bytes, fetched and checked first where the registry is remote. Every method
may be called from any thread; each raises Transient when the registry is away. A registry tells of models; whoever
opens a bundle is who verifies it, with the registry's `keys`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from lipsol.signing import Keys


@dataclass(frozen=True)
class ModelInfo:
    """One bundle, as its card describes it.

    digest    sha256 of the bundle file, hex
    kind      "words": one of N words a clip; "sentences": characters
    language  what it reads, as BCP 47
    grammar   name of the grammar that it is bound by unless asked otherwise; "": none
    default   whether it reads its language when no model is named: sentences before words, then the newest
    card      the whole card: scores, licence, attribution, ...
    """

    name: str
    version: str
    digest: str
    kind: Literal["words", "sentences"]
    language: str
    grammar: str
    default: bool
    card: Mapping[str, object]


@runtime_checkable
class Registry(Protocol):
    """Models by name or digest."""

    @property
    def keys(self) -> Keys | None:
        """Whose signature a bundle of this registry must have to be opened. None: it may be unsigned."""
        ...

    def models(self) -> list[ModelInfo]:
        """Every model that can be used, by name, newest version first."""
        ...

    def faults(self) -> list[str]:
        """What lies among the models and is none: a line each, with the file, what is wrong with it, and the cure."""
        ...

    def find(self, name_or_digest: str) -> ModelInfo:
        """The newest model of that name, or the one of that digest (its first 12 digits will do).

        Raises NotFound, which lists what there is.
        """
        ...

    def default(self, language: str) -> ModelInfo:
        """The model that reads a language when none is named. Raises NotFound, which lists the languages there are."""
        ...

    def path(self, digest: str) -> Path:
        """The bundle file of that digest. Raises NotFound."""
        ...
