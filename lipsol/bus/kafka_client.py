"""The one door to kafka-python: imported here, told of the broker, kept quiet, its faults turned into ours.

kafka-python 3 does all input and output in a thread of its own, inside each client. What only waits for that thread
(`commit`, `end_offsets`) may be called from any; `poll`, `pause`, `seek` and the assignment belong to one thread alone.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from lipsol.bus.port import Message
from lipsol.errors import BadInput, NotFound, Transient

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.0 reads its schemas in a way that Python 3.11 gives up
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
    from kafka.admin import ConfigResource
    from kafka.consumer.subscription_state import AsyncConsumerRebalanceListener
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
    from kafka.errors import (
        AuthorizationError,
        CommitFailedError,
        IllegalStateError,
        KafkaConnectionError,
        KafkaError,
        KafkaTimeoutError,
        MessageSizeTooLargeError,
        NodeNotReadyError,
        RebalanceInProgressError,
        RetriableError,
        SaslAuthenticationFailedError,
        UnknownTopicOrPartitionError,
    )
    from kafka.net.compat import KafkaNetClient

__all__ = [
    "AsyncConsumerRebalanceListener",
    "CommitFailedError",
    "ConfigResource",
    "CooperativeStickyAssignor",
    "KafkaAdminClient",
    "KafkaConsumer",
    "KafkaError",
    "KafkaProducer",
    "Link",
    "OffsetAndMetadata",
    "RebalanceInProgressError",
    "RetriableError",
    "TopicPartition",
    "away",
    "hush",
    "message",
    "opened",
    "refusal",
    "told",
]

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class Link:
    """How a broker is reached, and the patience with it. `BusSettings` says what each number is for, and why."""

    servers: str = "127.0.0.1:9092"
    prefix: str = ""
    protocol: Protocol = "PLAINTEXT"
    ca_file: str | None = None
    mechanism: Mechanism | None = None
    user: str | None = None
    password: str | None = None
    connect_s: float = 5.0
    publish_s: float = 10.0
    session_s: float = 10.0
    handover_s: float = 30.0
    buffer: int = 256
    buffer_bytes: int = 16 << 20

    def __repr__(self) -> str:
        return f"Link({self.servers}, prefix={self.prefix!r})"  # never the password

    def name(self, name: str) -> str:
        """A topic's or group's name at the broker."""
        return self.prefix + name

    def topic(self, name: str) -> str:
        """The topic that a name at the broker stands for."""
        return name.removeprefix(self.prefix)

    def options(self) -> dict[str, Any]:
        """What every client is told."""
        told_us = {
            "ssl_cafile": self.ca_file,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }
        return {
            "bootstrap_servers": [server.strip() for server in self.servers.split(",") if server.strip()],
            "client_id": "lipsol",
            "security_protocol": self.protocol,
            "bootstrap_timeout_ms": int(self.connect_s * 1000),
            "reconnect_backoff_max_ms": 1000,  # a broker that is back is found within a second
            "metadata_max_age_ms": 60_000,
            **{name: value for name, value in told_us.items() if value is not None},
        }


def message(link: Link, record: Any) -> Message:
    """A record of Kafka as the bus's message."""
    return Message(
        topic=link.topic(record.topic),
        key=(record.key or b"").decode(errors="replace"),
        value=record.value or b"",
        headers={name: (value or b"").decode(errors="replace") for name, value in record.headers},
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp / 1000,
    )


def hush() -> None:
    """Take kafka-python's own log away: an outage fills it at every retry, and what matters we raise in one line."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)


class Connections(KafkaNetClient):  # type: ignore[misc]
    """A client's connections, which lets go of them all when it closes (by itself it forgets one that was writing)."""

    def close(self, node_id: object = None) -> None:
        transports = [made.transport for made in self._manager._conns.values() if made.transport is not None]
        sockets = [transport._sock for transport in transports if transport._sock is not None]
        super().close(node_id)
        if node_id is None:
            for held in sockets:
                held.close()


def opened(kind: Any, **options: Any) -> Any:
    """A client of that kind; one that can't be had leaves nothing behind (by itself it leaves a thread)."""
    made: list[Connections] = []

    def connections(**settings: Any) -> Connections:
        made.append(Connections(**settings))
        return made[-1]

    try:
        return kind(kafka_client=connections, **options)
    except BaseException:
        for left in made:
            left.close()
        raise


@contextmanager
def told(link: Link) -> Iterator[None]:
    """Turn the client's faults into ours, each a line that a person can act on."""
    try:
        yield
    except MessageSizeTooLargeError as fault:
        raise BadInput("a message that the broker finds too long", "put what is big into the store") from fault
    except UnknownTopicOrPartitionError as fault:
        raise NotFound(f"a topic that {link.servers} does not know", "make it: lipsol topics create") from fault
    except (SaslAuthenticationFailedError, AuthorizationError) as fault:
        raise Transient(f"the broker at {link.servers} refuses us ({_name(fault)})", "mend user or rights") from fault
    except IllegalStateError as fault:
        raise Transient(f"a connection to {link.servers} was given up meanwhile", "try again") from fault
    except RetriableError as fault:
        raise away(link, fault) from fault
    except KafkaError as fault:
        raise refusal(link, fault) from fault


def away(link: Link, fault: Exception) -> Transient:
    """The fault of a broker that does not answer, or can't do it just now."""
    if isinstance(fault, KafkaConnectionError | KafkaTimeoutError | NodeNotReadyError):
        return Transient(f"no broker answers at {link.servers}", "start it, or mend LIPSOL_BUS__SERVERS")
    return Transient(f"the broker at {link.servers} is not ready ({_name(fault)})", "wait for it, or see its log")


def refusal(link: Link, fault: Exception) -> Transient:
    """The fault of a broker that answers, and will not."""
    return Transient(f"the broker at {link.servers} says {_name(fault)}: {fault}"[:300], "see its log")


def _name(fault: Exception) -> str:
    return type(fault).__name__
