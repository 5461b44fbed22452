"""What names and languages mean, from what was released and what was promoted: the law of `port`, for every adapter.

Pure: whoever holds bundles and promotions asks here, so that two adapters can't differ in what they serve.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lipsol.errors import BadInput, ModelError, NotFound
from lipsol.promotion import Promotion
from lipsol.registry.cards import SUFFIX
from lipsol.registry.port import ModelInfo
from lipsol.signing import Keys

DIGEST_MIN = 12  # hex digits that may stand for a whole digest
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a name that is no path


@dataclass(frozen=True)
class Entry:
    """One record of a history, in its place. promotion: None if it can't be read or trusted, `fault` says why."""

    where: str
    model: str  # whose it says it is; "": it can't be read
    promotion: Promotion | None
    fault: str = ""


@dataclass(frozen=True)
class Named:
    """What there is, by name.

    models   what was released or promoted, by name: what the name means, then the newest; defaults are marked
    means    name -> digest
    history  the promotions that count, newest first
    faults   the last record of each name, if it does not count, and every one that can't be read
    """

    models: tuple[ModelInfo, ...]
    means: Mapping[str, str]
    history: tuple[Promotion, ...]
    faults: tuple[str, ...]

    def find(self, name_or_digest: str) -> ModelInfo | None:
        """What that name means, or the one of that digest, if it is among these."""
        for info in self.models:
            if info.name == name_or_digest:
                return info
        return next((info for info in self.models if matches(info, name_or_digest)), None)

    def champion(self, name: str) -> ModelInfo | None:
        """What that name means."""
        return self.find(name) if name in self.means else None

    def default(self, language: str) -> ModelInfo:
        """What reads that language. Raises NotFound, which lists the languages there are."""
        for info in self.models:
            if info.default and info.language == language:
                return info
        raise NotFound(f"no model reads {language!r}", f"ask for {listed(info.language for info in self.models)}")

    def missing(self, name_or_digest: str) -> NotFound:
        """The fault of one that is not here, which lists the names there are."""
        return NotFound(f"no model {name_or_digest!r}", f"ask for {listed(info.name for info in self.models)}")


def name_all(released: Iterable[ModelInfo], held: Mapping[str, ModelInfo], entries: Sequence[Entry]) -> Named:
    """Apply the law. held: bundles by digest that a promotion may name; entries: the history, newest first."""
    known = {info.digest: info for info in released}
    means: dict[str, str] = {}
    history, faults = [], []
    for entry in entries:
        fault = entry.fault or _unfit(entry.promotion, {**held, **known})
        if entry.promotion is not None and not fault:
            means.setdefault(entry.model, entry.promotion.digest)
            history.append(entry.promotion)
        elif entry.model not in means:
            faults.append(f"{entry.where}: {fault}")
    promoted = tuple(means.values())
    known |= {each.digest: held[each.digest] for each in history if each.digest in held}
    newest = sorted(known.values(), key=_age, reverse=True)
    for info in newest:
        means.setdefault(info.name, info.digest)
    ordered = sorted(newest, key=lambda info: (info.name, means[info.name] != info.digest))
    return Named(_with_defaults(ordered, means, promoted), means, tuple(history), tuple(faults))


def entry_of(data: bytes, where: str, keys: Keys | None) -> Entry:
    """A record as it was kept, tried against the keys if there are any."""
    try:
        promotion = Promotion.from_json(data, where)
    except ModelError as fault:
        return Entry(where, "", None, f"{fault.detail}; {fault.cure}")
    try:
        if keys is not None:
            promotion.verify(keys)
    except ModelError as fault:
        return Entry(where, promotion.model, None, f"{fault.detail}; {fault.cure}")
    return Entry(where, promotion.model, promotion)


def check(promotion: Promotion, info: ModelInfo, named: Named, keys: Keys | None) -> None:
    """Raise unless the promotion may be the next of the history: see `Registry.promote`. info: its bundle."""
    if keys is not None:
        promotion.verify(keys)
    if unfit := _unfit(promotion, {info.digest: info}):
        raise BadInput(unfit, "promote a bundle under its own name")
    last = next((each.digest for each in named.history if each.model == promotion.model), "")
    if last == promotion.digest:
        raise BadInput(f"{promotion.model} means {last[:12]} already", "there is nothing to promote")
    now = named.means.get(promotion.model, "")
    if promotion.replaces != now:
        raise BadInput(
            f"{promotion.model} means {now[:12] or 'nothing'} by now,"
            f" and this promotion replaces {promotion.replaces[:12] or 'nothing'}",
            "let the gate compare with what the name means now",
        )


def check_files(
    info: ModelInfo, files: Mapping[str, Path], kept: Callable[[str], str], history: Iterable[Promotion]
) -> dict[str, str]:
    """The digests of files that are to be registered with a bundle; kept: digest of what it has by a name, or "".

    Raises BadInput for one that can't be kept, before anything is.
    """
    promoted = info.digest in {each.digest for each in history}
    told = {}
    for name, file in files.items():
        if not PLAIN.fullmatch(name) or name.endswith(SUFFIX):
            raise BadInput(f"{name!r} is no plain name of a file", "take letters, digits and `.`, `_`, `-`")
        if not file.is_file():
            raise BadInput(f"{file} is not there", "name a file to register with the bundle")
        told[name] = sha256(file)
        if promoted and kept(name) != told[name]:
            raise BadInput(
                f"{info.name} {info.digest[:12]} was promoted on other evidence than this {name}",
                "register what is to be known of a bundle before it is promoted",
            )
    return told


def waiting(infos: Iterable[ModelInfo], named: Named) -> list[ModelInfo]:
    """The candidates among these: no name means them or meant them. By name, newest first."""
    known = {info.digest for info in named.models}
    newest = sorted((info for info in infos if info.digest not in known), key=_age, reverse=True)
    return sorted(newest, key=lambda info: info.name)


def sha256(path: Path) -> str:
    """The digest of a file, hex; "" if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def matches(info: ModelInfo, digest: str) -> bool:
    """Whether the digest, or enough of its first digits, is the model's."""
    return len(digest) >= DIGEST_MIN and info.digest.startswith(digest)


def listed(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(sorted(set(names))) or "nothing: no model is here"


def _unfit(promotion: Promotion | None, held: Mapping[str, ModelInfo]) -> str:
    """Why a promotion that can be trusted counts for nothing all the same; "": it counts."""
    if promotion is None:
        return "it can't be read"
    info = held.get(promotion.digest)
    if info is None:
        return f"{promotion.model} was promoted to {promotion.digest[:12]}, which is not here; put that bundle back"
    if (info.name, info.language, info.kind) != (promotion.model, promotion.language, promotion.kind):
        return f"{promotion.digest[:12]} is {info.name} ({info.language}, {info.kind}), not {promotion.model}"
    return ""


def _age(info: ModelInfo) -> tuple[str, str]:
    return str(info.card["created"]), info.digest


def _with_defaults(
    found: Sequence[ModelInfo], means: Mapping[str, str], promoted: Sequence[str]
) -> tuple[ModelInfo, ...]:
    """The same, with each language's default marked, of those that a name means. promoted: newest first."""
    best: dict[str, ModelInfo] = {}

    def rank(info: ModelInfo) -> tuple[bool, int, tuple[str, str]]:
        late = len(promoted) - promoted.index(info.digest) if info.digest in promoted else 0
        return info.kind == "sentences", late, _age(info)

    for info in sorted((info for info in found if means[info.name] == info.digest), key=rank):
        best[info.language] = info
    return tuple(replace(info, default=best.get(info.language) is info) for info in found)
