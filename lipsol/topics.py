"""The catalogue of topics: the one place that says which streams of events there are, and what each promises.

From it topics are made, and from it the table in docs/serving.md and the manifests in k8s/ are written
(`lipsol topics`). A change that readers can't take is a new topic with the next version in its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True)
class Topic:
    """One stream of events.

    key          what the key names: events with equal keys stay in order
    partitions   how many consumers of one group can share the work
    retention_s  seconds that a message is kept at most, read or not; of a compacted topic: how long each key's older
                 values may live on
    writers      services that publish here
    readers      services that consume from here
    compacted    whether each key's newest value is kept for ever, as a state that a newcomer reads
    """

    name: str
    key: str
    partitions: int
    retention_s: float
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    compacted: bool = False


_SESSION = "session, or clip where there is none"

CLIPS = Topic("lipsol.clips.v1", _SESSION, 12, DAY_S, ("cli",), ("preprocess",))
STABLE_MOUTHS = Topic("lipsol.mouths.stable.v1", _SESSION, 12, DAY_S, ("preprocess",), ("inference",))
CANARY_MOUTHS = Topic("lipsol.mouths.canary.v1", _SESSION, 12, DAY_S, ("preprocess",), ("inference",))
PREDICTIONS = Topic(
    "lipsol.predictions.v1", "clip", 12, 7 * DAY_S, ("inference",), ("preprocess", "monitor", "analyst")
)
REFUSALS = Topic("lipsol.refusals.v1", "clip", 3, 7 * DAY_S, ("preprocess",), ("monitor",))
FEEDBACK = Topic("lipsol.feedback.v1", "clip", 3, 30 * DAY_S, ("preprocess",), ("monitor", "analyst"))
DELETIONS = Topic("lipsol.deletions.v1", "clip", 3, 30 * DAY_S, ("preprocess",), ("preprocess", "monitor"))
DRIFT = Topic("lipsol.drift.v1", "model", 1, 30 * DAY_S, ("monitor",), ("monitor",))
ACTIONS = Topic("lipsol.actions.v1", "model", 1, 90 * DAY_S, ("monitor", "cli"), ("pipelines", "monitor"))
WATCH = Topic("lipsol.monitor.v1", "part of the state", 1, DAY_S, ("monitor",), ("monitor",), compacted=True)
TRAFFIC = Topic(
    "lipsol.traffic.v1",
    "policy",
    1,
    DAY_S,
    ("cli", "analyst", "monitor"),
    ("preprocess", "inference", "monitor", "analyst"),
    compacted=True,
)
PROMOTIONS = Topic("lipsol.promotions.v1", "language", 1, 90 * DAY_S, ("pipelines", "cli"), ())
ROLLOUTS = Topic("lipsol.rollouts.v1", "release", 1, 90 * DAY_S, ("analyst",), ("cli",))
DEAD_LETTERS = Topic(
    "lipsol.dead-letters.v1",
    "key of what died",
    3,
    30 * DAY_S,
    ("every service",),
    ("preprocess", "monitor", "analyst"),
)

TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        topic.name: topic
        for topic in (
            CLIPS,
            STABLE_MOUTHS,
            CANARY_MOUTHS,
            PREDICTIONS,
            REFUSALS,
            FEEDBACK,
            DELETIONS,
            DRIFT,
            ACTIONS,
            WATCH,
            TRAFFIC,
            PROMOTIONS,
            ROLLOUTS,
            DEAD_LETTERS,
        )
    }
)
"""Every topic, in the order in which a clip passes them."""
