"""k8s/: what a cluster needs around the chart builds, is hardened, and agrees with the chart and with the catalogue.

Nothing here needs a cluster, but for one test that asks the one that KUBECONFIG names, without changing it.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from lipsol.errors import Transient
from lipsol.mlflow import QUIET
from lipsol.topics import TOPICS
from pipelines.settings import PipelinesSettings
from services.cli.users import GROUPS, name_of
from services.local.broker import CONFIG, MESSAGE_MAX_BYTES, POM, fetch_jars
from services.local.mlflow import ALONE
from tests.charts_made import program
from tests.conftest import TOP

K8S, CHART = TOP / "k8s", TOP / "helm" / "lipsol"
STACKS = ("local", "production")
ALONE_TOO = ("kafka", "kubeflow", "mlflow", "monitoring", "monitoring/dashboards", "namespace")
OF_NO_NAMESPACE = {"Namespace", "PersistentVolume", "PriorityClass"}
JAVA_LEAST = 21  # that Strimzi's model is compiled for
MODEL = Path(__file__).with_name("strimzi")


def tool(name: str) -> str:
    """Where a program is."""
    place = program(name)
    if place is None:
        pytest.skip(f"no {name} here: `make helm` unpacks it")
    return str(place)


def run(*command: str | Path) -> str:
    """What a program prints. A failure is told with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


def parsed(text: str) -> list[dict[str, Any]]:
    """The objects that YAML holds, by the parser in C: the rules and dashboards are long."""
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]


def dumped(objects: list[dict[str, Any]]) -> str:
    """Objects as YAML without anchors."""
    return "---\n".join(yaml.safe_dump(json.loads(json.dumps(each))) for each in objects)


@cache
def built(name: str) -> list[dict[str, Any]]:
    """What a kustomization of k8s/ comes to."""
    return parsed(run(tool("kubectl"), "kustomize", K8S / name))


@cache
def written() -> list[dict[str, Any]]:
    """All objects of k8s/, as they stand in its files."""
    files = [path for path in K8S.rglob("*.yaml") if "grafana" not in path.parts]
    return [each for path in files for each in parsed(path.read_text()) if "metadata" in each]


def of(kind: str) -> dict[str, dict[str, Any]]:
    """Objects of a kind by their names."""
    return {each["metadata"]["name"]: each for each in written() if each["kind"] == kind}


def values(stack: str) -> dict[str, Any]:
    """What the chart is told over a stack."""
    return yaml.safe_load((K8S / stack / "values.yaml").read_text())


