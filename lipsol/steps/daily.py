"""Is there a reason to train today: new data, enough new corrections, or somebody who asked for it?

What the last run saw is kept in the store, beside the corrections that it counts, so that the two can't part. A run
that fails leaves it as it was: its reasons stand tomorrow. Who asks is the monitor about drift, by its degree of
automation, or a person: an `ActionTaken` of kind "retrain" that is done. It is heard on the bus in the group
`pipelines`, and committed only after the run that it caused; so none is lost, and at worst one causes two runs.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lipsol.bus.port import Bus, Message
from lipsol.data.corrections import Correction
from lipsol.data.dataset import FACTS, open_dataset
from lipsol.errors import BadInput, NotFound
from lipsol.events import ActionTaken, from_bytes
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_bus, open_store
from lipsol.steps.saying import say
from lipsol.steps.work import kept
from lipsol.store.corrections import Corrections
from lipsol.store.port import Store
from lipsol.topics import ACTIONS

GROUP = "pipelines"
LAST, LOOKED = "pipelines/last", "pipelines/looked"  # keys in the store
TRAIN, NOTHING = "train", "nothing"
POLL_S, POLLED = 5.0, 256  # how long a queue is listened to until it is taken to be empty, and events at once


@dataclass(frozen=True)
class Seen:
    """What there was when somebody looked.

    data_version  of the data set; corrections: names of those that are kept (`feedback_id`)
    asked         partition and offset of each request to train that no run has answered
    """

    data_version: str
    corrections: frozenset[str]
    asked: tuple[tuple[int, int], ...] = ()

    def to_json(self) -> bytes:
        """As it is kept."""
        told = {"data_version": self.data_version, "corrections": sorted(self.corrections), "asked": self.asked}
        return json.dumps(told).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Seen":
        """Undo `to_json`. Raises BadInput."""
        try:
            told = json.loads(data)
            asked = tuple((int(partition), int(offset)) for partition, offset in told.get("asked", ()))
            return cls(str(told["data_version"]), frozenset(map(str, told["corrections"])), asked)
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise BadInput(f"the store's {LAST} makes no sense ({fault})", "delete it: the next run trains") from fault


def look(data_version: str, corrections: int) -> str:
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
        return looked(store, bus, data_version, corrections)
    finally:
        store.close()
        if bus is not None:
            bus.close()


def looked(store: Store, bus: Bus | None, data_version: str, corrections: int, patience_s: float = POLL_S) -> str:
    """What `look` does, with the store and the bus given; None: no bus that others are on."""
    kept_now = frozenset(each.feedback_id for each in Corrections(store).all())
    heard = [] if bus is None else _waiting(bus, patience_s)
    now = Seen(data_version, kept_now, tuple((message.partition, message.offset) for message in heard))
    store.put(LOOKED, now.to_json())
    why = _reasons(_last(store), now, corrections) + [_told(message) for message in heard]
    new = len(kept_now - (_last(store) or Seen("", frozenset())).corrections)
    for reason in why:
        say(reason)
    if not why:
        say(f"nothing new since the last run: the same data, {new} new corrections of {corrections}, no request")
    return TRAIN if why else NOTHING


def gather(data: str, data_version: str, work: str) -> str:
    """The data set with what corrections teach, as a folder of the work folder; without any, `data` itself."""
    from lipsol.data.feedback import collect

    store = open_store(load(Settings))
    try:
        held = Corrections(store)
        language = open_dataset(Path(data)).language
        said = sorted((each for each in held.all() if each.language == language), key=_name)
        if not said:
            say("no corrections: the data as it is")
            return data
        taken_back = held.withdrawn()
        out = kept(work, "gathered", data_version, [each.feedback_id for each in said], sorted(taken_back))
        if not (out / FACTS).exists():
            say(collect(said, held.mouth, Path(data), out, withdrawn=taken_back, language=language).to_json())
        return str(out)
    finally:
        store.close()


def remember() -> None:
    """The run that `look` caused went through: what it saw is the past from now on, who asked is answered."""
    settings = load(Settings)
    store = open_store(settings)
    bus = None if settings.bus.private else open_bus(settings)
    try:
        remembered(store, bus)
    finally:
        store.close()
        if bus is not None:
            bus.close()


def remembered(store: Store, bus: Bus | None, patience_s: float = POLL_S) -> None:
    """What `remember` does, with the store and the bus given."""
    saw = Seen.from_json(store.get(LOOKED))
    if bus is not None and saw.asked:
        _answer(bus, saw.asked, patience_s)
    store.put(LAST, replace(saw, asked=()).to_json())
    counted = f"{len(saw.corrections)} corrections, {len(saw.asked)} requests answered"
    say(f"remembered: data {saw.data_version[:12]}, {counted}")


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


def _last(store: Store) -> Seen | None:
    try:
        return Seen.from_json(store.get(LAST))
    except NotFound:
        return None


def _waiting(bus: Bus, patience_s: float) -> list[Message]:
    """The requests that nobody has answered; they wait on, since nothing is committed."""
    consumer = bus.consumer([ACTIONS.name], GROUP)
    heard: list[Message] = []
    try:
        while more := consumer.poll(POLLED, patience_s):
            heard += [each for each in more if _told(each)]
    finally:
        consumer.close()
    return heard


def _answer(bus: Bus, asked: Sequence[tuple[int, int]], patience_s: float) -> None:
    """Commit what was seen, and nothing that came later."""
    last = {partition: max(offset for held, offset in asked if held == partition) for partition, _ in asked}
    consumer = bus.consumer([ACTIONS.name], GROUP)
    try:
        while more := consumer.poll(POLLED, patience_s):
            consumer.commit([each for each in more if each.offset <= last.get(each.partition, -1)])
    finally:
        consumer.close()


def _told(message: Message) -> str:
    """A request to train in a line, "" for another action; what can't be read is a reason too."""
    try:
        event = from_bytes(message.topic, message.value)
    except BadInput as fault:
        return f"an action that can't be read ({fault.detail})"
    if not isinstance(event, ActionTaken):
        return f"something else than an action on {message.topic}"
    if event.kind != "retrain" or not event.done:
        return ""
    return f"{event.by} asked for it, for {event.track} {event.model_digest[:12]}: {event.reason}"


def _name(correction: Correction) -> str:
    return correction.feedback_id
