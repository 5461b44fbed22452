"""The bundles in memory: opened when first asked for, the longest unused making way; and which of them a name means.

A name, and a language's default, may come to mean a newer bundle while we serve. The older one goes on being meant
until the newer one is open (verified, golden answers reproduced, warm): `look` opens it beside. A newer one that can't
be used is told of once, and tried again when the name means yet another. Who was told a bundle is read by that one.
What is pinned (`lipsol.registry.pinned`) never comes to mean another, and never makes way.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Protocol

import structlog

from lipsol.clips.clip import MouthClip
from lipsol.errors import LipsolError, ModelError, NotFound, Transient
from lipsol.model.prediction import Prediction
from lipsol.reader import Bound, Heard
from lipsol.registry.pinned import PinnedRegistry
from lipsol.registry.port import ModelInfo, Registry
from lipsol.runtime.telemetry import Telemetry

log = structlog.get_logger()


class Reading(Protocol):
    """`lipsol.reader.Reader`, as far as this service needs it."""

    def hear(self, mouths: Sequence[MouthClip], at_once: int) -> list[Heard]:
        """What the network says of each mouth, in the order given; at_once: clips of one batch at most."""
        ...

    def decode(self, heard: Heard, grammar: Bound) -> Prediction:
        """The words of what was heard, under a grammar."""
        ...


OpenReader = Callable[[Path, ModelInfo], Reading]
Meaning = tuple[str, str]  # ("language", "en") or ("name", "grid-sentences")


class Models:
    """Readers by bundle, at most `held` of them but for defaults and pins; safe to share between threads."""

    def __init__(
        self,
        registry: Registry,
        open_reader: OpenReader,
        held: int,
        telemetry: Telemetry | None = None,
        *,
        bundles: Sequence[str] = (),
    ) -> None:
        """bundles: digests of what is pinned."""
        self._registry, self._open, self._held = PinnedRegistry(registry, bundles), open_reader, held
        self._pinned = frozenset(bundles)
        self._telemetry = telemetry or Telemetry()
        self._lock = Lock()
        self._readers: OrderedDict[str, Reading] = OrderedDict()
        self._opening: dict[str, Future[Reading]] = {}
        self._meant: dict[Meaning, ModelInfo] = {}
        self._refused: dict[Meaning, tuple[ModelInfo, str]] = {}  # the newest, and what is wrong with it

    def open_defaults(self) -> int:
        """Open the bundle of every language's default, and what is pinned, so that no client waits for it; returns how
        many that were.

        Raises ModelError if one can't be used, if there is none at all, or if a file among the models is none: it may
        be what was meant to be the default, and another must not read in its place unasked. Where all that reads is
        pinned, none can: such a file is told of alone.
        """
        pins = self._registry.pins()
        defaults = [info for info in self._registry.models() if info.default]
        if faults := self._registry.faults():
            if not defaults or any(info.digest not in self._pinned for info in defaults):
                raise ModelError("; ".join(faults), "mend it or take it out of the folder, and start again")
            log.warning("registry-at-fault", faults=faults, pinned=[pin.digest[:12] for pin in pins])
        if not defaults:
            raise ModelError("no model is here", "train one (`make train`), or name the folder that has them")
        for info in defaults:
            self.reader(info)
            self._mean(("language", info.language), info)
        for pin in pins:
            self.reader(pin)
            log.info("model-pinned", model=pin.name, version=pin.version, bundle=pin.digest[:12])
        return len({info.digest for info in (*defaults, *pins)})

    def look(self) -> None:
        """Let names and defaults mean what the registry says by now, each once that is open. Raises Transient."""
        newest = {("language", info.language): info for info in self._registry.models() if info.default}
        for name in [name for kind, name in list(self._meant) if kind == "name"]:
            try:
                newest["name", name] = self._registry.find(name)
            except NotFound:
                continue  # taken out of the registry: who asks by that name is still read
        for meaning, info in newest.items():
            self._renew(meaning, info)
        for meaning in self._refused.keys() - newest.keys():
            del self._refused[meaning]
        self._telemetry.set("lipsol_refused_models", len(self._refused))

    @property
    def refused(self) -> Mapping[Meaning, str]:
        """Of which names and defaults the newest bundle can't be used, and why."""
        return {meaning: why for meaning, (_, why) in list(self._refused.items())}

    def unusable(self) -> list[tuple[ModelInfo, str]]:
        """The newest bundles that never took over, each once, and why."""
        return list({info.digest: (info, why) for info, why in list(self._refused.values())}.values())

    def known(self) -> list[ModelInfo]:
        """Every bundle that can be asked for, by name: first what the name means, then the newest. Raises Transient."""
        refused = {info.digest for info, _ in self.unusable()}
        meant = {info.digest for (kind, _), info in list(self._meant.items()) if kind == "name"}
        found = [info for info in self._registry.models() if info.digest not in refused]
        return sorted(found, key=lambda info: (info.name, info.digest not in meant))

    def info(self, model: str, language: str) -> ModelInfo:
        """The bundle of that name or digest, or the language's default for "". Raises NotFound."""
        meant = self._meant.get(("name", model) if model else ("language", language))
        if meant is not None:
            return meant
        return self._registry.find(model) if model else self._registry.default(language)

    def usable(self, bundle: str) -> ModelInfo:
        """The bundle of that digest, open. Raises NotFound if it is not here, ModelError if it can't be used."""
        info = self._registry.find(bundle)
        self.reader(info)
        return info

    def opened(self, info: ModelInfo) -> Reading | None:
        """The reader of a bundle, if it is open: for callers that can't wait."""
        with self._lock:
            if info.digest in self._readers:
                self._readers.move_to_end(info.digest)
            return self._readers.get(info.digest)

    def reader(self, info: ModelInfo) -> Reading:
        """The reader of a bundle, opened if it is not open. Raises ModelError if its file can't be used."""
        while (found := self.opened(info)) is None:
            with self._lock:
                ours = info.digest not in self._opening
                opening = self._opening.setdefault(info.digest, Future())
            if ours:
                self._open_now(info, opening)
            return opening.result()
        return found

    def holds(self, digest: str) -> bool:
        """Whether that bundle is open."""
        return digest in self._readers

    def __len__(self) -> int:
        return len(self._readers)

    def _open_now(self, info: ModelInfo, opening: "Future[Reading]") -> None:
        """Open a bundle for all who wait for it; those that are open already serve on meanwhile."""
        try:
            reader = self._open(self._registry.path(info.digest), info)
        except BaseException as fault:  # noqa: BLE001 - it is raised where it is waited for
            with self._lock:
                del self._opening[info.digest]
            opening.set_exception(fault)
            return
        newest = self._is_newest(info)
        with self._lock:
            self._readers[info.digest] = reader
            del self._opening[info.digest]
            self._make_way(info.digest)
            if newest:
                self._meant.setdefault(("name", info.name), info)
        opening.set_result(reader)

    def _is_newest(self, info: ModelInfo) -> bool:
        """Whether the bundle is what its name means to the registry."""
        try:
            return self._registry.find(info.name).digest == info.digest
        except (NotFound, Transient):
            return False

    def _make_way(self, newest: str) -> None:
        """Close what is longest unused; never a default, nor a pin, nor what was just opened."""
        defaults = {info.digest for (kind, _), info in self._meant.items() if kind == "language"}
        kept = defaults | self._pinned | {newest}
        for digest in [digest for digest in self._readers if digest not in kept]:
            if len(self._readers) <= self._held:
                return
            del self._readers[digest]
            for meaning in [meaning for meaning, info in self._meant.items() if info.digest == digest]:
                del self._meant[meaning]

    def _renew(self, meaning: Meaning, info: ModelInfo) -> None:
        """Let a name or language mean a bundle, if that can be used."""
        before = self._meant.get(meaning)
        if before is not None and before.digest == info.digest:
            self._refused.pop(meaning, None)
            return
        if tried := next((held for held in self._refused.values() if held[0].digest == info.digest), None):
            self._refused[meaning] = tried  # if under another meaning, it was told of there
            return
        try:
            self.reader(info)
        except Transient:
            raise
        except LipsolError as fault:
            self._refused[meaning] = (info, f"{fault.detail}: {fault.cure}")
            serving = before.digest[:12] if before else "none"
            told = {"model": info.name, "version": info.version, "bundle": info.digest[:12], "serving": serving}
            log.error("model-refused", **told, reason=fault.detail, cure=fault.cure)  # noqa: TRY400 - foreseen
            return
        self._refused.pop(meaning, None)
        self._mean(meaning, info)
        log.info("model-swapped", model=info.name, version=info.version, bundle=info.digest[:12], of=meaning[1])

    def _mean(self, meaning: Meaning, info: ModelInfo) -> None:
        with self._lock:
            before = self._meant.get(meaning)
            self._meant[meaning] = info
        if before is not None and before.digest != info.digest:
            self._telemetry.add("lipsol_models_swapped_total", model=info.name)
