"""`lipsol topics`, and the manifests that are made by it."""

import json
import os
from pathlib import Path

import pytest
import yaml

from lipsol.bus.kafka_topics import Topics, configs
from lipsol.runtime.settings import BusSettings, Settings
from lipsol.topics import TOPICS
from services.cli import main
from services.cli.topics import create, strimzi

MANIFESTS = Path(__file__).resolve().parents[3] / "k8s" / "kafka" / "topics.yaml"
KAFKA = Settings(bus=BusSettings(kind="kafka", servers="broker:9092", prefix="blue."))


def test_the_manifests_are_those_of_the_catalogue():
    """LIPSOL_RENEW=1 writes them anew."""
    if os.environ.get("LIPSOL_RENEW") == "1":
        MANIFESTS.write_text(strimzi(3) + "\n")
        return
    assert MANIFESTS.read_text() == strimzi(3) + "\n"


def test_a_manifest_tells_strimzi_what_create_would_tell_the_broker():
    resources = list(yaml.safe_load_all(strimzi(2)))
    assert {each["spec"]["topicName"] for each in resources} == set(TOPICS)
    for each in resources:
        topic = TOPICS[each["spec"]["topicName"]]
        assert (each["apiVersion"], each["kind"]) == ("kafka.strimzi.io/v1", "KafkaTopic")
        assert each["metadata"] == {"name": topic.name, "labels": {"strimzi.io/cluster": "lipsol"}}
        assert each["spec"]["partitions"] == topic.partitions
        assert each["spec"]["replicas"] == 2
        assert each["spec"]["config"] == configs(topic)


@pytest.mark.parametrize("form", ["table", "markdown", "json", "strimzi"])
def test_every_form_names_every_topic(form: str, capsys):
    assert main(["topics", "list", "--format", form]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in TOPICS)


def test_json_tells_all_that_the_catalogue_says(capsys):
    assert main(["topics", "list", "--format", "json"]) == 0
    traffic = next(each for each in json.loads(capsys.readouterr().out) if each["name"] == "lipsol.traffic.v1")
    assert traffic == {
        "name": "lipsol.traffic.v1", "event": "TrafficSet", "key": "policy", "partitions": 1, "retention_s": 86400.0,
        "compacted": True, "writers": [*TOPICS["lipsol.traffic.v1"].writers],
        "readers": [*TOPICS["lipsol.traffic.v1"].readers],
    }  # fmt: skip


def test_the_memory_bus_has_nothing_to_make(capsys):
    assert create(1, as_json=False, settings=Settings(bus=BusSettings())) == 0
    assert "nothing to make" in capsys.readouterr().out


def test_what_was_made_and_what_was_there_is_told(capsys):
    assert create(2, as_json=False, settings=KAFKA, making=lambda _, copies: Topics((f"a{copies}",), ("b",))) == 0
    assert capsys.readouterr().out == "made: a2\nthere already: b\ndifferent: none\n"


@pytest.mark.parametrize(
    ("what", "cures", "not_cured"),
    [
        (
            "6 partitions, not 12",
            ["kafka-topics.sh", "--topic blue.lipsol.clips.v1 --partitions 12"],
            "kafka-configs.sh",
        ),
        ("retention.ms is 1, not 86400000", ["kafka-configs.sh", "retention.ms=86400000"], "kafka-topics.sh"),
        ("6 partitions, not 12; retention.ms is 1, not 2", ["kafka-configs.sh", "kafka-topics.sh"], "zookeeper"),
    ],
    ids=["partitions", "settings", "both"],
)
def test_what_differs_is_told_with_the_command_that_mends_it(what: str, cures: list[str], not_cured: str, capsys):
    found = Topics(different={"lipsol.clips.v1": what})
    assert create(1, as_json=False, settings=KAFKA, making=lambda *_: found) == 1
    told = capsys.readouterr()
    assert "different: lipsol.clips.v1\n" in told.out
    (line,) = told.err.splitlines()
    assert line.startswith(f"lipsol: topic blue.lipsol.clips.v1 has {what}; ")
    assert all(cure in line for cure in [*cures, "--bootstrap-server broker:9092"])
    assert not_cured not in line


def test_programs_get_the_same_as_json(capsys):
    found = Topics(("a",), ("b",), {"lipsol.clips.v1": "6 partitions, not 12"})
    assert create(1, as_json=True, settings=KAFKA, making=lambda *_: found) == 1
    told = {"made": ["a"], "there": ["b"], "different": {"lipsol.clips.v1": "6 partitions, not 12"}}
    assert json.loads(capsys.readouterr().out) == told
