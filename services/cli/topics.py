"""`lipsol topics`: the catalogue of topics as a table, as JSON or as manifests, and making them at the broker."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from lipsol.events import EVENT_OF
from lipsol.runtime.settings import Settings
from lipsol.topics import DAY_S, HOUR_S, TOPICS, Topic
from services.cli import FAULT
from services.cli.environment import quiet
from services.cli.report import columns

HEAD = ("topic", "event", "key", "partitions", "kept", "written by", "read by")
STRIMZI = "kafka.strimzi.io/v1"
CLUSTER = "lipsol"  # the Kafka resource that the topics belong to

Topics: TypeAlias = Any  # lipsol.bus.kafka_topics.Topics; importing it would load the Kafka client
Create: TypeAlias = Callable[[Settings, int], Topics]


def show(form: str, replication: int) -> int:
    """Print the catalogue: `table`, `json`, `markdown` or `strimzi` (with that many copies of each topic)."""
    forms: Mapping[str, Callable[[], str]] = {
        "table": lambda: "\n".join(columns(HEAD, [_cells(topic) for topic in TOPICS.values()])),
        "json": lambda: json.dumps([_document(topic) for topic in TOPICS.values()], indent=2),
        "markdown": markdown,
        "strimzi": lambda: strimzi(replication),
    }
    print(forms[form]())
    return 0


def create(replication: int, *, as_json: bool, settings: Settings | None = None, making: Create | None = None) -> int:
    """Make the topics that are not there, and say of the others how they differ from what they should be.

    Exit code 1 if any differs. Raises Transient when the broker is away.
    """
    settings = settings or quiet(Settings)
    if settings.bus.kind == "memory":
        told = "the memory bus has every topic by itself; LIPSOL_BUS__KIND=kafka and LIPSOL_BUS__SERVERS name a broker"
        print(json.dumps({"made": [], "there": [], "different": {}}) if as_json else f"nothing to make: {told}")
        return 0
    found = (making or _make)(settings, replication)
    different = found.different or {}
    if as_json:
        print(json.dumps({"made": found.made, "there": found.there, "different": dict(different)}, indent=2))
    else:
        for verb, names in (("made", found.made), ("there already", found.there), ("different", tuple(different))):
            print(f"{verb}: {', '.join(names) or 'none'}")
    for name, what in different.items():
        print(f"lipsol: topic {settings.bus.prefix}{name} has {what}; {_cure(settings, name, what)}", file=sys.stderr)
    return FAULT if different else 0


def markdown() -> str:
    """The catalogue as docs/serving.md has it."""
    head = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    return "\n".join(head + [f"| `{cells[0]}` | {' | '.join(cells[1:])} |" for cells in map(_cells, TOPICS.values())])


def strimzi(replication: int) -> str:
    """The catalogue as Strimzi's KafkaTopic resources, as k8s/kafka/topics.yaml has it."""
    head = (
        f"# The topics of lipsol/topics.py. Made by `lipsol topics list --format strimzi --replication {replication}`."
    )
    return "\n".join([head, *(_resource(topic, replication) for topic in TOPICS.values())])


def _resource(topic: Topic, replication: int) -> str:
    from lipsol.bus.kafka_topics import configs

    lines = [
        "---",
        f"apiVersion: {STRIMZI}",
        "kind: KafkaTopic",
        "metadata:",
        f"  name: {topic.name}",
        "  labels:",
        f"    strimzi.io/cluster: {CLUSTER}",
        "spec:",
        f"  topicName: {topic.name}",
        f"  partitions: {topic.partitions}",
        f"  replicas: {replication}",
        "  config:",
    ]
    return "\n".join(lines + [f'    {name}: "{value}"' for name, value in configs(topic).items()])


def _make(settings: Settings, replication: int) -> Topics:
    from lipsol.bus.kafka_topics import create_topics
    from lipsol.runtime.wiring import kafka_link

    return create_topics(kafka_link(settings), replication=replication)


def _cure(settings: Settings, name: str, what: str) -> str:
    """How to mend a topic by Kafka's own tools. Its messages stay; with more partitions, keys move between them."""
    from lipsol.bus.kafka_topics import configs

    full, where = settings.bus.prefix + name, f"--bootstrap-server {settings.bus.servers}"
    cures = []
    if " partitions, not " in what:
        wanted = f"kafka-topics.sh {where} --alter --topic {full} --partitions {TOPICS[name].partitions}"
        cures.append(f"once all of it is read: {wanted} (for fewer, delete it and create it again)")
    if " is " in what:
        added = ",".join(f"{key}={value}" for key, value in configs(TOPICS[name]).items())
        cures.append(f"kafka-configs.sh {where} --alter --entity-type topics --entity-name {full} --add-config {added}")
    return "; ".join(cures)


def _cells(topic: Topic) -> tuple[str, ...]:
    """A topic's facts as a person reads them, in the order of HEAD."""
    told = (EVENT_OF[topic.name].__name__, topic.key, str(topic.partitions), _kept(topic))
    return (topic.name, *told, ", ".join(topic.writers), ", ".join(topic.readers))


def _kept(topic: Topic) -> str:
    count, unit = divmod(topic.retention_s, DAY_S)[0], "day"
    if topic.retention_s % DAY_S:
        count, unit = topic.retention_s / HOUR_S, "hour"
    span = f"{count:g} {unit}{'s' * (count != 1)}"
    return f"each key's newest for ever, older ones {span}" if topic.compacted else span


def _document(topic: Topic) -> dict[str, Any]:
    """A topic's facts as JSON values."""
    return {
        "name": topic.name,
        "event": EVENT_OF[topic.name].__name__,
        "key": topic.key,
        "partitions": topic.partitions,
        "retention_s": topic.retention_s,
        "compacted": topic.compacted,
        "writers": topic.writers,
        "readers": topic.readers,
    }
