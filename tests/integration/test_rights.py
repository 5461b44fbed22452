"""What k8s/kafka/users.yaml allows is enough for our clients, and no more, at a real Kafka that asks who one is."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import yaml

from lipsol.bus.kafka import KafkaBus, Link, create_topics
from lipsol.bus.kafka_client import KafkaAdminClient
from lipsol.errors import LipsolError
from lipsol.topics import ACTIONS, CANARY_MOUTHS, FEEDBACK, PREDICTIONS, STABLE_MOUTHS, TOPICS, TRAFFIC, WATCH
from services.cli.users import GROUPS, name_of, reads, users, writes
from services.local.broker import Broker

PASSWORD = "test"
HEARD_S = 60.0  # on a machine that has other things to do
REFUSED_S = 3.0  # what is refused is tried again for so long
ASKING = """\
listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="admin" password="{password}" {users};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
"""


def link(broker: Broker, user: str, patience_s: float = 60.0) -> Link:
    """How a user reaches the broker."""
    return Link(
        broker.servers,
        protocol="SASL_PLAINTEXT",
        mechanism="PLAIN",
        user=user,
        password=PASSWORD,
        connect_s=patience_s,
        publish_s=patience_s,
    )


def rules() -> Iterator[Any]:
    """The rules of the manifests, as Strimzi makes them at the broker."""
    from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType  # after our door to it

    for user in yaml.safe_load_all(users()):
        for rule in user["spec"]["authorization"]["acls"]:
            resource = ResourcePattern(ResourceType[rule["resource"]["type"].upper()], rule["resource"]["name"])
            for each in rule["operations"]:
                operation = ACLOperation[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", each).upper()]
                yield ACL(f"User:{user['metadata']['name']}", "*", operation, ACLPermissionType.ALLOW, resource)


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Broker]:
    """A broker that asks, with our topics and our rules."""
    if missing := [program for program in ("java", "mvn") if shutil.which(program) is None]:
        pytest.skip(f"no {' and no '.join(missing)} here to run Kafka")
    names = ["admin", *map(name_of, GROUPS)]
    told = ASKING.format(password=PASSWORD, users=" ".join(f'user_{each}="{PASSWORD}"' for each in names))
    with Broker.start(tmp_path_factory.mktemp("asking"), more=told) as running:
        admin = link(running, "admin")
        create_topics(admin)
        with closing(KafkaAdminClient(**admin.options())) as client:
            client.create_acls(list(rules()))
            _await_rules(client, len(list(rules())))
        with closing(KafkaBus(admin)) as bus:  # something for everybody to read
            for topic in TOPICS:
                bus.publish(topic, "key", b"value")
        yield running


def _await_rules(client: Any, wanted: int) -> None:
    """The controller has them at once, the broker hears of them."""
    from kafka.admin import ACLFilter, ACLOperation, ACLPermissionType, ResourcePatternFilter, ResourceType
    from kafka.admin import ACLResourcePatternType as Pattern

    everything = ResourcePatternFilter(ResourceType.ANY, None, Pattern.ANY)
    asked = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    until = time.monotonic() + HEARD_S
    while len(client.describe_acls(asked)[0]) < wanted:
        assert time.monotonic() < until, f"the broker has not heard of its rules within {HEARD_S:g} s"
        time.sleep(0.1)


@pytest.fixture(params=GROUPS)
def service(request) -> str:
    return request.param


def test_a_user_may_publish_and_read_what_is_its_to_publish_and_read(broker, service):
    with closing(KafkaBus(link(broker, name_of(service)))) as bus:
        for topic in TOPICS.values():
            if writes(service, topic):
                bus.publish(topic.name, "key", service.encode())
        heard = [topic.name for topic in TOPICS.values() if reads(service, topic)]
        list(bus.replay(heard))
        with closing(bus.consumer(heard, None)) as listener:
            listener.poll(1, 0.2)
        for group in GROUPS[service]:
            with closing(bus.consumer(heard, group)) as consumer:
                until = time.monotonic() + HEARD_S
                while not (found := consumer.poll(10, 0.5)):
                    assert time.monotonic() < until, f"group {group} heard nothing within {HEARD_S:g} s"
                consumer.commit(found)
            assert list(bus.replay(heard, before=group))


@pytest.mark.parametrize(
    ("who", "topic"),
    [("preprocess", TRAFFIC), ("inference", FEEDBACK), ("analyst", PREDICTIONS), ("monitor", PREDICTIONS),
     ("pipelines", ACTIONS), ("cli", WATCH)],
    ids=lambda each: each if isinstance(each, str) else each.name,
)  # fmt: skip
def test_nobody_publishes_what_is_anothers(broker, who: str, topic: Any):
    with closing(KafkaBus(link(broker, name_of(who), REFUSED_S))) as bus, pytest.raises(LipsolError):
        bus.publish(topic.name, "key", b"value")


@pytest.mark.parametrize(
    ("who", "topic"),
    [("preprocess", FEEDBACK), ("inference", PREDICTIONS), ("analyst", STABLE_MOUTHS), ("monitor", CANARY_MOUTHS)],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
def test_nobody_reads_what_is_not_for_it(broker, who: str, topic: Any):
    with closing(KafkaBus(link(broker, name_of(who), REFUSED_S))) as bus, pytest.raises(LipsolError):
        list(bus.replay([topic.name]))
