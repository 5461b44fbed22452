"""docker/: what the compose file says agrees with the services, the topics and the broker that it is written for."""

import re
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


def test_there_is_a_container_for_each_service_and_it_runs_that_one(compose):
    assert set(compose) == {"kafka", "topics", *ALONE}
    for name in ALONE:
        assert compose[name]["command"] == [name]
        assert "entrypoint" not in compose[name]


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


@pytest.mark.parametrize("name", sorted(ALONE))
def test_a_container_is_asked_whether_it_is_ready_at_the_port_that_its_service_has(compose, name):
    port = getattr(EmbeddedSettings(), name).port
    assert f"http://127.0.0.1:{port}/readyz" in compose[name]["healthcheck"]["test"][-1]
    compile(compose[name]["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_only_the_edge_can_be_reached_and_only_from_this_machine(compose):
    edge = EmbeddedSettings().preprocess
    assert compose["preprocess"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in (edge.port, edge.grpc_port)]
    assert not [name for name, each in compose.items() if name != "preprocess" and "ports" in each]


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


def test_the_image_installs_what_is_pinned_and_runs_as_nobody(top, compose):
    lines = (top / "docker" / "Dockerfile").read_text()
    assert "--require-hashes -r /tmp/serve.txt" in lines and "COPY requirements/serve.txt" in lines
    assert re.search(r"^USER 10001:10001$", lines, flags=re.MULTILINE)
    exposed = set(re.search(r"^EXPOSE (.*)$", lines, flags=re.MULTILINE)[1].split())
    settings = EmbeddedSettings()
    ports = {getattr(settings, name).port for name in ALONE} | {port for _, port in ALONE.values()}
    assert exposed == {str(port) for port in ports | {settings.preprocess.grpc_port}}


def test_the_images_take_what_they_copy_and_nothing_else(top):
    taken = {line[1:] for line in (top / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name.rstrip("/")
        for file in (top / "docker").glob("*Dockerfile")
        for name in re.findall(r"^COPY ([^-\s]\S*) ", file.read_text(), flags=re.MULTILINE)
    }
    assert copied == taken


def pins(top: Path, name: str) -> dict[str, str]:
    """Each package that a requirement file pins, and its version."""
    lines = (top / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", lines, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def gpu(top: Path) -> list[str]:
    """The instructions of the GPU image, each in one line."""
    text = re.sub(r"\\\n\s*", "", (top / "docker" / "inference-gpu.Dockerfile").read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def words_of(instructions: list[str], name: str) -> list[str]:
    return [line.removeprefix(f"{name} ") for line in instructions if line.startswith(f"{name} ")]


def test_the_gpu_image_has_the_pinned_packages_with_the_other_onnxruntime_never_both(top, gpu):
    serve, packages = pins(top, "serve"), pins(top, "gpu")
    assert packages.pop("onnxruntime-gpu") == serve.pop("onnxruntime")
    added = set(packages) - set(serve)
    assert {name for name in added if not name.startswith("nvidia-")} == {"onnx"}  # fp16 needs it
    assert {"nvidia-cublas", "nvidia-cuda-runtime"} <= added
    assert {name: packages[name] for name in serve} == serve
    install = next(line for line in words_of(gpu, "RUN") if "pip install" in line)
    assert "--no-deps" in install and install.endswith("--require-hashes -r /tmp/gpu.txt")


def test_the_gpu_image_leaves_behind_what_built_it_and_runs_as_nobody(top, gpu):
    base, final = words_of(gpu, "FROM")
    assert base == f"{final} AS packages"
    one_image = (top / "docker" / "Dockerfile").read_text()
    assert f"FROM {final}\n" in one_image
    assert words_of(gpu, "USER") == ["10001:10001"]
    last_stage = gpu[gpu.index(f"FROM {final}") :]
    assert "COPY --from=packages /opt/lipsol /opt/lipsol" in last_stage
    assert not any("pip install" in line or "requirements" in line for line in last_stage)


def test_the_gpu_image_reads_on_the_gpu_and_opens_the_reading_services_ports(gpu, monkeypatch):
    told = dict(pair.split("=", 1) for line in words_of(gpu, "ENV") for pair in line.split())
    for name, value in told.items():
        if name.startswith("LIPSOL_"):
            monkeypatch.setenv(name, value)
    settings = load(EmbeddedSettings).inference
    assert settings.provider == "cuda"
    assert {"compute", "utility"} <= set(told["NVIDIA_DRIVER_CAPABILITIES"].split(","))
    ports = {settings.port, settings.grpc_port, ALONE["inference"][1]}
    assert set(words_of(gpu, "EXPOSE")[0].split()) == {str(port) for port in ports}
    assert (words_of(gpu, "ENTRYPOINT"), words_of(gpu, "CMD")) == (['["python", "-m", "services"]'], ['["inference"]'])
