"""Is there a reason to train today: new data, enough new corrections, or somebody who asked for it?

What the last run saw is kept in the store, for each data set by itself, beside the corrections that it counts, so that
the two can't part. A run that fails leaves it as it was: its reasons stand tomorrow. Corrections and requests count for
data of their language. Who asks is the monitor about drift, by its degree of automation, or a person: an `ActionTaken`
of kind "retrain" that is done. It is heard on the bus in the group `pipelines`, which commits nothing, since each data
set answers for itself: which ones it answered is what it remembers, so none is lost and none is answered twice. A
training that the gate stopped is an answer too: the same data would be stopped again tomorrow.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from lipsol.bus.port import Bus, Message
from lipsol.data.corrections import Correction
from lipsol.data.dataset import FACTS, open_dataset
from lipsol.errors import BadInput, NotFound
from lipsol.events import ActionTaken, from_bytes
from lipsol.runtime.cpus import available_cpus
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_bus, open_store
from lipsol.steps.saying import say
from lipsol.steps.work import kept, mouths
from lipsol.store.corrections import Corrections
from lipsol.store.port import Store
from lipsol.topics import ACTIONS

GROUP = "pipelines"
LAST, LOOKED = "last", "looked"  # under `Asking.key`
TRAIN, NOTHING = "train", "nothing"
POLL_S, POLLED = 5.0, 256  # how long a queue is listened to until it is taken to be empty, and events at once


@dataclass(frozen=True)
class Asking:
    """The data set that is asked about, by its name and language."""

    name: str
    language: str

    @classmethod
    def of(cls, data: str) -> "Asking":
        """The one in that folder. Raises BadInput if it can't be read."""
        dataset = open_dataset(Path(data))
        return cls(dataset.name, dataset.language)

    def key(self, what: str) -> str:
        """Where the store keeps it."""
        return f"pipelines/{self.name}.{self.language}/{what}"


@dataclass(frozen=True)
class Seen:
    """What there was when somebody looked.

    data_version  of the data set; corrections: names of those that are kept (`feedback_id`)
    asked         names of the requests to train that are still on the bus
    """

    data_version: str
    corrections: frozenset[str]
    asked: frozenset[str] = frozenset()

    def to_json(self) -> bytes:
        """As it is kept."""
        told = {"data_version": self.data_version, "corrections": sorted(self.corrections), "asked": sorted(self.asked)}
        return json.dumps(told).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Seen":
        """Undo `to_json`. Raises BadInput."""
        try:
            told = json.loads(data)
            return cls(
                str(told["data_version"]), *(frozenset(map(str, told[what])) for what in ("corrections", "asked"))
            )
        except (ValueError, KeyError, TypeError) as fault:
            raise BadInput(
                f"what `daily` remembered makes no sense ({fault})", "delete it: the next run trains"
            ) from fault


def look(data: str, data_version: str, corrections: int) -> str:
    """ "train" if there is a reason to, else "nothing"; says every reason. corrections: new ones that are one."""
    settings = load(Settings)
    if settings.store.private:
        raise BadInput(
            "daily remembers in the store, and this one ends with the process",
            "set LIPSOL_STORE__FOLDER, or LIPSOL_STORE__KIND=s3",
        )
    store = open_store(settings)
    bus = None if settings.bus.private else open_bus(settings)
    if bus is None:
        say("nobody can be heard to ask for it: LIPSOL_BUS__KIND=memory ends at this process")
    try:
        return looked(store, bus, Asking.of(data), data_version, corrections)
    finally:
        store.close()
        if bus is not None:
            bus.close()


def looked(
    store: Store, bus: Bus | None, asking: Asking, data_version: str, corrections: int, patience_s: float = POLL_S
) -> str:
    """What `look` does, with the store and the bus given; None: no bus that others are on."""
    kept_now = frozenset(each.feedback_id for each in Corrections(store).all() if each.language == asking.language)
    heard = {} if bus is None else _requests(bus, asking.language, patience_s)
    now = Seen(data_version, kept_now, frozenset(heard))
    store.put(asking.key(LOOKED), now.to_json())
    last = _last(store, asking)
    before = last or Seen("", frozenset())
    why = _reasons(last, now, corrections) + [said for name, said in heard.items() if name not in before.asked]
    for reason in why:
        say(reason)
    if not why:
        new = len(kept_now - before.corrections)
        say(f"nothing new since the last run: the same data, {new} new corrections of {corrections}, no request")
    return TRAIN if why else NOTHING


