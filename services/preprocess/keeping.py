"""What the edge keeps of a clip in the store: its mouth, lips and result, all under `clips/{id}/`, for a time; and what
it may teach under `corrections/{id}/`, for longer, if somebody agreed to that.

The video itself is never kept. What was begun and what came of it are two things in the store, and whoever writes the
one never writes the other: so replicas that share a store can't overwrite a reading with its beginning, in whatever
order they come. A clip that was deleted, or whose time is up, was never begun, and without that nothing that arrives
late is stored: so nothing comes back to life.
"""

import hashlib
import io
import threading
from collections.abc import Callable, Sequence

import numpy as np

from lipsol.clips.clip import FPS, MouthClip
from lipsol.data.corrections import contributor_of
from lipsol.errors import BadInput, NotFound
from lipsol.events import Claim
from lipsol.store.claims import INLINE_MAX_BYTES, Claims
from lipsol.store.corrections import RETENTION_S, Corrections
from lipsol.store.port import Store
from lipsol.topics import STABLE_MOUTHS
from services.preprocess.results import Lips, Result

CLIPS = "clips/"  # where all that is kept of clips lies, a folder a clip
KNOWN = frozenset({"begun.json", "result.json"})  # in it: one of them at least, as long as the clip is known
LOCKS = 64  # clips whose results can change at the same time
DIGITS = 4  # of a lip point's place: a tenth of a pixel of a 1000 pixel picture


class _Begun(Result):
    """A clip's beginning, and who is filmed, which no client is told."""

    contributor: str


class Keeper:
    """Mouths and results by clip, each kept for `retention_s` seconds (a mouth at least as long as it may wait to be
    read), and corrections, for `corrections_s`.

    inline_bytes  of a mouth that ride inside the event at most; a bigger one lies in the store
    """

    def __init__(
        self,
        store: Store,
        retention_s: float,
        inline_bytes: int = INLINE_MAX_BYTES,
        corrections_s: float = RETENTION_S,
    ) -> None:
        self._store = store
        self.corrections = Corrections(store, corrections_s)
        self._claims = Claims(store, inline_bytes)
        self._retention_s = retention_s
        self._locks: Sequence[threading.Lock] = [threading.Lock() for _ in range(LOCKS)]

    def keep_mouth(self, clip_id: str, mouth: MouthClip) -> Claim:
        """Keep a mouth, and what is drawn of it, for `retention_s` at least; returns the claim for the mouth.

        What is drawn of one that rides inside the event lies in its own bytes: so it costs no second put.
        """
        data = mouth.to_bytes()
        claim = self._claims.keep(_mouth_key(clip_id, data), data, max(STABLE_MOUTHS.retention_s, self._retention_s))
        self._store.put(_lips_key(clip_id), data if claim.inline else _lips_bytes(mouth), self._retention_s)
        return claim

    def mouth(self, clip_id: str) -> bytes:
        """The mouth clip's bytes, for as long as its result is known. Raises NotFound."""
        key = next((key for key in self._store.list(f"{CLIPS}{clip_id}/") if "/mouth-" in key), _lips_key(clip_id))
        try:
            data = self._store.get(key)
            MouthClip.from_bytes(data)
        except BadInput as gone:  # NotFound, or what is drawn of a mouth that is gone
            raise _unknown(clip_id) from gone
        return data

    def contributor(self, clip_id: str) -> str:
        """Who is filmed, as far as that is known. Raises NotFound."""
        try:
            return _Begun.model_validate_json(self._store.get(_begun_key(clip_id))).contributor
        except NotFound as gone:
            raise _unknown(clip_id) from gone

    def lips(self, clip_id: str) -> Lips:
        """The lips of a clip, frame by frame. Raises NotFound."""
        try:
            return _lips(self._store.get(_lips_key(clip_id)))
        except NotFound as gone:
            raise _unknown(clip_id) from gone

    def begin(self, result: Result, session: str = "") -> None:
        """Keep the first result of a clip; what has come of it stays. session: the stream that it was cut from."""
        contributor = contributor_of(session, result.clip_id)
        self._put(_begun_key(result.clip_id), _Begun(**dict(result), contributor=contributor))

    def result(self, clip_id: str) -> Result:
        """The result of a clip as it stands. Raises NotFound."""
        for key in (_result_key(clip_id), _begun_key(clip_id)):
            try:
                return Result.model_validate_json(self._store.get(key))
            except NotFound:
                continue
        raise _unknown(clip_id)

    def settle(self, clip_id: str, change: Callable[[Result], Result]) -> tuple[Result, bool] | None:
        """Change a clip's result, in one step as far as this process goes; the result now, and whether it changed.

        None, and nothing is kept, if the clip is gone.
        """
        with self._lock(clip_id):
            try:
                before = self.result(clip_id)
            except NotFound:
                return None
            after = change(before)
            if after is before:
                return after, False
            self._put(_result_key(clip_id), after)
            if not self._store.exists(_begun_key(clip_id)):  # deleted by another process meanwhile
                self._store.delete(_result_key(clip_id))
                return None
            return after, True

    def reopen(self, clip_id: str) -> None:
        """Forget that a clip was given up, so that it can be tried again; a reading stays."""
        with self._lock(clip_id):
            try:
                if self.result(clip_id).state == "failed":
                    self._store.delete(_result_key(clip_id))
            except NotFound:
                pass

    def note_window(self, clip_id: str, window_id: str) -> None:
        """Keep that a clip is a window of a recording, so that both are forgotten together."""
        self._store.put(f"{_windows_prefix(clip_id)}{window_id}", b"", self._retention_s)

    def windows(self, clip_id: str) -> list[str]:
        """The windows of a recording that were ever handed on; none for any other clip."""
        return [key.rpartition("/")[2] for key in self._store.list(_windows_prefix(clip_id))]

    def forget(self, clip_id: str) -> int:
        """Remove all that is kept of a clip; returns how many things that were."""
        with self._lock(clip_id):
            return self._store.delete_prefix(f"clips/{clip_id}/")

    def _put(self, key: str, result: Result) -> None:
        self._store.put(key, result.model_dump_json().encode(), self._retention_s)

    def _lock(self, clip_id: str) -> threading.Lock:
        return self._locks[hash(clip_id) % LOCKS]


def _lips_bytes(mouth: MouthClip) -> bytes:
    """What is drawn of a mouth, as arrays: most drawings are never asked for, and JSON is dear to write."""
    out = io.BytesIO()
    np.savez(out, outline=mouth.outline, seen=mouth.seen)
    return out.getvalue()


def _lips(data: bytes) -> Lips:
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        points = kept["outline"].astype(float).round(DIGITS).tolist()
        return Lips(fps=FPS, seen=kept["seen"].tolist(), points=points)


def _mouth_key(clip_id: str, data: bytes) -> str:
    """Named by what it holds: where two replicas watched the same clip, neither's mouth replaces the other's."""
    return f"clips/{clip_id}/mouth-{hashlib.blake2b(data, digest_size=8).hexdigest()}"


def _lips_key(clip_id: str) -> str:
    return f"clips/{clip_id}/lips.npz"


def _windows_prefix(clip_id: str) -> str:
    return f"clips/{clip_id}/windows/"


def _begun_key(clip_id: str) -> str:
    return f"clips/{clip_id}/begun.json"


def _result_key(clip_id: str) -> str:
    return f"clips/{clip_id}/result.json"


def _unknown(clip_id: str) -> NotFound:
    return NotFound(f"no clip {clip_id} is known (any more)", "send the clip again; deleted and old ones are forgotten")
