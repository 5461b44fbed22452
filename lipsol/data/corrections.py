"""A correction: what somebody says was said in a clip, and lets us learn from. Where it is kept, it is this JSON."""

import hashlib
import re
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from lipsol.errors import BadInput

_CONTRIBUTOR = re.compile(r"c[0-9a-f]{16}")


@dataclass(frozen=True)
class Correction:
    """The right words of one clip, under a consent.

    clip_id       the clip; feedback_id: this saying of its words, the same for the same words
    text          the words, as their language spells them; language: as BCP 47
    contributor   who is filmed, as far as that is known (`contributor_of`): a speaker in data sets
    model         the bundle that had read the clip, sha256 hex; reading: what it had read
    wording       which wording of the consent was agreed to; consented_at: when, Unix seconds
    mouth         sha256 of the mouth clip's bytes, hex: the same clip sent twice has the same
    """

    clip_id: str
    feedback_id: str
    text: str
    language: str
    contributor: str
    model: str
    reading: str
    wording: str
    consented_at: float
    mouth: str

    @property
    def nameless(self) -> bool:
        """Whether it came without a session, so that its contributor may be anybody's."""
        return self.contributor == contributor_of("", self.clip_id)

    def to_json(self) -> bytes:
        """Undo with `from_json`."""
        return TypeAdapter(Correction).dump_json(self)

    @classmethod
    def from_json(cls, data: bytes) -> "Correction":
        """Undo `to_json`. Raises BadInput."""
        try:
            return TypeAdapter(cls).validate_json(data)
        except ValidationError as fault:
            raise BadInput(f"{len(data)} bytes that are no correction ({fault.error_count()} faults)") from fault


def contributor_of(session: str, clip_id: str) -> str:
    """A name for who is filmed that tells nothing of them: from the session, else from the clip alone.

    The clips of one session have one contributor; who names no sessions, or a new one each time, is somebody new each
    time. So a contributor is nobody whom a later visit would know again.
    """
    return "c" + hashlib.sha256(f"contributor\n{session or clip_id}".encode()).hexdigest()[:16]


def is_contributor(speaker: str) -> bool:
    """Whether a speaker of a data set is one whom corrections brought."""
    return _CONTRIBUTOR.fullmatch(speaker) is not None
