"""What can't be read must not stop what can: it ends among the dead letters, with the reason; mended, it is read.

Ten messages of different kinds are put on the bus between healthy clips. Then a clip is sent whose model is taken away
before it is read: its client is told that it failed; an operator finds the letter, mends it and replays it; and the
same client finds its reading.
"""

import hashlib
import json
import threading
import time
from dataclasses import dataclass, replace

import numpy as np

from lipsol.events import Claim, FeedbackGiven, MouthReady, to_bytes
from lipsol.topics import STABLE_MOUTHS
from tests.scenarios import laws
from tests.scenarios.clients import Order, Rest, drive
from tests.scenarios.ledger import Ledger, Sent
from tests.scenarios.mouths import StoredWatcher, clip_bytes
from tests.scenarios.outcome import Outcome, Say
from tests.scenarios.platform import MODEL, Asked, Platform

ASKED = Asked({"bus": {"capacity": 20_000, "history": 20_000, "history_mib": 256}})
HEALTHY = 30  # clips that are sent among the poison
SOON_S = 60.0  # within which a letter or a reading has to be there


@dataclass(frozen=True)
class Poison:
    """A message that can't be handled. value: what is put on the bus; says: a word that its reason must hold."""

    kind: str
    value: bytes
    says: str

    @property
    def key(self) -> str:
        """The clip id that it is sent under."""
        return hashlib.sha256(self.kind.encode()).hexdigest()[:32]


def play(platform: Platform, say: Say) -> list[Outcome]:
    """Put the poison on the bus, look for its letters, then lose, mend and replay a real clip."""
    began, ledger = time.monotonic(), Ledger()
    poisons = poisons_of()
    sick = threading.Timer(0.2, lambda: [platform.bus.publish(STABLE_MOUTHS.name, p.key, p.value) for p in poisons])
    sick.start()
    say(f"{len(poisons)} poison messages go between {HEALTHY} healthy clips")
    entries = [ledger.open(Sent(f"healthy-{n}")) for n in range(HEALTHY)]
    stop = threading.Event()
    drive(lambda: Rest(platform.url, ledger, stop), [[Order(clip, n)] for n, clip in enumerate(entries)], 4)
    sick.join()
    letters = await_letters(platform, {poison.key for poison in poisons})
    broken = buried_badly(poisons, letters)
    say("a clip dies for want of its model; it is mended and replayed")
    mended = ledger.open(Sent("mended"))
    broken += lose_mend_replay(platform, ledger, mended)
    lost, doubled = laws.lost(ledger.clips), laws.doubled(ledger.clips)
    broken = [
        *laws.told("clips were lost", lost),
        *laws.told("effects were doubled", doubled),
        *laws.told("poison", broken),
    ]
    measured = {"poison": len(poisons), "letters": len(letters), "mended and read": len(mended.readings)}
    counts = (len(ledger.clips), ledger.answers, len(lost), len(doubled))
    return [Outcome("poison", *counts, round(time.monotonic() - began, 1), tuple(broken), measured)]


def poisons_of() -> list[Poison]:
    """Ten messages on the mouths' topic, no two alike in what is wrong with them."""
    mouth = StoredWatcher().watch(clip_bytes(1, "")).mouth
    good, short = mouth.to_bytes(), mouth.cut(0, 1).to_bytes()
    feedback = FeedbackGiven("f" * 32, "f" * 32, "bin", None, "bin", "0" * 64, 1.0)
    gone = Claim(b"", "clips/gone/mouth-0", "0" * 64, 700_000, time.time() + 3600)
    altered = Claim(good[:-1] + b"\0\1", "", hashlib.sha256(good).hexdigest(), len(good), 0.0)
    noise = np.random.default_rng(1).bytes(500)
    event = ready_of("0" * 32, inline(good))
    made: dict[str, tuple[MouthReady | bytes, str]] = {
        "noise": (noise, ""),
        "empty": (b"", ""),
        "JSON": (b'{"clip_id": "x"}', ""),
        "another event": (to_bytes(feedback), ""),
        "mouth gone": (replace(event, mouth=gone), ""),
        "mouth altered": (replace(event, mouth=altered), ""),
        "no mouth": (replace(event, mouth=inline(b"these bytes are no mouth")), "mouth clip"),
        "too short": (replace(event, mouth=inline(short)), "frame"),
        "unknown model": (replace(event, model="nobody-made-me"), "nobody-made-me"),
        "past its deadline": (replace(event, deadline_at=time.time() - 5.0), ""),
    }
    poisons = []
    for kind, (what, says) in made.items():
        poison = Poison(kind, what if isinstance(what, bytes) else b"", says)
        value = to_bytes(replace(what, clip_id=poison.key)) if isinstance(what, MouthReady) else what
        poisons.append(replace(poison, value=value))
    return poisons


