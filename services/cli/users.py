"""`lipsol topics users`: who may do what at the broker, as Strimzi's KafkaUser resources.

Laws. A user may write and read what the catalogue says of it, and commit in its own groups; nobody may make or delete a
topic, since Strimzi's operator does. Whatever is not listed is refused.
"""

from collections.abc import Mapping
from types import MappingProxyType

from lipsol.topics import DEAD_LETTERS, DRIFT, TOPICS, WATCH, Topic
from services.cli.topics import CLUSTER, STRIMZI

EVERY_SERVICE = "every service"  # among a topic's writers
OPERATOR = "cli"  # as the catalogue calls whoever gives `lipsol` a broker
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "preprocess": ("preprocess", "preprocess-batch"),
        "inference": ("inference-stable", "inference-canary"),
        "monitor": ("monitor",),
        "analyst": (),
        "pipelines": ("pipelines",),
        OPERATOR: (),
    }
)
"""Every user by the catalogue's name, with its consumer groups. Both tracks of inference are one user: stable reads
what waits for a canary that is no more. Analyst and operator only listen, in no group."""

SERVICES = frozenset({"preprocess", "inference", "monitor"})  # what works on messages, and so buries some


def users() -> str:
    """All users, as k8s/kafka/users.yaml has them."""
    head = "# Who may do what at the broker, by the topics of lipsol/topics.py. Made by `lipsol topics users`."
    return "\n".join([head, *map(_resource, GROUPS)])


def name_of(service: str) -> str:
    """The user's name at the broker, and that of the Secret in which Strimzi keeps its password."""
    return f"{CLUSTER}-{'operator' if service == OPERATOR else service}"


def writes(service: str, topic: Topic) -> bool:
    """Whether a user may publish there. The operator also sends again what died, to the topic on which it died."""
    if service in topic.writers or (EVERY_SERVICE in topic.writers and service in SERVICES):
        return True
    return service == OPERATOR and topic not in (DRIFT, WATCH, DEAD_LETTERS)


def reads(service: str, topic: Topic) -> bool:
    """Whether a user may read there. The operator may read all but the monitor's own state."""
    return service in topic.readers or (service == OPERATOR and topic != WATCH)


def _resource(service: str) -> str:
    lines = [
        "---",
        f"apiVersion: {STRIMZI}",
        "kind: KafkaUser",
        "metadata:",
        f"  name: {name_of(service)}",
        "  labels:",
        f"    strimzi.io/cluster: {CLUSTER}",
        "spec:",
        "  authentication:",
        "    type: scram-sha-512",
        "  authorization:",
        "    type: simple",
        "    acls:",
    ]
    for topic in TOPICS.values():
        may = ["Read"] * reads(service, topic) + ["Write"] * writes(service, topic)
        lines += _rule("topic", topic.name, [*may, "Describe"]) if may else []
    return "\n".join(lines + [line for group in GROUPS[service] for line in _rule("group", group, ["Read"])])


def _rule(kind: str, name: str, operations: list[str]) -> list[str]:
    return [
        "      - resource:",
        f"          type: {kind}",
        f"          name: {name}",
        f"        operations: [{', '.join(operations)}]",
    ]
