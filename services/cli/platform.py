"""Where the command line meets the platform: many clips in, an outcome for each, in the order they were named."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lipsol.errors import Busy, LipsolError, NotFound, Transient
from lipsol.registry.port import Registry
from lipsol.runtime.cpus import available_cpus
from lipsol.text.grammar import Grammar
from services.cli.environment import quiet
from services.cli.hush import greet_unheard
from services.cli.progress import Watching
from services.cli.sources import clip_bytes
from services.embedded import Embedded, EmbeddedSettings
from services.preprocess.asking import Asked as Wish
from services.preprocess.results import Result

FREE = "none"  # the grammar's name that asks for a free reading
TRIES = 3  # of one clip, where something fails for the moment
WAITING = 4  # clips beyond those in a CPU's hands: mouths that are read together cost less each


class Platform(Protocol):
    """What the verbs need of `services.embedded.Embedded`."""

    @property
    def registry(self) -> Registry:
        """The models that are here."""
        ...

    @property
    def settings(self) -> EmbeddedSettings:
        """What it was started with."""
        ...

    def read(self, data: bytes, *, model: str = "", grammar: str = "", language: str = "") -> Result:
        """One reading. Raises BadInput for a clip that can't be read, and other LipsolErrors."""
        ...


@dataclass(frozen=True)
class Asked:
    """One clip and how to read it: model, grammar (name, JSON, "none") and language, "" for the default of each."""

    path: Path
    model: str = ""
    grammar: str = ""
    language: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of one clip: its result, or the fault that kept it from being read; never both."""

    path: Path
    result: Result | None
    fault: LipsolError | None = None


def open_platform() -> AbstractContextManager[Platform]:
    """The embedded platform with the settings of the environment, leaving nothing behind and opening no port."""
    settings = quiet(EmbeddedSettings)
    greet_unheard()
    return Embedded(settings, watched=Watching().show)


def width() -> int:
    """Clips in work at once: as many as are watched together, and a batch of mouths that waits to be read."""
    return available_cpus() + WAITING


def read_all(platform: Platform, asked: Iterable[Asked], at_once: int) -> Iterator[Outcome]:
    """Read clips, up to `at_once` together; outcomes in the order asked, each as soon as its turn is over."""
    waiting: deque[Future[Outcome]] = deque()
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="clip")
    try:
        for each in asked:
            waiting.append(pool.submit(read_one, platform, each))
            if len(waiting) > at_once:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def read_one(platform: Platform, asked: Asked) -> Outcome:
    """Read one clip. A fault of the clip or the platform is an outcome too: the other clips are read all the same.

    What fails for the moment alone is tried again, TRIES times in all.
    """
    for left in reversed(range(TRIES)):
        try:
            return Outcome(asked.path, _result(platform, asked))
        except Transient as fault:
            if not left:
                return Outcome(asked.path, None, fault)
            time.sleep(fault.retry_after_s if isinstance(fault, Busy) else 0)
        except LipsolError as fault:
            return Outcome(asked.path, None, fault)
    raise AssertionError("the last try returns")


def _result(platform: Platform, asked: Asked) -> Result:
    """The clip's result, or its fault raised."""
    result = platform.read(clip_bytes(asked.path), model=asked.model, grammar=asked.grammar, language=asked.language)
    fault = result.fault()
    if fault is not None:
        raise fault
    return result


def check(platform: Platform, asked: Iterable[Asked]) -> None:
    """Refuse once, before any clip is read, what can't be had for any of them.

    Raises NotFound or BadInput, naming what is there: an unknown model or language, a grammar of another language.
    """
    language = platform.settings.preprocess.language
    for model, grammar, spoken in dict.fromkeys((each.model, each.grammar, each.language) for each in asked):
        Wish(model, grammar, spoken).checked(platform.registry, language)


def grammar_asked(spec: str) -> str:
    """What `--grammar SPEC` means to the platform: "" and "none" as they are, a packaged name, or a file's as JSON.

    A packaged name wins over a file of that name (write ./NAME for the file). Raises NotFound if it is neither, and
    BadInput if the file holds no grammar.
    """
    if spec in {"", FREE}:
        return spec
    try:
        Grammar.named(spec)
    except NotFound as unknown:
        if not Path(spec).is_file():
            cure = f"{unknown.cure}, a file of slots or phrases, or {FREE}".lstrip(", ")
            raise NotFound(f"no grammar and no file is called {spec!r}", cure) from unknown
        return Grammar.from_file(Path(spec)).to_json()
    return spec