def gather(data: str, data_version: str, work: str) -> str:
    """The data set with what corrections teach, as a folder of the work folder; without any, `data` itself.

    The folder points to the data set's own clips, and holds the corrections'. Those of earlier runs go: people's mouths
    are kept for a time alone.
    """
    store = open_store(load(Settings))
    try:
        return gathered(Corrections(store), data, data_version, work)
    finally:
        store.close()


def gathered(held: Corrections, data: str, data_version: str, work: str) -> str:
    """What `gather` does, with the corrections given."""
    from lipsol.data.feedback import collect

    dataset = open_dataset(Path(data))
    said = sorted((each for each in held.all() if each.language == dataset.language), key=_name)
    taken_back = held.withdrawn()
    what = f"gathered/{dataset.name}"
    out = kept(work, what, data, data_version, [each.feedback_id for each in said], sorted(taken_back))
    for folder in (Path(work) / what).glob("*"):
        if folder != out or not (folder / FACTS).exists():
            shutil.rmtree(folder)
    if not said:
        say("no corrections: the data as it is")
        return data
    if not (out / FACTS).exists():
        summary = collect(
            said, held.mouth, Path(data), out, mouths(work), withdrawn=taken_back, language=dataset.language,
            workers=available_cpus(), copy=False,
        )  # fmt: skip
        say(summary.to_json())
    return str(out)


def remember(data: str, sentences: str, words: str) -> None:
    """The run that `look` caused went through: what it saw is the past from now on, who asked is answered.

    sentences, words: the gate's "pass" or "stop", which are told; a stop is an answer as well.
    """
    store = open_store(load(Settings))
    try:
        remembered(store, Asking.of(data))
    finally:
        store.close()
    say(f"the gate's answer: sentences {sentences}, words {words}")


def remembered(store: Store, asking: Asking) -> None:
    """What `remember` does, with the store given."""
    saw = Seen.from_json(store.get(asking.key(LOOKED)))
    before = _last(store, asking) or Seen("", frozenset())
    store.put(asking.key(LAST), saw.to_json())
    counted = f"{len(saw.corrections)} corrections, {len(saw.asked - before.asked)} requests answered"
    say(f"remembered of {asking.name} ({asking.language}): data {saw.data_version[:12]}, {counted}")


def _reasons(last: Seen | None, now: Seen, corrections: int) -> list[str]:
    """Why to train, whoever asked aside."""
    if last is None:
        return ["no run has gone through yet"]
    why = []
    if now.data_version != last.data_version:
        why.append(f"new data: {now.data_version[:12]}, and {last.data_version[:12]} last time")
    if len(now.corrections - last.corrections) >= corrections:
        why.append(f"{len(now.corrections - last.corrections)} new corrections, {corrections} are enough")
    return why


def _last(store: Store, asking: Asking) -> Seen | None:
    try:
        return Seen.from_json(store.get(asking.key(LAST)))
    except NotFound:
        return None


def _requests(bus: Bus, language: str, patience_s: float) -> dict[str, str]:
    """The requests for a language that the bus still has, answered or not: what each says, by name."""
    consumer = bus.consumer([ACTIONS.name], GROUP)
    heard: dict[str, str] = {}
    try:
        while more := consumer.poll(POLLED, patience_s):
            heard |= {name: said for name, said in (_told(each, language) for each in more) if said}
    finally:
        consumer.close()
    return heard


def _told(message: Message, language: str) -> tuple[str, str]:
    """A request's name and the line that tells it, "" for another action; what can't be read is a reason too."""
    unread = hashlib.sha256(message.value).hexdigest()
    try:
        event = from_bytes(message.topic, message.value)
    except BadInput as fault:
        return unread, f"an action that can't be read ({fault.detail})"
    if not isinstance(event, ActionTaken):
        return unread, f"something else than an action on {message.topic}"
    if event.kind != "retrain" or not event.done or event.language not in ("", language):
        return event.action_id, ""
    said = f"{event.by} asked for it, for {event.track} {event.model_digest[:12]}: {event.reason}"
    return event.action_id, said


def _name(correction: Correction) -> str:
    return correction.feedback_id