def broker_of(stack: str) -> tuple[str, int]:
    """Which Service the chart takes for the brokers'; its name stands in full, as KEDA must ask it, and its port."""
    place, _, port = values(stack)["kafka"]["servers"].partition(":")
    host, _, rest = place.partition(".")
    assert rest == "lipsol.svc.cluster.local"
    return host, int(port)


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every pod that objects make: whose, its metadata, its spec."""

    def found(held: Any, name: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        if isinstance(held, Mapping):
            if "containers" in held.get("spec", {}):
                yield name, held.get("metadata", {}), held["spec"]
            yield from chain.from_iterable(found(each, name) for each in held.values())
        elif isinstance(held, list):
            yield from chain.from_iterable(found(each, name) for each in held)

    for each in objects:
        yield from found(each, f"{each['kind']}/{each['metadata']['name']}")


def java() -> str:
    """A Java that can load Strimzi's model: the PATH's, or one beside it as Debian and Temurin lay them."""
    beside = sorted(Path("/usr/lib/jvm").glob("*/bin/java"))
    for place in filter(None, (shutil.which("java"), *map(str, beside))):
        told = subprocess.run([place, "-version"], capture_output=True, text=True, check=False).stderr
        version = re.search(r'version "(\d+)', told)
        if version and int(version[1]) >= JAVA_LEAST:
            return place
    pytest.skip(f"no Java {JAVA_LEAST} here, which Strimzi's model is compiled for")


@pytest.mark.parametrize("name", STACKS + ALONE_TOO)
def test_every_kustomization_builds(name):
    assert built(name)


def test_every_kustomization_is_tried():
    folders = {path.parent.relative_to(K8S).as_posix() for path in K8S.rglob("kustomization.yaml")}
    assert folders == {*STACKS, *ALONE_TOO}


@pytest.mark.parametrize("stack", STACKS)
def test_every_object_says_whose_it_is_and_lies_in_the_one_namespace(stack):
    for each in built(stack):
        assert each["metadata"]["labels"]["app.kubernetes.io/part-of"] == "lipsol", each["metadata"]["name"]
        named = each["metadata"].get("namespace")
        assert named == (None if each["kind"] in OF_NO_NAMESPACE else "lipsol"), each["metadata"]["name"]


def test_the_namespace_refuses_pods_that_are_not_restricted():
    labels = of("Namespace")["lipsol"]["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{what}"] for what in ("enforce", "audit", "warn")} == {"restricted"}


def test_every_pod_is_hardened():
    seen = 0
    for name, _, pod in pods(written()):
        seen += 1
        assert pod["automountServiceAccountToken"] is False, name
        security = pod["securityContext"]
        assert security["runAsNonRoot"] and security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert not any("hostPath" in volume for volume in pod.get("volumes", [])), name
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"], name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            if not name.startswith("TrainingRuntime/"):  # whose TrainJob asks
                asked = container["resources"]
                assert {"cpu", "memory"} <= set(asked["requests"]) and "memory" in asked["limits"], name
    assert seen == 4


def test_strimzis_pods_are_hardened_too():
    templates = [each["spec"]["template"] for each in of("KafkaNodePool").values()]
    templates.append(of("Kafka")["lipsol"]["spec"]["entityOperator"]["template"])
    for template in templates:
        assert template["pod"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        containers = [each["securityContext"] for name, each in template.items() if name.endswith("Container")]
        assert containers
        for security in (template["pod"]["securityContext"], *containers):
            assert security["runAsNonRoot"] is True
        for security in containers:
            assert security["allowPrivilegeEscalation"] is False and security["capabilities"] == {"drop": ["ALL"]}


def test_every_pod_of_ours_has_a_policy_for_both_ways_that_names_the_port_of_dns():
    policies = [each["spec"] for each in of("NetworkPolicy").values()]
    for name, metadata, _ in pods(written()):
        if name.startswith("TrainingRuntime/"):
            continue  # its labels are Kubeflow's to give; by those the policy finds it
        labels = metadata["labels"].items()
        assert any(each["podSelector"]["matchLabels"].items() <= labels for each in policies), name
    for each in policies:
        assert each["policyTypes"] == ["Ingress", "Egress"]
        ports = [(port["protocol"], port["port"]) for rule in each["egress"] for port in rule.get("ports", [])]
        assert {("UDP", 53), ("TCP", 53)} <= set(ports)


def test_no_secret_stands_here():
    assert not of("Secret")
    for name, _, pod in pods(written()):
        for each in chain.from_iterable(container.get("env", []) for container in pod["containers"]):
            if re.search("SECRET|PASSWORD|TOKEN|KEY", each["name"]):
                assert "value" not in each, f"{name}: {each['name']}"


def test_every_topic_and_every_user_of_the_catalogue_is_there():
    assert {each["spec"]["topicName"] for each in of("KafkaTopic").values()} == set(TOPICS)
    assert set(of("KafkaUser")) == {name_of(each) for each in GROUPS}
    owned = [*of("KafkaTopic").values(), *of("KafkaUser").values(), *of("KafkaNodePool").values()]
    clusters = {each["metadata"]["labels"]["strimzi.io/cluster"] for each in owned}
    assert clusters == set(of("Kafka")) == {"lipsol"}


def test_strimzi_understands_all_that_is_told_to_it(tmp_path):
    program = java()
    if shutil.which("mvn") is None:
        pytest.skip("no Maven here, which fetches Strimzi's model")
    try:
        jars = fetch_jars(TOP / "build" / "strimzi" / "libs", MODEL / "pom.xml")
    except Transient as away:
        pytest.skip(f"Strimzi's model can't be had: {away.detail.splitlines()[0][:80]}")
    check = [program, "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*", str(MODEL / "Check.java")]
    ours = [each for each in built("production") if each["apiVersion"].startswith("kafka.strimzi.io/")]
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(dumped(ours))
    assert run(*check, right) == f"{len(TOPICS) + len(GROUPS) + 3} read\n"
    wrong.write_text(dumped(ours).replace("- Read\n", "- Reed\n").replace("  replicas:", "  replikas:"))
    told = run(*check, wrong)
    assert "KafkaNodePool/broker.Spec: unknown [replikas]" in told
    assert "KafkaUser/lipsol-inference" in told and "Reed" in told


def test_what_runs_is_of_this_version_and_of_the_kafka_that_is_tested_with():
    version = re.search(r'^version = "(.*)"', (TOP / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    for path in K8S.rglob("kustomization.yaml"):
        for image in yaml.safe_load(path.read_text()).get("images", []):
            assert image["newTag"] == version[1], path
    broker = of("StatefulSet")["kafka"]["spec"]["template"]["spec"]
    images = {each["image"] for each in (*broker["containers"], *broker["initContainers"])}
    kafka = re.search(r"<artifactId>kafka_2.13</artifactId><version>([\d.]+)<", POM.read_text())
    assert kafka and images == {f"docker.io/apache/kafka:{kafka[1]}"}


def test_the_local_broker_is_told_what_the_one_of_this_machine_is():
    def told(text: str) -> dict[str, str]:
        return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))

    ours = told((K8S / "local" / "kafka" / "server.properties").read_text())
    here = told(CONFIG.format(host="", port="", controller="", data="", message_max=MESSAGE_MAX_BYTES))
    places = {"controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs"}
    places |= {"listener.security.protocol.map"}  # one more listener there, for this machine
    hasty = {"group.min.session.timeout.ms", "group.coordinator.rebalance.protocols", "log.initial.task.delay.ms",
             "log.cleaner.backoff.ms", "log.retention.check.interval.ms"}  # fmt: skip
    assert {key: value for key, value in ours.items() if key not in places} == {
        key: value for key, value in here.items() if key not in places | hasty
    }
    config = of("Kafka")["lipsol"]["spec"]["kafka"]["config"]
    assert config["message.max.bytes"] == MESSAGE_MAX_BYTES and config["auto.create.topics.enable"] is False


def test_mlflow_tells_its_makers_nothing_and_runs_no_jobs():
    (container,) = of("Deployment")["mlflow"]["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}
    wanted = {**ALONE, **{name: QUIET[name] for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")}}
    assert wanted.items() <= told.items()


def test_pipelines_find_their_volume():
    assert PipelinesSettings().volume in of("PersistentVolumeClaim")


def test_what_the_chart_is_told_locally_is_there():
    told = values("local")
    host, port = broker_of("local")
    assert port in {each["port"] for each in of("Service")[host]["spec"]["ports"]}
    assert told["store"]["volume"]["existingClaim"] in of("PersistentVolumeClaim")
    (job,) = of("Job")["topics"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "LIPSOL_BUS__SERVERS", "value": f"{host}:{port}"} in job["env"]


def test_what_the_chart_is_told_in_production_is_there():
    told, kafka = values("production"), of("Kafka")["lipsol"]
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    name = kafka["metadata"]["name"]
    assert broker_of("production") == (f"{name}-kafka-bootstrap", listener["port"])  # as Strimzi calls its Service
    assert told["kafka"]["tls"] == {"enabled": listener["tls"], "existingSecret": f"{name}-cluster-ca-cert"}
    assert told["kafka"]["sasl"]["mechanism"].lower() == listener["authentication"]["type"]
    assert told["kafka"]["sasl"]["users"] == {who: name_of(who) for who in GROUPS if who not in ("cli", "pipelines")}
    (container,) = of("Deployment")["mlflow"]["spec"]["template"]["spec"]["containers"]
    secrets = {each["valueFrom"]["secretKeyRef"]["name"] for each in container["env"]
               if "secretKeyRef" in each.get("valueFrom", {})}  # fmt: skip
    assert secrets == {told["store"]["s3"]["existingSecret"]}
    (port,) = of("Service")["mlflow"]["spec"]["ports"]
    assert told["registry"]["uri"] == f"http://mlflow:{port['port']}"
    made = set(re.findall(r"kubectl create secret generic (\S+)", (K8S / "README.md").read_text()))
    assert made == {told["store"]["s3"]["existingSecret"], told["registry"]["keysSecret"]}


def test_reading_goes_before_training_and_so_does_what_it_stands_on():
    told, example = values("production"), yaml.safe_load((CHART / "examples" / "production.yaml").read_text())
    ((name, made),) = of("PriorityClass").items()
    assert made["value"] > 0 and not made.get("globalDefault")
    assert told["pods"]["priorityClassName"] == example["pods"]["priorityClassName"] == name
    text = {f"{each['kind']}/{each['metadata']['name']}": json.dumps(each) for each in built("production")}
    first = {whose for whose, held in text.items() if f'"priorityClassName": "{name}"' in held}
    assert first == {"KafkaNodePool/broker", "KafkaNodePool/controller", "Kafka/lipsol", "Deployment/mlflow"}


@pytest.fixture(scope="module", params=STACKS)
def release(request) -> list[dict[str, Any]]:
    """What the chart installs over a stack."""
    if not (CHART / "Chart.yaml").exists():
        pytest.skip("no chart here")
    file = K8S / request.param / "values.yaml"
    command = [
        tool("helm3"),
        "template",
        "lipsol",
        CHART,
        "--namespace",
        "lipsol",
        "--values",
        file,
        "--kube-version",
        "1.34",
    ]
    return parsed(run(*command))


def told(release: list[dict[str, Any]], container: dict[str, Any]) -> dict[str, str | None]:
    """What a container of the chart is told; None: by a Secret."""
    shared = {each["metadata"]["name"]: each["data"] for each in release if each["kind"] == "ConfigMap"}
    found = {each["name"]: each.get("value") for each in container.get("env", [])}
    for each in container.get("envFrom", []):
        found |= shared[each["configMapRef"]["name"]]
    return found


def test_what_is_read_of_a_server_must_be_signed(release):
    """It knows no users, and every service may reach it."""
    for name, _, pod in pods(release):
        variables = told(release, pod["containers"][0])
        if variables.get("LIPSOL_REGISTRY__KIND") == "mlflow":
            mounts = {each["mountPath"]: each["name"] for each in pod["containers"][0]["volumeMounts"]}
            volumes = {each["name"]: each for each in pod["volumes"]}
            place = mounts[variables["LIPSOL_REGISTRY__KEYS"]]
            assert volumes[place]["secret"]["secretName"] == values("production")["registry"]["keysSecret"], name


def test_mlflow_hears_who_opens_a_registry_and_nobody_else(release):
    (rule,) = of("NetworkPolicy")["mlflow"]["spec"]["ingress"]
    ours = rule["from"][0]["podSelector"]
    (asked,) = ours["matchExpressions"]
    assert (asked["key"], asked["operator"]) == ("app.kubernetes.io/component", "In")
    opening = {
        metadata["labels"][asked["key"]]
        for _, metadata, pod in pods(release)
        if "LIPSOL_REGISTRY__KIND" in told(release, pod["containers"][0])
    }
    assert opening == set(asked["values"])


def test_prometheus_finds_every_service_of_the_chart(release):
    asked = [each["spec"]["selector"]["matchLabels"] for each in of("ServiceMonitor").values()]
    services = [each for each in release if each["kind"] == "Service"]
    found = {each["metadata"]["name"] for each in services
             if any(selector.items() <= each["metadata"]["labels"].items() for selector in asked)}  # fmt: skip
    assert found == {"lipsol-preprocess", "lipsol-inference", "lipsol-monitor"}
    for each in services:
        assert "metrics" in {port["name"] for port in each["spec"]["ports"]}
    canary = of("PodMonitor")["lipsol-canary"]["spec"]["selector"]["matchLabels"].items()
    watched = {name for name, metadata, _ in pods(release) if canary <= metadata.get("labels", {}).items()}
    assert watched == {"Deployment/lipsol-inference-canary"}


def test_the_brokers_let_every_pod_of_the_chart_in(release):
    rules = of("NetworkPolicy")["kafka"]["spec"]["ingress"][0]["from"]
    assert of("Kafka")["lipsol"]["spec"]["kafka"]["listeners"][0]["networkPolicyPeers"] == rules
    wanted = rules[0]["podSelector"]["matchLabels"].items()
    labels = {name: metadata["labels"] for name, metadata, _ in pods(release) if not name.startswith("Pod/")}
    assert {"Deployment/lipsol-inference-canary", "Job/lipsol-analyst", "Job/lipsol-hand-back"} <= set(labels)
    assert all(wanted <= each.items() for each in labels.values())


@pytest.mark.parametrize("stack", STACKS)
def test_a_cluster_takes_it_all(stack, tmp_path):
    """A dry run at the cluster that KUBECONFIG names, in the namespace `default`: a dry run makes none of ours."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster")
    known = run(tool("kubectl"), "api-resources", "--no-headers").split()
    taken = [deepcopy(each) for each in built(stack) if each["kind"] in known]
    for each in taken:
        if each["kind"] not in OF_NO_NAMESPACE:
            each["metadata"]["namespace"] = "default"
    file = tmp_path / "all.yaml"
    file.write_text(dumped(taken))
    told = run(tool("kubectl"), "apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", file)
    assert len(told.splitlines()) == len(taken) > 5
