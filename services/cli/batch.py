"""`lipsol batch`: thousands of clips at once, sent so that an interruption costs nothing, and a report of them all."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

from lipsol.bus.port import Bus
from lipsol.errors import BadInput
from lipsol.registry.port import Registry
from lipsol.runtime.cpus import available_cpus
from lipsol.runtime.wiring import open_bus, open_objects, open_store
from lipsol.store.objects import Objects
from lipsol.store.port import Store
from services.cli import BAD_INPUT, tell
from services.cli.environment import quiet
from services.cli.following import Follower
from services.cli.hush import greet_unheard
from services.cli.ledger import Head, Ledger, checked_name
from services.cli.outcomes import Summary, check_report, report_to, summed_up
from services.cli.progress import bar
from services.cli.sending import Sender, clips_of, name_of
from services.cli.sources import Spoken
from services.cli.wordings import Wish
from services.embedded import Embedded, EmbeddedSettings
from services.preprocess.asking import Asked
from services.preprocess.keeping import Keeper


@dataclass(frozen=True)
class SubmitOptions:
    """What was asked for on the command line, as it stood there."""

    where: str
    name: str = ""
    model: str = ""
    wish: Wish = field(default_factory=Wish)
    language: str = ""
    wait: bool = True
    report: Path | None = None
    as_json: bool = False


@dataclass(frozen=True)
class Place:
    """Where a batch is read.

    durable  whether what was sent is still read when this process has ended
    registry the models there; None: they are not known here
    keeper   the edge's results
    """

    bus: Bus
    store: Store
    objects: Objects
    keeper: Keeper
    language: str
    durable: bool
    registry: Registry | None = None


@contextmanager
def open_place() -> Iterator[Place]:
    """The platform that the environment leads to: on the memory bus one of our own, that ends with this command."""
    settings = quiet(EmbeddedSettings)
    own = settings.preprocess
    if settings.bus.private:
        greet_unheard()
        alone = own.model_copy(update={"fetches": own.fetches or own.workers or available_cpus()})
        with Embedded(settings.model_copy(update={"preprocess": alone})) as platform:
            objects = open_objects(settings, platform.store)
            keeper = platform.edge.handler.keeper
            yield Place(platform.bus, platform.store, objects, keeper, own.language, False, platform.registry)
        return
    store, bus = open_store(settings), open_bus(settings)
    try:
        yield Place(bus, store, open_objects(settings, store), Keeper(store, own.retention_s), own.language, True)
    finally:
        bus.close()
        store.close()


@contextmanager
def open_results() -> Iterator[tuple[Store, Keeper]]:
    """The store that the platform keeps its results in."""
    settings = quiet(EmbeddedSettings)
    store = open_store(settings)
    try:
        yield store, Keeper(store, settings.preprocess.retention_s)
    finally:
        store.close()


def run_submit(options: SubmitOptions, place: Callable[[], AbstractContextManager[Place]] = open_place) -> int:
    """Send what is not on its way yet; wait and report, if asked for. Exit codes as `lipsol read`."""
    check_report(options.report)
    name = checked_name(options.name or name_of(options.where))
    grammar = options.wish.spec(options.language)
    with place() as running:
        if not options.wait and not running.durable:
            raise BadInput("--no-wait on a bus that ends with this command", "wait, or set LIPSOL_BUS__KIND=kafka")
        clips = clips_of(options.where, running.objects)
        _check_wishes(running, options, grammar, clips)
        ledger = Ledger(running.store, name)
        head = Head(name, options.model, grammar, options.language)
        ledger.open(head)
        told = _sent(Sender(head, ledger, running.bus, running.store, running.keeper, running.durable, Flag()), clips)
        if options.wait:
            return _finished(ledger, running.keeper, options.report, wait=True, as_json=options.as_json)
    print(json.dumps({"batch": name, **told}) if options.as_json else _told(name, told))
    return BAD_INPUT if told["refused"] else 0


def run_status(
    name: str,
    *,
    wait: bool,
    report: Path | None,
    as_json: bool,
    results: Callable[[], AbstractContextManager[tuple[Store, Keeper]]] = open_results,
) -> int:
    """Say how a batch stands; wait for its end and report, if asked for. Exit codes as there, once it is done."""
    check_report(report)
    with results() as (store, keeper):
        ledger = Ledger(store, name)
        ledger.head()
        return _finished(ledger, keeper, report, wait=wait, as_json=as_json)


def _check_wishes(place: Place, options: SubmitOptions, grammar: str, clips: list[Spoken]) -> None:
    """Refuse before anything is sent what can't be had here. Where it is not known what can, the edge refuses."""
    if place.registry is not None:
        for language in dict.fromkeys(each.language or options.language for each in clips):
            Asked(options.model, grammar, language).checked(place.registry, place.language)


def _sent(sender: Sender, clips: list[Spoken]) -> dict[str, int]:
    """Send the clips; how many were sent, known already, and refused."""
    told = {"sent": 0, "known": 0, "refused": 0}
    with bar(len(clips), "sending") as step:
        for spoken, what, fault in sender.send_all(clips):
            told[what] += 1
            step()
            if fault is not None:
                tell(fault, spoken.name)
    return told


def _finished(ledger: Ledger, keeper: Keeper, report: Path | None, *, wait: bool, as_json: bool) -> int:
    """Wait, if asked to, then sum the batch up."""
    follower = Follower(ledger, keeper)
    if wait:
        with bar(len(ledger.ids()), "reading") as step:
            follower.wait(step)
    with report_to(report) as keep:
        summary = summed_up(ledger.batch, follower.standings(), time.time(), keep)
    _tell_failures(summary)
    print(json.dumps(summary.document(), ensure_ascii=False, indent=2) if as_json else summary.text())
    return 0 if summary.counts.open else summary.counts.exit_code()


def _tell_failures(summary: Summary) -> None:
    for path, why in summary.failures:
        tell(BadInput(why), path)
    more = summary.counts.states["failed"] - len(summary.failures)
    if more:
        tell(BadInput(f"{more} more clips failed", "--report FILE tells of each"))


def _told(name: str, told: dict[str, int]) -> str:
    counts = f"{told['sent']} clips sent, {told['known']} on their way already, {told['refused']} refused"
    return f"batch {name}: {counts}; `lipsol batch status {name}` says how it goes"
