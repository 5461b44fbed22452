"""Which deployment reads a clip. preprocess is the only splitter: nobody behind it decides again."""

import hashlib

from lipsol.events import Track

CANARY_SHARE = 0.0  # share of the clips that the canary reads, 0 to 1; no rollout policy is told of yet


def track_of(name: str, canary_share: float = CANARY_SHARE) -> Track:
    """The track of a session or clip: the same name goes the same way as long as the share stays.

    The name's hash is even over [0, 1), so a larger share keeps all that a smaller one had sent to the canary.
    """
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    return "canary" if place < canary_share else "stable"