def inline(data: bytes) -> Claim:
    """Bytes that ride inside their event."""
    return Claim(data, "", hashlib.sha256(data).hexdigest(), len(data), 0.0)


def ready_of(clip_id: str, mouth: Claim) -> MouthReady:
    """An event that can be read, but for what is changed in it."""
    return MouthReady(clip_id, "", "stable", False, "", "", "", "en", mouth, 1, {}, {}, time.time(), 0.0)


def await_letters(platform: Platform, keys: set[str]) -> list[dict[str, object]]:
    """The dead letters with these keys, as `lipsol dead-letters list` tells of them, once all are there."""
    until, found = time.monotonic() + SOON_S, list[dict[str, object]]()
    while {letter["key"] for letter in found} != keys and time.monotonic() < until:
        listed = json.loads(platform.lipsol("dead-letters", "list", "--json"))
        found = [letter for letter in listed if letter["key"] in keys]
        time.sleep(0.5)
    return found


def buried_badly(poisons: list[Poison], letters: list[dict[str, object]]) -> list[str]:
    """Poison without a letter, with two, or with one that gives no reason."""
    found = []
    for poison in poisons:
        mine = [letter for letter in letters if letter["key"] == poison.key]
        reasons = [str(letter["reason"]) for letter in mine]
        if len(mine) != 1:
            found.append(f"{poison.kind}: {len(mine)} letters")
        elif not reasons[0] or poison.says not in reasons[0]:
            found.append(f"{poison.kind}: its letter says {reasons[0]!r}")
        elif mine[0]["origin_topic"] != STABLE_MOUTHS.name:
            found.append(f"{poison.kind}: it came from {mine[0]['origin_topic']!r}")
    return found


def lose_mend_replay(platform: Platform, ledger: Ledger, clip: Sent) -> list[str]:
    """Have a clip die, tell its client, mend it as an operator would, and find its reading; what went wrong."""
    stop = threading.Event()
    rest = Rest(platform.url, ledger, stop)
    bundle = platform.models / f"{MODEL}-canary.lipsol"
    clip.began_at = time.time()
    platform.kill("inference")
    rest.post(Order(clip, 2, model=f"{MODEL}-canary"), wait=False, until=time.monotonic() + SOON_S)
    hidden = bundle.rename(bundle.with_suffix(".hidden"))
    platform.revive("inference")
    failed = await_state(rest, clip, "failed")
    letters = await_letters(platform, {clip.clip_ids[-1]})
    hidden.rename(bundle)
    if not failed or len(letters) != 1:
        return [f"the clip was {'failed' if failed else 'not failed'}, with {len(letters)} letters"]
    name = str(letters[0]["id"])
    event = json.loads(platform.lipsol("dead-letters", "show", name, "--event"))
    document = platform.models / "mended.json"
    document.write_text(json.dumps({**event, "model": ""}))
    platform.lipsol("dead-letters", "replay", name, "--with", str(document))
    clip.gave_up = ""
    if await_state(rest, clip, "read"):
        rest.fetch(Order(clip, 2), until=time.monotonic() + SOON_S)
    clip.ended_at = time.time()
    rest.close()
    return []


def await_state(rest: Rest, clip: Sent, state: str) -> bool:
    """Whether the clip comes to a state in time."""
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:
        if rest.state(clip) == state:
            return True
        time.sleep(0.2)
    return False
