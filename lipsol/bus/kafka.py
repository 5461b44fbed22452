"""The bus on Apache Kafka, for services that run as processes of their own. The law is the port's; this is how.

Topics and groups are the broker's, under `prefix`; `create_topics` makes the topics, nobody else does. Making a bus
needs no broker: each method reaches for it when called, and says Transient while it is away.
"""

from collections.abc import Iterator, Mapping, Sequence
from threading import Lock

from lipsol.bus.kafka_client import Link, hush
from lipsol.bus.kafka_consumer import KafkaBusConsumer
from lipsol.bus.kafka_producer import Publisher
from lipsol.bus.kafka_replay import reading
from lipsol.bus.kafka_topics import Directory, Topics, configs, create_topics
from lipsol.bus.port import NOWHERE, Closed, Message, Outgoing, Places, Start, check_size
from lipsol.errors import BadInput

__all__ = ["KafkaBus", "Link", "Topics", "configs", "create_topics"]


class KafkaBus:
    """Topics of a Kafka cluster, shared by the threads of one process."""

    def __init__(self, link: Link | None = None) -> None:
        self._link = link or Link()
        self._directory = Directory(self._link)
        self._publisher = Publisher(self._link)
        self._lock = Lock()
        self._consumers: list[KafkaBusConsumer] = []
        self._closed = False
        hush()

    def publish(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.publish_all([Outgoing(topic, key, value, headers or {})])

    def publish_all(self, messages: Sequence[Outgoing]) -> None:
        self._check_open()
        for message in messages:
            check_size(message)
        if messages:
            self._directory.check(message.topic for message in messages)
            self._publisher.send(messages)

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> KafkaBusConsumer:
        self._check_open()
        if not topics:
            raise BadInput("a consumer of no topic", "name one at least")
        names = tuple(dict.fromkeys(topics))
        made = KafkaBusConsumer(self._link, names, self._directory.partitions(names), group, start)
        with self._lock:
            self._consumers = [*(held for held in self._consumers if not held.closed), made]
        if self._closed:
            made.close()
        return made

    def replay(
        self, topics: Sequence[str], since: float = 0.0, *, before: str | None = None, after: Places = NOWHERE
    ) -> Iterator[Message]:
        self._check_open()
        partitions = self._directory.partitions(tuple(dict.fromkeys(topics)))
        ends = self._directory.committed(before) if before is not None else None
        return reading(self._link, partitions, since, ends, after)

    def close(self) -> None:
        self._closed = True
        with self._lock:
            consumers, self._consumers = self._consumers, []
        for consumer in consumers:
            consumer.let_go()
        for consumer in consumers:
            consumer.close()
        self._publisher.close()
        self._directory.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the Kafka bus is closed", "open another")
