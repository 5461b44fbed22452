"""The traffic is moved while clips go through: exactly by the hash, the same by every door, and nothing is lost.

The split is looked for where it is decided: on the topics of the mouths. A clip that was sent while a new policy was on
its way may go by the old one or by the new one; all others go by the one that ruled.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lipsol.events import MouthReady, PredictionMade
from lipsol.topics import CANARY_MOUTHS, PREDICTIONS, STABLE_MOUTHS
from lipsol.traffic import PLACES, place
from services.operating.operations import Operations
from tests.scenarios import laws
from tests.scenarios.clients import Order, Rest, drive
from tests.scenarios.doors import read_by_batch, read_by_grpc
from tests.scenarios.ledger import Ledger, Sent
from tests.scenarios.outcome import Outcome, Say
from tests.scenarios.platform import CANARY, SERVICES, Asked, Platform

ROOM = {"capacity": 20_000, "history": 20_000, "history_mib": 2048}
ASKED = Asked({"bus": ROOM, "preprocess": {"in_flight": 2000}}, (*SERVICES, CANARY))
CLIENTS = 12
WEIGHTS = (0.0, 10.0, 50.0, 0.0)
STEP = 160  # clips that are sent while each weight rules
FOLLOWED_S = 2.0  # within which a policy, or its end, is followed
LIFE_S = 600.0  # of a policy that nobody is to see end
WAITING, LINES = 500, 10  # clips that wait for the canary when it is aborted, in so many sessions
SHORT_S, BEYOND_S = 4.0, 5.0  # life of the policy that is left to expire, and how long clips are sent beyond it
NAMES = 60  # sessions that are sent by every door
COPIED = 100  # clips that are sent while the canary reads in the shadow
BY = "scenarios"


@dataclass(frozen=True)
class Step:
    """A weight that was asked for at `at`, Unix seconds."""

    at: float
    weight: float


def play(platform: Platform, say: Say) -> list[Outcome]:
    """All that an operator does with the traffic, one after the other."""
    return [part(platform, say) for part in (ramp, abort, expire, doors, shadow)]


def ramp(platform: Platform, say: Say) -> Outcome:
    """The weight goes up and back under traffic."""
    began, ledger, steps = time.time(), Ledger(), list[Step]()
    operations = Operations(platform.bus, platform.store)
    for number, weight in enumerate(WEIGHTS):
        say(f"the canary gets {weight:g} %")
        entries = [ledger.open(Sent(f"ramp-{number}-{n}", f"ramp-{number}-{n}")) for n in range(STEP)]
        moving = threading.Timer(0.3, _move, (operations, weight, steps))
        moving.start()
        send(platform, ledger, [[Order(clip, n)] for n, clip in enumerate(entries)])
        moving.join()
    _move(operations, 0.0, steps)
    tracks = tracks_of(platform, began)
    off = off_the_steps(ledger.clips, steps, tracks)
    ruled = [(clip, weights) for clip in ledger.clips if len(weights := ruling(clip, steps)) == 1]
    wanted = sum(_canary(clip.name, weights[0]) for clip, weights in ruled)
    taken = sum(tracks.get(clip.name) == "canary" for clip, _ in ruled)
    broken = [
        *laws.told("the split is not the hash's", off),
        *laws.told("the split is not the hash's", laws.unequal("canary clips", taken, wanted)),
        *laws.told("split", laws.proven("clips on the canary's topic", taken)),
        *laws.told("split", laws.proven("clips under a settled weight", len(ruled), STEP)),
    ]
    measured = {"clips under a settled weight": len(ruled), "canary by the hash": wanted, "canary taken": taken}
    return outcome("traffic ramp", ledger, began, broken, measured)


def abort(platform: Platform, say: Say) -> Outcome:
    """The canary dies with clips waiting for it, and is aborted: stable reads them."""
    began, ledger = time.time(), Ledger()
    operations = Operations(platform.bus, platform.store)
    platform.kill(CANARY)
    operations.set_traffic("canary", 100.0, LIFE_S, set_by=BY)
    time.sleep(FOLLOWED_S)
    entries = [ledger.open(Sent(f"abort-{n}", f"abort-{n % LINES}", n // LINES)) for n in range(WAITING)]
    streams = [[Order(clip, n) for n, clip in enumerate(entries[line::LINES])] for line in range(LINES)]
    sending = threading.Thread(target=send, args=(platform, ledger, streams))
    sending.start()
    while sending.is_alive() and not all(clip.clip_ids for clip in entries):
        time.sleep(0.05)
    waiting = len(platform_mouths(platform, began, CANARY_MOUTHS.name)) - ledger.answers
    say(f"{waiting} clips wait for the canary: aborting it")
    aborted = time.monotonic()
    operations.abort(set_by=BY)
    sending.join()
    drained_s = time.monotonic() - aborted
    platform.revive(CANARY)
    readings = list(platform.bus.replay([PREDICTIONS.name], began))
    broken = [
        *laws.told("abort", laws.proven("clips waiting for the canary", waiting, WAITING)),
        *laws.told("order by key was not kept", laws.read_out_of_order(ledger.clips, readings)),
    ]
    return outcome("traffic abort", ledger, began, broken, {"waiting": waiting, "drained in s": round(drained_s, 1)})


def expire(platform: Platform, say: Say) -> Outcome:
    """Nobody renews the policy: all goes to stable by itself."""
    began, ledger = time.time(), Ledger()
    platform.await_ready()
    state = Operations(platform.bus, platform.store).set_traffic("canary", 100.0, SHORT_S, set_by=BY)
    say(f"the policy is left to expire in {SHORT_S:g} s")
    number = 0
    while time.time() < state.expires_at + BEYOND_S:
        entries = [ledger.open(Sent(f"expire-{number}-{n}", f"expire-{number}-{n}")) for n in range(CLIENTS)]
        send(platform, ledger, [[Order(clip, n)] for n, clip in enumerate(entries)])
        number += 1
    canary = platform_mouths(platform, began, CANARY_MOUTHS.name)
    stable = platform_mouths(platform, began, STABLE_MOUTHS.name)
    last = max((at for at, _ in canary), default=0.0)
    beyond = [f"{last - state.expires_at:.2f} s after"] if last > state.expires_at + FOLLOWED_S else []
    after = sum(at > state.expires_at for at, _ in stable)
    broken = [
        *laws.told("the canary got clips long after its policy's end", beyond),
        *laws.told("expiry", laws.proven("clips of the canary before the end", len(canary))),
        *laws.told("expiry", laws.proven("clips of stable after the end", after)),
    ]
    measured = {"last canary clip after expiry in s": round(max(0.0, last - state.expires_at), 3)}
    return outcome("traffic expiry", ledger, began, broken, measured)


def doors(platform: Platform, say: Say) -> Outcome:
    """The same sessions by REST, gRPC and batch: each goes the same way by all three."""
    began, ledger = time.time(), Ledger()
    Operations(platform.bus, platform.store).set_traffic("canary", 50.0, LIFE_S, set_by=BY)
    time.sleep(FOLLOWED_S)
    say("the same sessions go by REST, gRPC and batch")

    def orders(door: str) -> list[Order]:
        names = [f"doors-{n}" for n in range(NAMES)]
        return [Order(ledger.open(Sent(f"{door}-{name}", name, door=door)), n) for n, name in enumerate(names)]  # type: ignore[arg-type]

    send(platform, ledger, [[order] for order in orders("rest")])
    read_by_grpc(platform, ledger, orders("grpc"))
    read_by_batch(platform, ledger, orders("batch"))
    ways = {door: sum(c.door == door and bool(c.readings) for c in ledger.clips) for door in ("rest", "grpc", "batch")}
    broken = [
        *laws.told("the doors do not agree", laws.at_odds(ledger.clips)),
        *laws.told("the split is not the hash's", laws.off_the_split(ledger.clips, 50.0)),
        *(law for door, read in ways.items() for law in laws.told("doors", laws.proven(f"{door} clips", read, NAMES))),
    ]
    return outcome("traffic doors", ledger, began, broken, {f"by {door}": read for door, read in ways.items()})


def shadow(platform: Platform, say: Say) -> Outcome:
    """The canary reads copies: no user ever sees what it read."""
    began, ledger = time.time(), Ledger()
    operations = Operations(platform.bus, platform.store)
    operations.set_traffic("shadow", 100.0, LIFE_S, canary_digest=platform.canary, set_by=BY)
    time.sleep(FOLLOWED_S)
    say("the canary reads in the shadow")
    entries = [ledger.open(Sent(f"shadow-{n}", f"shadow-{n}")) for n in range(COPIED)]
    send(platform, ledger, [[Order(clip, n)] for n, clip in enumerate(entries)])
    copies = await_copies(platform, began, COPIED)
    look_again(platform, ledger)
    operations.abort(set_by=BY)
    seen = [
        f"{clip.key} was shown {reading}"
        for clip in entries
        for reading in clip.readings
        if reading.digest == platform.canary or reading.track != "stable"
    ]
    broken = [
        *laws.told("a shadow's answer was seen by a user", seen),
        *laws.told("shadow", laws.proven("copies that the canary read", copies, COPIED)),
    ]
    return outcome("traffic shadow", ledger, began, broken, {"copies read": copies, "seen by users": len(seen)})


def send(platform: Platform, ledger: Ledger, streams: Sequence[Sequence[Order]]) -> None:
    """Have clients send them all, and wait for the readings."""
    stop = threading.Event()
    drive(lambda: Rest(platform.url, ledger, stop), streams, CLIENTS)


def outcome(name: str, ledger: Ledger, began: float, broken: Sequence[str], measured: Mapping[str, object]) -> Outcome:
    """The figures of a part, with the laws that all parts share."""
    lost, doubled = laws.lost(ledger.clips), laws.doubled(ledger.clips)
    shared = [*laws.told("clips were lost", lost), *laws.told("effects were doubled", doubled)]
    seconds = round(time.time() - began, 1)
    counts = (len(ledger.clips), ledger.answers, len(lost), len(doubled))
    return Outcome(name, *counts, seconds, (*shared, *broken), measured)


def look_again(platform: Platform, ledger: Ledger) -> None:
    """Ask once more for every clip that was read."""
    client = Rest(platform.url, ledger, threading.Event())
    for clip in ledger.clips:
        if clip.readings:
            client.look_again(clip)
    client.close()


def platform_mouths(platform: Platform, since: float, topic: str) -> list[tuple[float, str]]:
    """When each mouth was put on a topic since then, and its name; each clip once, no copies."""
    found: dict[str, tuple[float, str]] = {}
    for message, event in laws.events_of(platform.bus.replay([topic], since)):
        if isinstance(event, MouthReady) and not event.shadow:
            found.setdefault(event.clip_id, (message.timestamp, event.session or event.clip_id))
    return list(found.values())


def tracks_of(platform: Platform, since: float) -> dict[str, str]:
    """The track that each name took."""
    ways = {STABLE_MOUTHS.name: "stable", CANARY_MOUTHS.name: "canary"}
    return {name: track for topic, track in ways.items() for _, name in platform_mouths(platform, since, topic)}


def await_copies(platform: Platform, since: float, wanted: int) -> int:
    """How many shadow readings there are, once there are that many, or after a time."""
    until, read = time.monotonic() + 30.0, set[str]()
    while len(read) < wanted and time.monotonic() < until:
        events = (event for _, event in laws.events_of(platform.bus.replay([PREDICTIONS.name], since)))
        read = {event.clip_id for event in events if isinstance(event, PredictionMade) and event.shadow}
        time.sleep(0.5)
    return len(read)


def ruling(clip: Sent, steps: Sequence[Step]) -> list[float]:
    """The weights that a clip may have gone by: those that ruled between its sending and its reading."""
    ends = [after.at + FOLLOWED_S for after in steps[1:]] + [float("inf")]
    weights = [
        step.weight for step, end in zip(steps, ends, strict=True) if step.at <= clip.ended_at and clip.began_at <= end
    ]
    first = [0.0] if not steps or clip.began_at <= steps[0].at + FOLLOWED_S else []
    return list(dict.fromkeys([*first, *weights]))


def off_the_steps(clips: Sequence[Sent], steps: Sequence[Step], tracks: Mapping[str, str]) -> list[str]:
    """Clips that went another way than every weight says that they may have gone by."""
    return [
        found[0]
        for clip in clips
        if all(found := laws.off_the_split([clip], weight, tracks) for weight in ruling(clip, steps))
    ]


def _move(operations: Operations, weight: float, steps: list[Step]) -> None:
    steps.append(Step(time.time(), weight))
    operations.set_traffic("canary", weight, LIFE_S, set_by=BY)


def _canary(name: str, weight: float) -> bool:
    return place(name) < weight / 100 * PLACES
