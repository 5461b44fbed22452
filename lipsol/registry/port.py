"""The registry: which models there are, where their bundle files lie, and which of them a name means.

The law of bytes: a digest (sha256 of the bundle file, hex) names the same bytes for ever. `path` and `file` give files
that hold just those bytes, fetched and checked first where the registry is remote.

The law of names: a name means the bundle of its last promotion; one that was never promoted means its newest release.
A candidate is found by its digest alone and reads nothing unasked, however new, until a promotion names it. The history
only grows, in one order that everybody sees; of two promotions that replace the same bundle one is refused. A promotion
counts for nothing if `keys` are set and none of them signed it, or if its bundle is not here or another model's; the
last one of a name stands in `faults` then.

Every method may be called from any thread; each raises Transient when the registry is away. A registry tells of models;
whoever opens a bundle is who verifies it, with the registry's `keys`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol, runtime_checkable

from lipsol.promotion import Promotion
from lipsol.signing import Keys

NONE: Mapping[str, Path] = MappingProxyType({})


@dataclass(frozen=True)
class ModelInfo:
    """One bundle, as its card describes it.

    digest    sha256 of the bundle file, hex
    kind      "words": one of N words a clip; "sentences": characters
    language  what it reads, as BCP 47
    grammar   name of the grammar that it is bound by unless asked otherwise; "": none
    default   whether it reads its language when no model is named: of what the names mean, sentences before words,
              then what was promoted, then the newest
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
        """Every model that was released or promoted, by name: what the name means, then the newest first."""
        ...

    def candidates(self) -> list[ModelInfo]:
        """Every candidate that no promotion names (yet), by name, newest first."""
        ...

    def faults(self) -> list[str]:
        """What lies among the models or promotions and is none: a line each, with what is wrong and the cure."""
        ...

    def find(self, name_or_digest: str) -> ModelInfo:
        """What that name means, or the model or candidate of that digest (its first 12 digits will do).

        Raises NotFound, which lists what there is.
        """
        ...

    def default(self, language: str) -> ModelInfo:
        """The model that reads a language when none is named. Raises NotFound, which lists the languages there are."""
        ...

    def champion(self, name: str) -> ModelInfo | None:
        """What that name means, which a candidate of that name must be measured against; None if it means nothing."""
        ...

    def path(self, digest: str) -> Path:
        """The bundle file of that digest. Raises NotFound."""
        ...

    def file(self, digest: str, name: str) -> Path:
        """A file that was registered with that bundle ("evaluation.json", say). Raises NotFound, which lists them."""
        ...

    def register(self, path: Path, files: Mapping[str, Path] = NONE, *, candidate: bool = True) -> ModelInfo:
        """Take in a bundle file, and files that tell of it under plain names; a repeat changes nothing.

        candidate: False releases it at once, as far as its name was never promoted. Of files with one name the newer is
        kept; but of a bundle that was promoted they stay as they were, and another is refused. Raises ModelError for a
        file that is no bundle, BadInput for a name that is none (a letter or digit, then those and `.`, `_`, `-`).
        """
        ...

    def promote(self, promotion: Promotion) -> None:
        """Let the promotion's model mean its bundle, from the moment that this returns; it is in the history then.

        Raises NotFound for a bundle that is not here, BadInput if it is another model's or if the name no longer means
        what the promotion replaces, ModelError if `keys` are set and none of them signed it. Nothing is changed then.
        """
        ...

    def history(self, name: str = "") -> list[Promotion]:
        """The promotions that count, of one model or ("") of all, newest first."""
        ...
