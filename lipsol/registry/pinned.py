"""A registry of which some names mean what a release says, whatever is promoted meanwhile.

The law of pins: a pinned bundle is what its name means, and of those of one language the first that is named reads that
language when no model is asked for. What is not pinned means what the registry below says. What a digest means never
changes, so a pin is looked up once; that it was promoted, or still is, nobody asks here (`standing` does, before a
release). All else is the registry's below, promotions too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lipsol.errors import ModelError, NotFound
from lipsol.promotion import Promotion
from lipsol.registry.naming import matches
from lipsol.registry.port import NONE, ModelInfo, Registry
from lipsol.signing import Keys


class PinnedRegistry:
    """A registry and its pins: whole digests, in the order of their say. No pins: the registry as it is."""

    def __init__(self, registry: Registry, digests: Sequence[str]) -> None:
        self._registry, self._digests = registry, digests
        self._pins: tuple[ModelInfo, ...] | None = None

    def pins(self) -> tuple[ModelInfo, ...]:
        """What is pinned, in that order.

        Raises ModelError for a bundle that is not here, or two of one name; Transient while the registry is away.
        """
        if self._pins is None:
            self._pins = _marked([self._pin(digest) for digest in self._digests])
        return self._pins

    @property
    def keys(self) -> Keys | None:
        return self._registry.keys

    def models(self) -> list[ModelInfo]:
        pins = self.pins()
        pinned = {pin.digest for pin in pins}
        others = [self._told(info) for info in self._registry.models() if info.digest not in pinned]
        names = {pin.name for pin in pins}
        return sorted([*pins, *others], key=lambda info: (info.name, info.name in names and info.digest not in pinned))

    def candidates(self) -> list[ModelInfo]:
        pinned = {pin.digest for pin in self.pins()}
        return [info for info in self._registry.candidates() if info.digest not in pinned]

    def faults(self) -> list[str]:
        return self._registry.faults()

    def find(self, name_or_digest: str) -> ModelInfo:
        for pin in self.pins():
            if pin.name == name_or_digest or matches(pin, name_or_digest):
                return pin
        return self._told(self._registry.find(name_or_digest))

    def default(self, language: str) -> ModelInfo:
        for pin in self.pins():
            if pin.language == language:
                return pin
        return self._registry.default(language)

    def champion(self, name: str) -> ModelInfo | None:
        for pin in self.pins():
            if pin.name == name:
                return pin
        found = self._registry.champion(name)
        return None if found is None else self._told(found)

    def path(self, digest: str) -> Path:
        return self._registry.path(digest)

    def file(self, digest: str, name: str) -> Path:
        return self._registry.file(digest, name)

    def register(self, path: Path, files: Mapping[str, Path] = NONE, *, candidate: bool = True) -> ModelInfo:
        return self._told(self._registry.register(path, files, candidate=candidate))

    def promote(self, promotion: Promotion) -> None:
        self._registry.promote(promotion)

    def history(self, name: str = "") -> list[Promotion]:
        return self._registry.history(name)

    def _pin(self, digest: str) -> ModelInfo:
        try:
            return self._registry.find(digest)
        except NotFound as fault:
            raise ModelError(
                f"the bundle {digest[:12]} is pinned, and is not here", "put it into the registry, or pin another"
            ) from fault

    def _told(self, info: ModelInfo) -> ModelInfo:
        """The same, as no default of a language that a pin reads."""
        reads = info.default and info.language not in {pin.language for pin in self.pins()}
        return info if reads == info.default else replace(info, default=reads)


def _marked(pins: Sequence[ModelInfo]) -> tuple[ModelInfo, ...]:
    """The same with each language's first marked as its default. Raises ModelError for two of one name."""
    names: dict[str, ModelInfo] = {}
    languages: dict[str, ModelInfo] = {}
    for pin in pins:
        other = names.setdefault(pin.name, pin)
        if other is not pin:
            raise ModelError(
                f"{pin.name} is pinned to {other.digest[:12]} and to {pin.digest[:12]}, and means one at a time",
                "pin one bundle of a model",
            )
        languages.setdefault(pin.language, pin)
    return tuple(replace(pin, default=languages[pin.language] is pin) for pin in pins)
