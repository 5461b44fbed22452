"""Topics at a Kafka broker: which there are, and making them as the catalogue says.

The timestamps of messages are the broker's own (LogAppendTime): one clock for all who publish. What is older than a
topic's retention goes with its segment, so a message may outlive it by a twenty-fourth.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Lock
from typing import Any

from lipsol.bus.kafka_client import (
    ConfigResource,
    KafkaAdminClient,
    Link,
    RetriableError,
    TopicPartition,
    hush,
    opened,
    told,
)
from lipsol.bus.port import Closed
from lipsol.errors import BadInput, NotFound, Transient
from lipsol.topics import TOPICS, Topic

SEGMENT_MAX_MS = 24 * 3600 * 1000
COMPACTED_SEGMENT_BYTES = 1 << 20  # the least that Kafka allows; small, so that old values are soon cleaned away
ALREADY_THERE, BAD_REPLICATION = 36, 38  # error codes of the protocol
RETRY_S = 0.1
REFUSE_S = 1.0  # after a try that failed, in which others are refused without one of their own


@dataclass(frozen=True)
class Topics:
    """What `create_topics` found and did.

    made       topics that were not there
    there      topics that were there already, as the catalogue wants them
    different  topics that were there but are not as wanted, and in what; they are left alone
    """

    made: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    different: Mapping[str, str] | None = None


class Directory:
    """Which topics the broker has. One connection, made when first needed, shared by all threads."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = Lock()
        self._client: Any = None
        self._refused: tuple[float, Transient] | None = None
        self._known: dict[str, tuple[TopicPartition, ...]] = {}
        self._closed = False

    def check(self, names: Iterable[str]) -> None:
        """Raise NotFound for a topic that is not there; asks the broker once for each name."""
        unknown = [name for name in dict.fromkeys(names) if name not in self._known]
        if unknown:
            self.partitions(unknown)

    def partitions(self, names: Sequence[str]) -> list[TopicPartition]:
        """The partitions of topics. Raises NotFound, and Transient when the broker is away."""
        asked = [self._link.name(name) for name in names]
        if bad := [name for name in names if not _can_be_a_name(name)]:
            raise NotFound(f"no topic {bad[0]!r}", "a topic's name is of letters, digits, '.', '_' and '-'")
        found = {topic["name"]: topic for topic in self._ask(lambda client: client.describe_topics(asked))}
        missing = [name for name, full in zip(names, asked, strict=True) if not _is_there(found.get(full))]
        if missing:
            raise NotFound(f"no topic {missing[0]!r} at {self._link.servers}", "make it: lipsol topics create")
        for name, full in zip(names, asked, strict=True):
            numbers = sorted(partition["partition_index"] for partition in found[full]["partitions"])
            self._known[name] = tuple(TopicPartition(full, number) for number in numbers)
        return [partition for name in dict.fromkeys(names) for partition in self._known[name]]

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """How far a group has come, in the partitions in which it has committed."""
        name = self._link.name(group)
        offsets = self._ask(lambda client: client.list_group_offsets({name: None}))[name]
        return {partition: place.offset for partition, place in offsets.items() if place.offset >= 0}

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._closed = True
            self._drop()

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        with self._lock:
            if self._closed:
                raise Closed("the Kafka bus is closed", "open another")
            if self._refused is not None and time.monotonic() < self._refused[0]:
                raise self._refused[1]
            try:
                return self._keep_asking(question)
            except Transient as fault:
                self._refused = (time.monotonic() + REFUSE_S, fault)
                raise

    def _keep_asking(self, question: Callable[[Any], Any]) -> Any:
        until = time.monotonic() + self._link.connect_s
        with told(self._link):
            while True:
                try:
                    if self._client is None:
                        self._client = opened(KafkaAdminClient, **_admin_options(self._link))
                    return question(self._client)
                except RetriableError:
                    self._drop()
                    if time.monotonic() >= until:
                        raise
                    time.sleep(RETRY_S)

    def _drop(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            client.close()


def create_topics(
    servers: str | Link, prefix: str = "", topics: Iterable[Topic] = tuple(TOPICS.values()), replication: int = 1
) -> Topics:
    """Make the topics that are not there yet; the others are compared and left alone. Twice is harmless.

    servers      "host:port,host:port", or a Link with all that reaching the broker takes (then `prefix` is its own)
    replication  copies of each message; raises BadInput if that is more than there are brokers

    Raises Transient when the broker is away.
    """
    link = servers if isinstance(servers, Link) else Link(servers, prefix)
    wanted = {link.name(topic.name): topic for topic in topics}
    hush()
    with told(link), closing(opened(KafkaAdminClient, **_admin_options(link))) as client:
        replies = client.create_topics(
            {
                name: {"num_partitions": topic.partitions, "replication_factor": replication, "configs": configs(topic)}
                for name, topic in wanted.items()
            },
            raise_errors=False,
        )["topics"]
        made, there = list[str](), list[str]()
        for reply in replies:
            if reply["error_code"] not in (0, ALREADY_THERE):
                raise _refused(link, reply)
            (there if reply["error_code"] == ALREADY_THERE else made).append(reply["name"])
        client.wait_for_topics(list(wanted), timeout_ms=int(link.connect_s * 1000))
        different = _differences(client, {name: wanted[name] for name in there}) if there else {}
    return Topics(
        made=tuple(link.topic(name) for name in made),
        there=tuple(link.topic(name) for name in there if name not in different),
        different={link.topic(name): what for name, what in different.items()},
    )


def configs(topic: Topic) -> dict[str, str]:
    """A topic's settings at the broker, as Kafka spells them."""
    retention_ms = int(topic.retention_s * 1000)
    settings = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "message.timestamp.type": "LogAppendTime",
        "segment.ms": str(max(1, min(SEGMENT_MAX_MS, retention_ms // 24))),
    }
    if not topic.compacted:
        return {**settings, "retention.ms": str(retention_ms)}
    return {
        **settings,
        "segment.bytes": str(COMPACTED_SEGMENT_BYTES),
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": str(max(1, retention_ms)),
    }


def _differences(client: Any, wanted: Mapping[str, Topic]) -> dict[str, str]:
    counts = {topic["name"]: len(topic["partitions"]) for topic in client.describe_topics(list(wanted))}
    resources = [ConfigResource("TOPIC", name, list(configs(topic))) for name, topic in wanted.items()]
    held = client.describe_configs(resources, config_filter="all")["topic"]
    different = {}
    for name, topic in wanted.items():
        faults = [f"{counts[name]} partitions, not {topic.partitions}"] if counts[name] != topic.partitions else []
        faults += [
            f"{key} is {held[name][key]['value']}, not {value}"
            for key, value in configs(topic).items()
            if held[name][key]["value"] != value
        ]
        if faults:
            different[name] = "; ".join(faults)
    return different


def _refused(link: Link, reply: Mapping[str, Any]) -> BadInput | Transient:
    why = reply.get("error_message") or f"error {reply['error_code']}"
    if reply["error_code"] == BAD_REPLICATION:
        return BadInput(f"topic {reply['name']}: {why}", "ask for fewer copies, or start more brokers")
    return Transient(f"{link.servers} did not make topic {reply['name']}: {why}", "see the broker's log")


def _admin_options(link: Link) -> dict[str, Any]:
    return {**link.options(), "request_timeout_ms": int(link.connect_s * 1000)}


def _is_there(topic: Mapping[str, Any] | None) -> bool:
    return topic is not None and bool(topic["partitions"])


def _can_be_a_name(name: str) -> bool:
    return 0 < len(name) < 200 and all(sign.isascii() and (sign.isalnum() or sign in "._-") for sign in name)
