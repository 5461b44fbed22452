"""How a broker's faults are told, and what its clients are told."""

import logging

import pytest

from lipsol.bus import kafka_client
from lipsol.bus.kafka import KafkaBus, Link, configs
from lipsol.bus.kafka_client import told
from lipsol.bus.port import Closed
from lipsol.errors import BadInput, LipsolError, NotFound, Transient
from lipsol.topics import DAY_S, PREDICTIONS, TRAFFIC

LINK = Link("kafka-1:9092, kafka-2:9092", prefix="blue.", protocol="SASL_SSL", user="lipsol", password="s3cret")


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (kafka_client.KafkaTimeoutError("10 s"), Transient, "no broker answers at kafka-1:9092, kafka-2:9092"),
        (kafka_client.RetriableError(), Transient, "is not ready .RetriableError."),
        (kafka_client.SaslAuthenticationFailedError(), Transient, "refuses us .SaslAuthenticationFailedError."),
        (kafka_client.UnknownTopicOrPartitionError(), NotFound, "lipsol topics create"),
        (kafka_client.MessageSizeTooLargeError(), BadInput, "too long"),
        (kafka_client.IllegalStateError(), Transient, "given up meanwhile"),
        (kafka_client.KafkaError("odd"), Transient, "says KafkaError: .*odd"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_fault_of_the_client_is_told_as_one_of_ours(fault, kind, said):
    with pytest.raises(LipsolError, match=said) as caught, told(LINK):
        raise fault
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_clients_are_told_where_the_brokers_are_and_who_we_are():
    options = LINK.options()
    assert options["bootstrap_servers"] == ["kafka-1:9092", "kafka-2:9092"]
    assert (options["security_protocol"], options["sasl_plain_username"]) == ("SASL_SSL", "lipsol")
    assert options["sasl_plain_password"] == "s3cret"
    assert "ssl_cafile" not in options


def test_a_link_never_shows_its_password():
    assert "s3cret" not in f"{LINK!r} {LINK}"


def test_names_at_the_broker_carry_the_prefix():
    assert LINK.name("lipsol.clips.v1") == "blue.lipsol.clips.v1"
    assert LINK.topic("blue.lipsol.clips.v1") == "lipsol.clips.v1"


def test_a_bus_needs_no_broker_to_be_made_and_closed_and_keeps_the_client_quiet():
    bus = KafkaBus(Link("127.0.0.1:1"))
    bus.close()
    bus.close()
    with pytest.raises(Closed):
        bus.publish("lipsol.clips.v1", "key", b"")
    assert not logging.getLogger("kafka.net").isEnabledFor(logging.CRITICAL)


def test_a_topics_promises_become_the_brokers_settings():
    kept = configs(PREDICTIONS)
    assert kept["cleanup.policy"] == "delete"
    assert kept["retention.ms"] == str(int(7 * DAY_S * 1000))
    assert int(kept["segment.ms"]) <= int(kept["retention.ms"]) / 7
    assert kept["message.timestamp.type"] == "LogAppendTime"
    state = configs(TRAFFIC)
    assert state["cleanup.policy"] == "compact"
    assert "retention.ms" not in state
    assert state["max.compaction.lag.ms"] == str(int(DAY_S * 1000))
