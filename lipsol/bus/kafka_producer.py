"""Publishing on Kafka: one idempotent producer, shared by all threads.

A message is published when every replica in sync has it. Retries neither double it nor change the order of a key.
What is not acknowledged in time is reported as Transient, and may be held or not, as the port says.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

from lipsol.bus.kafka_client import KafkaError, KafkaProducer, Link, opened, told
from lipsol.bus.port import Closed, Outgoing
from lipsol.errors import Transient

LINGER_MS = 0  # what is published while a request is on its way travels together all the same
BATCH_BYTES = 256 << 10
REFUSE_S = 1.0  # after a failed try to reach the broker, in which others are refused without one of their own
LATE_S = 5.0  # after `publish_s`, by when the producer itself must have given up


class Publisher:
    """The producer of one bus; connects when first needed."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = Lock()
        self._producer: Any = None
        self._refused: tuple[float, Transient] | None = None
        self._closed = False

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Publish in order; on return the broker holds all. Raises Transient when that took longer than `publish_s`."""
        until = time.monotonic() + self._link.publish_s + LATE_S
        producer = self._open()
        try:
            with told(self._link):
                sent = [producer.send(**self._record(message)) for message in messages]
                for future in sent:
                    future.get(timeout=max(0.0, until - time.monotonic()))
        except Transient:
            self._give_up(producer)
            raise

    def close(self) -> None:
        """Let go of the producer; what is on its way gets a moment to arrive."""
        with self._lock:
            self._closed = True  # a thread that had passed the bus's own check would open another
            producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=self._link.connect_s)

    def _record(self, message: Outgoing) -> dict[str, Any]:
        return {
            "topic": self._link.name(message.topic),
            "key": message.key.encode(),
            "value": message.value,
            "headers": [(name, value.encode()) for name, value in message.headers.items()],
        }

    def _open(self) -> Any:
        with self._lock:
            if self._closed:
                raise Closed("the Kafka bus is closed", "open another")
            if self._producer is None:
                if self._refused is not None and time.monotonic() < self._refused[0]:
                    raise self._refused[1]
                try:
                    with told(self._link):
                        self._producer = opened(KafkaProducer, **self._options())
                except Transient as fault:
                    self._refused = (time.monotonic() + REFUSE_S, fault)
                    raise
            return self._producer

    def _give_up(self, producer: Any) -> None:
        """Open another one next time: one that lost a message can't tell any more what the broker holds."""
        with self._lock:
            if self._producer is producer:
                self._producer = None
        with suppress(KafkaError):
            producer._sender.force_close()  # or `close` would first wait for what can't be sent
            producer.close(timeout=self._link.connect_s)

    def _options(self) -> dict[str, Any]:
        return {
            **self._link.options(),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": LINGER_MS,
            "batch_size": BATCH_BYTES,
            "delivery_timeout_ms": int(self._link.publish_s * 1000),
            "request_timeout_ms": max(1, int(self._link.publish_s * 1000) - LINGER_MS),
            "max_block_ms": int(self._link.connect_s * 1000),
            "metrics_enabled": False,
        }
