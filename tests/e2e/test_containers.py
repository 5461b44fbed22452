"""docker/compose.yaml: what it says agrees with the services, the topics and the broker that it is written for."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Group

from lipsol.runtime.settings import load
from services.__main__ import ALONE, check_alone
from services.cli.app import lipsol
from services.embedded import EmbeddedSettings
from services.local.broker import MESSAGE_MAX_BYTES, POM

KEPT_FOR_THE_BROKER = {"CLUSTER_ID"}  # of the official image's own; all others are Kafka's settings in capitals


@pytest.fixture(scope="module")
def compose(top: Path) -> dict[str, Any]:
    return yaml.safe_load((top / "docker" / "compose.yaml").read_text())["services"]


def environment_of(compose: dict[str, Any], name: str) -> dict[str, str]:
    """What a container is told, where the person's own environment says nothing."""
    given = {key: value for key, value in compose[name]["environment"].items() if value is not None}
    return {key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for key, value in given.items()}


def test_there_is_a_container_for_each_service_and_its_image_says_how_it_is_run_and_asked(top, compose):
    version = tomllib.loads((top / "pyproject.toml").read_text())["project"]["version"]
    assert set(compose) == {"kafka", "topics", *ALONE}
    for name in ALONE:
        assert compose[name]["image"] == f"lipsol-{name}:{version}"
        assert compose[name]["build"] == {"context": "..", "dockerfile": f"docker/{name}.Dockerfile"}
        assert not {"entrypoint", "command", "healthcheck"} & set(compose[name])  # the image says them


@pytest.mark.parametrize("name", sorted(ALONE))
def test_every_variable_is_a_setting_and_together_they_let_a_service_start(compose, name, monkeypatch):
    told = environment_of(compose, name)
    for key, value in told.items():
        monkeypatch.setenv(key, value)
    settings = load(EmbeddedSettings)
    check_alone(name, settings)
    for key in (key for key in told if key.startswith("LIPSOL_")):
        section, setting = key.removeprefix("LIPSOL_").lower().split("__")
        assert setting in type(getattr(settings, section)).model_fields, key
    assert settings.bus.servers == "kafka:9092"


def test_only_the_edge_and_the_board_can_be_reached_and_only_from_this_machine(compose):
    edge = EmbeddedSettings().preprocess
    assert compose["preprocess"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in (edge.port, edge.grpc_port)]
    board = EmbeddedSettings().monitor.port
    assert compose["monitor"]["ports"] == [f"127.0.0.1:{board}:{board}"]
    assert not [name for name, each in compose.items() if name not in {"preprocess", "monitor"} and "ports" in each]


@pytest.mark.parametrize("name", sorted(ALONE))
def test_a_container_has_the_time_that_its_service_may_take_to_leave(compose, name):
    place = getattr(EmbeddedSettings(), name)
    assert seconds(compose[name]["stop_grace_period"]) >= place.drain_s + place.grace_s + 10


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


@pytest.mark.parametrize("name", ["topics", *sorted(ALONE)])
def test_a_container_can_change_nothing_but_the_store(compose, name):
    service = compose[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["tmpfs"] == ["/tmp"]
    assert service["volumes"] == [f"store:{environment_of(compose, name)['LIPSOL_STORE__FOLDER']}"]


def test_the_topics_are_made_by_a_verb_that_there_is(compose):
    assert compose["topics"]["image"] == compose["preprocess"]["image"]
    assert compose["topics"]["healthcheck"] == {"disable": True}  # it leaves; there is nobody to ask
    words = compose["topics"]["entrypoint"]
    assert words[:3] == ["python", "-m", "services.cli"]
    found = lipsol
    for word in words[3:]:
        assert isinstance(found, Group) and word in found.commands
        found = found.commands[word]


def test_the_broker_is_the_one_that_make_kafka_runs(compose):
    version = re.search(r"kafka-tools</artifactId><version>([\d.]+)", POM.read_text())[1]
    assert compose["kafka"]["image"] == f"docker.io/apache/kafka:{version}"
    told = environment_of(compose, "kafka")
    assert int(told["KAFKA_MESSAGE_MAX_BYTES"]) == MESSAGE_MAX_BYTES
    assert told["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert {key for key in told if not key.startswith("KAFKA_")} == KEPT_FOR_THE_BROKER
