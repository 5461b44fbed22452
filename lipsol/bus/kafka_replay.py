"""Reading again what Kafka keeps: from a time on, to the end as of now, and no group moves."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from lipsol.bus.kafka_client import KafkaConsumer, Link, TopicPartition, message, opened, told
from lipsol.bus.port import NOWHERE, Message, Places
from lipsol.errors import Transient

POLL_MS = 200
FETCH_BYTES = 8 << 20


def reading(
    link: Link,
    partitions: Sequence[TopicPartition],
    since: float,
    ends: Mapping[TopicPartition, int] | None,
    after: Places = NOWHERE,
) -> Iterator[Message]:
    """What the partitions hold from `since` to their ends; `ends` are ends that are nearer, `after` later beginnings.

    The bounds are those of this call; the messages are fetched as they are asked for. Raises Transient.
    """
    with told(link), closing(_open(link, partitions)) as client:
        starts = _starts(client, link, partitions, since)
        found = client.end_offsets(list(partitions), _ms(link.connect_s))
    bounds = {
        partition: (
            max(start, _behind(link, partition, after)),
            min(found[partition], ends.get(partition, 0) if ends is not None else found[partition]),
        )
        for partition, start in starts.items()
    }
    return _messages(link, {p: bound for p, bound in bounds.items() if bound[0] < bound[1]}, since)


def _messages(link: Link, bounds: Mapping[TopicPartition, tuple[int, int]], since: float) -> Iterator[Message]:
    if not bounds:
        return
    with told(link), closing(_open(link, list(bounds))) as client:
        for partition, (start, _) in bounds.items():
            client.seek(partition, start)
        left = dict(bounds)
        patience = time.monotonic() + link.publish_s
        while left:
            records = client.poll(timeout_ms=POLL_MS)
            for partition, found in records.items():
                kept = (message(link, record) for record in found if record.offset < bounds[partition][1])
                yield from (told_again for told_again in kept if told_again.timestamp >= since)
            if records:
                patience = time.monotonic() + link.publish_s
            elif time.monotonic() > patience:
                raise Transient(f"{link.servers} stopped in the middle of a replay", "ask again")
            done = [partition for partition, (_, end) in left.items() if _position(client, partition) >= end]
            for partition in done:
                client.pause(partition)
                del left[partition]


def _position(client: Any, partition: TopicPartition) -> int:
    """Where reading goes on; past messages that are no more, too."""
    position = client.position(partition, timeout_ms=POLL_MS)
    return -1 if position is None else int(position)


def _starts(client: Any, link: Link, partitions: Sequence[TopicPartition], since: float) -> dict[TopicPartition, int]:
    """Where to begin, in the partitions that hold anything so young."""
    if since <= 0:
        begins: dict[TopicPartition, int] = client.beginning_offsets(list(partitions), _ms(link.connect_s))
        return begins
    found = client.offsets_for_times(dict.fromkeys(partitions, int(since * 1000)), _ms(link.connect_s))
    return {partition: place.offset for partition, place in found.items() if place is not None}


def _open(link: Link, partitions: Sequence[TopicPartition]) -> Any:
    client: Any = opened(
        KafkaConsumer,
        **link.options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=FETCH_BYTES,
        fetch_max_wait_ms=POLL_MS // 2,
        metrics_enabled=False,
    )
    client.assign(list(partitions))
    return client


def _behind(link: Link, partition: TopicPartition, after: Places) -> int:
    """The first offset that may be told of a partition."""
    return after.get((link.topic(partition.topic), partition.partition), -1) + 1


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
