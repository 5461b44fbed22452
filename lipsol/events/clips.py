"""A clip on its way to be read: received, watched, refused, taken back."""

from dataclasses import dataclass

from lipsol.events.base import Event, Track
from lipsol.topics import CANARY_MOUTHS, CLIPS, DELETIONS, REFUSALS, STABLE_MOUTHS


@dataclass(frozen=True)
class ClipReceived(Event):
    """A video lies in an object store and waits to be watched: how batches come in.

    clip_id      the clip's name, chosen by who submits it: the same for the same clip of the same batch
    session      name of the stream that the clip was cut from; "": a clip of its own
    batch        name of the batch it belongs to; "": none
    name         what the person who sent it calls it (a path, say), for reports
    source       where it lies: `s3://bucket/key`, or a key of the platform's own store
    digest       sha256 of its bytes, hex; "": not known beforehand
    size_bytes   how many bytes it has; 0: not known beforehand
    model, grammar, language  as in `MouthReady`
    received_at  when it was submitted, Unix seconds
    deadline_at  after this nobody waits any more, Unix seconds; 0.0: no such time
    """

    clip_id: str
    session: str
    batch: str
    name: str
    source: str
    digest: str
    size_bytes: int
    model: str
    grammar: str
    language: str
    received_at: float
    deadline_at: float

    @property
    def topic(self) -> str:
        return CLIPS.name

    @property
    def key(self) -> str:
        return self.session or self.clip_id


@dataclass(frozen=True)
class Claim:
    """Bytes that travel with an event, or a claim check for them (`lipsol.store.claims` makes and cashes them).

    inline      the bytes themselves, where they are few; then `ref` is ""
    ref         store key of the bytes, where they are many; then `inline` is empty
    digest      sha256 of the bytes, hex
    size_bytes  how many they are
    expires_at  until when the store keeps them, Unix seconds; later than any event that refers to them; 0.0 inline
    """

    inline: bytes
    ref: str
    digest: str
    size_bytes: int
    expires_at: float


@dataclass(frozen=True)
class MouthReady(Event):
    """A mouth was found and waits to be read.

    clip_id       the clip's name, chosen by the edge
    session       name of the stream that the clip was cut from; "": a clip of its own
    track         which deployment shall read it; the edge alone decides
    shadow        True: a copy, read for comparison alone; its reading never reaches a user
    model         name or digest of the bundle that the client wants; "": the default
    bundle        digest of the bundle that the traffic policy wants where the client names none; "": the default.
                  Stable, when it drains an aborted canary's topic, passes it over
    grammar       "": the bundle's own; "none": free reading; else a packaged name or an inline document, which may
                  hold hotwords and make its phrases a board (`lipsol.text.wording`)
    language      what is spoken, as BCP 47 ("en", "ur")
    mouth         the `MouthClip`'s bytes, or the claim check for them
    faces         people seen in the picture
    quality       what the picture was like, by measure (units in `lipsol.clips.quality`); finite numbers
    timings_ms    how long each stage before this took, ms
    received_at   when the edge had the whole clip, Unix seconds
    deadline_at   after this nobody waits any more and the work is dropped, Unix seconds; 0.0: no such time
    codec         how the picture was coded, as the decoder names it ("h264"); "": not known
    redo          the same session had sent another clip of its own within the minute before: a person tries again
    """

    clip_id: str
    session: str
    track: Track
    shadow: bool
    model: str
    bundle: str
    grammar: str
    language: str
    mouth: Claim
    faces: int
    quality: dict[str, float]
    timings_ms: dict[str, float]
    received_at: float
    deadline_at: float
    codec: str = ""
    redo: bool = False

    @property
    def topic(self) -> str:
        return (STABLE_MOUTHS if self.track == "stable" else CANARY_MOUTHS).name

    @property
    def key(self) -> str:
        return self.session or self.clip_id


@dataclass(frozen=True)
class ClipRefused(Event):
    """The edge could not take a clip: no face, too dark, no video at all.

    clip_id     the clip
    batch       name of the batch it belongs to; "": none
    reason      what was wrong, in a person's words
    cure        what the person can do about it
    refused_at  Unix seconds
    """

    clip_id: str
    batch: str
    reason: str
    cure: str
    refused_at: float

    @property
    def topic(self) -> str:
        return REFUSALS.name

    @property
    def key(self) -> str:
        return self.clip_id


@dataclass(frozen=True)
class ClipDeleted(Event):
    """A person took the clip `clip_id` back: forget all that belongs to it, and what may still come."""

    clip_id: str

    @property
    def topic(self) -> str:
        return DELETIONS.name

    @property
    def key(self) -> str:
        return self.clip_id
