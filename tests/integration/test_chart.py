"""The chart as Helm renders it: hardened, named, without a secret, and in step with the services that it runs."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from lipsol.rollout.gates import Gates
from lipsol.rollout.plan import EXPIRY_MIN_S, RENEWALS, STANDARD, Plan
from lipsol.runtime.settings import load
from lipsol.topics import CANARY_MOUTHS, STABLE_MOUTHS
from lipsol.traffic import LIFE_MAX_S
from services.__main__ import check_alone
from services.analyst.settings import AnalystSettings
from services.embedded import EmbeddedSettings
from services.inference.rehearsal import Fault, RehearsalSettings
from services.inference.tracks import CANARY_GROUP, STABLE_GROUP
from services.local.chart import CHART
from tests.charts_made import (
    KINDS,
    KUBERNETES,
    TOP,
    environment,
    leaves,
    missing,
    of_kind,
    pods,
    ran,
    rendered,
    unknown_fields,
)

if missing():
    pytest.skip(f"not here: {', '.join(missing())}; no chart is rendered", allow_module_level=True)

EXAMPLES = TOP / CHART / "examples"
SMALL = (EXAMPLES / "small.yaml",)
PRODUCTION = (EXAMPLES / "production.yaml",)
CASES = {
    "defaults": (),
    "small": SMALL,
    "production": PRODUCTION,
    "gpu": (*PRODUCTION, EXAMPLES / "gpu.yaml"),
    "ingress": (EXAMPLES / "ingress.yaml",),
    "rehearsal": (*SMALL, EXAMPLES / "rehearsal.yaml"),
    **{f"k8s-{path.parent.name}": (path,) for path in (TOP / "k8s").glob("*/values.yaml")},
}
HELMS = ("helm3", "helm4")
JOBS = ("Job/lipsol-analyst", "Job/lipsol-hand-back", "Job/lipsol-way-back")  # hooks that ask Kubernetes
BACK = "post-upgrade,pre-delete"  # when the hand-back is
EARLY = {  # of what a hook needs before it: when
    "analyst": {"pre-upgrade"},
    "hand-back": {BACK},
    "way-back": {"pre-rollback"},
    "analyst-hook": {"pre-upgrade,pre-rollback"},
    "canary-hook": {"pre-upgrade"},
}
SERVICES = ("preprocess", "inference", "monitor")
VOLUMES = {"name", "emptyDir", "secret", "persistentVolumeClaim"}  # none of the node


class Everything(EmbeddedSettings):
    """All sections that there are."""

    analyst: AnalystSettings = AnalystSettings()


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def values(request) -> tuple[Path, ...]:
    return request.param


@pytest.fixture
def objects(values):
    """All that a release consists of."""
    return rendered("helm4", values)


def containers(objects, name: str) -> Any:
    """The one container of a pod."""
    (container,) = dict(pods(objects))[name]["containers"]
    return container


def test_both_helms_find_nothing_to_blame():
    for helm in HELMS:
        done = ran(helm, "lint", CHART, "--strict", "--kube-version", KUBERNETES)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_suite_of_the_chart_passes():
    done = ran("helm-unittest", CHART)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_helms_render_the_same(values):
    first, second = ({identity(each): each for each in rendered(helm, values)} for helm in HELMS)
    assert first == second


def identity(each: Any) -> tuple[str, str, str]:
    """What an object is called, and when it is there: an uninstall's hooks are those of other moments once more."""
    hook = each["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    return each["kind"], each["metadata"]["name"], hook


def test_no_two_objects_are_one(objects):
    names = [identity(each) for each in objects]
    assert len(names) == len(set(names))
    assert all(len(name) <= 63 for _, name, _ in names)


def test_every_field_is_one_that_kubernetes_knows(objects):
    assert not [fault for each in objects if each["kind"] in KINDS for fault in unknown_fields(each)]


def test_every_pod_is_as_restricted_asks(objects):
    for whose, spec in pods(objects):
        assert spec["securityContext"]["runAsNonRoot"] is True, whose
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, whose
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), whose
        assert all(
            volume.keys() <= {"name", "emptyDir", "secret", "persistentVolumeClaim"} for volume in spec["volumes"]
        )
        for container in spec["containers"]:
            held = container["securityContext"]
            assert held["allowPrivilegeEscalation"] is False, whose
            assert held["capabilities"] == {"drop": ["ALL"]}, whose
            assert held["readOnlyRootFilesystem"] is True, whose


def test_every_pod_has_bounds(objects):
    for whose, spec in pods(objects):
        assert all(volume["emptyDir"]["sizeLimit"] for volume in spec["volumes"] if "emptyDir" in volume), whose
        for container in spec["containers"]:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, whose
            assert container["resources"]["limits"]["memory"], whose


def test_a_token_is_for_the_hooks_that_ask_kubernetes_alone(objects):
    assert {whose for whose, spec in pods(objects) if spec["automountServiceAccountToken"]} == set(JOBS)
    assert not any(each["automountServiceAccountToken"] for each in of_kind(objects, "ServiceAccount").values())


def test_what_asks_kubernetes_may_do_what_it_must_and_to_no_other_object(objects):
    canary = ("deployments", "lipsol-inference-canary")
    revisions = [("secrets", f"sh.helm.release.v1.lipsol.v{revision}", "get") for revision in (1, 2)]
    its_own = {name: ("jobs/status", f"lipsol-{name}", "patch") for name in ("analyst", "way-back")}
    looks = {(*canary, "get delete"), ("pods", "*", "list"), ("jobs", "lipsol-analyst", "get")}
    granted = {identity(each)[1:]: rights(each) for each in objects if each["kind"] == "Role"}
    assert granted == {
        ("lipsol-analyst", "pre-upgrade"): {*looks, its_own["analyst"], *revisions},
        ("lipsol-hand-back", BACK): {(*canary, "delete")},
        ("lipsol-way-back", "pre-rollback"): {(*canary, "delete"), its_own["way-back"], revisions[0]},
        **{(f"lipsol-{name}", "post-delete"): set() for name in ("analyst", "hand-back", "way-back")},
    }
    assert not {each["kind"] for each in objects} & {"ClusterRole", "ClusterRoleBinding"}


def rights(role: Any) -> set[tuple[str, str, str]]:
    """What a Role lets do: the kind, the object (*: any) and the verbs."""
    return {
        (kind, name, " ".join(rule["verbs"]))
        for rule in role["rules"]
        for kind in rule["resources"]
        for name in rule.get("resourceNames", ["*"])
    }


def test_who_asks_kubernetes_keeps_its_rights_when_helm_has_given_up_and_an_uninstall_takes_them_away(objects):
    """A Job runs on where `--timeout` was short; with hook-succeeded Helm would delete its account at that moment."""
    kinds = {"ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"}
    policies = {
        named: each["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
        for each in objects
        if (named := identity(each))[0] in kinds and named[2]
    }
    left = {(kind, name) for (kind, name, _), policy in policies.items() if policy == "before-hook-creation"}
    taken = {(kind, name) for (kind, name, hook) in policies if hook == "post-delete"}
    assert left == taken and len(left) == 3 * len(kinds) - 1
    assert {policies[(*each, "post-delete")] for each in taken} == {"before-hook-creation,hook-succeeded"}


def test_every_image_is_named_and_none_by_a_tag_that_moves(objects):
    names = set()
    for whose, spec in pods(objects):
        for container in spec["containers"]:
            found = re.fullmatch(r"(?:[\w.-]+/)*(lipsol-[\w-]+):(\d+\.\d+\.\d+)", container["image"])
            assert found, f"{whose}: {container['image']}"
            names.add(found[1])
    assert names in (
        {"lipsol-preprocess", "lipsol-inference", "lipsol-monitor"},
        {"lipsol-preprocess", "lipsol-inference-gpu", "lipsol-monitor"},
    )


def test_there_is_no_secret_and_no_secret_value(objects):
    assert "Secret" not in {each["kind"] for each in objects}
    for whose, spec in pods(objects):
        for container in spec["containers"]:
            for name, value in environment(objects, container).items():
                assert value is None or not re.search(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY", name), f"{whose}: {name}"


def test_the_live_weight_stands_nowhere(objects):
    """The plan says which weights there will be; which one there is, only the traffic policy says."""
    for each in objects:
        for path, value in leaves(each):
            weighs = "weight" in path.lower() or "weight" in str(value).lower()
            planned = str(value).startswith('{"deadline_s"')
            assert not weighs or path.endswith("/helm.sh/hook-weight") or planned, f"{each['kind']}{path}: {value}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_is_a_setting_and_together_they_let_a_service_start(objects, service, monkeypatch):
    name = f"Deployment/lipsol-{service}"
    told = environment(objects, containers(objects, name))
    for key, value in told.items():
        monkeypatch.setenv(key, "a secret" if value is None else value)
    check_alone(service, load(EmbeddedSettings))
    assert not unknown(told)


@pytest.mark.parametrize("name", ["Deployment/lipsol-inference-canary", *JOBS])
def test_what_a_hook_is_told_are_settings_that_can_work(objects, name, monkeypatch):
    told = environment(objects, containers(objects, name))
    assert not unknown(told)
    for key, value in told.items():
        monkeypatch.setenv(key, "a secret" if value is None else value)
    asked = load(Everything).analyst
    if name.startswith("Job/"):
        assert (asked.release, asked.namespace, asked.revision) == ("lipsol", "faces", 1)
        assert asked.deployment == "lipsol-inference-canary"


def unknown(told) -> list[str]:
    """Variables that begin as settings do, and are none."""
    found = []
    for name in (name for name in told if name.startswith("LIPSOL_")):
        section, *parts = name.removeprefix("LIPSOL_").lower().split("__")
        place: Any = Everything()
        for part in (section, *parts):
            if part not in type(place).model_fields:
                found.append(name)
                break
            place = getattr(place, part)
    return found


def test_the_canary_is_told_what_stable_will_be_told_but_for_its_track(objects):
    stable = environment(objects, containers(objects, "Deployment/lipsol-inference"))
    canary = environment(objects, containers(objects, "Deployment/lipsol-inference-canary"))
    differing = {name for name in stable.keys() | canary.keys() if stable.get(name) != canary.get(name)}
    assert {name for name in differing if not name.startswith("LIPSOL_REHEARSAL__")} == {"LIPSOL_INFERENCE__TRACK"}
    assert (stable["LIPSOL_INFERENCE__TRACK"], canary["LIPSOL_INFERENCE__TRACK"]) == ("stable", "canary")


def test_both_tracks_are_pinned_to_the_releases_bundle_and_another_bundle_makes_new_pods_of_stable(tmp_path):
    annotations = []
    for digest in ("a1" * 32, "b2" * 32):
        path = tmp_path / f"{digest[:2]}.yaml"
        path.write_text(f"release: {{bundle: {digest}}}\ninference: {{settings: {{bundles: [{'c3' * 32}]}}}}\n")
        objects = rendered("helm4", (*SMALL, path))
        for track in ("", "-canary"):
            told = environment(objects, containers(objects, f"Deployment/lipsol-inference{track}"))
            assert json.loads(told["LIPSOL_INFERENCE__BUNDLES"]) == [digest, "c3" * 32]
        analyst = environment(objects, containers(objects, "Job/lipsol-analyst"))
        assert analyst["LIPSOL_ANALYST__CANARY_DIGEST"] == digest
        assert json.loads(analyst["LIPSOL_ANALYST__BUNDLES"]) == [digest, "c3" * 32]
        held = of_kind(objects, "Deployment")
        annotations.append({name: each["spec"]["template"]["metadata"]["annotations"] for name, each in held.items()})
    before, after = annotations
    assert {name for name in before if before[name] != after[name]} == {"lipsol-inference", "lipsol-inference-canary"}


def test_the_fault_of_a_rehearsal_is_one_that_the_readers_know():
    narrowed = json.loads((TOP / CHART / "values.schema.json").read_text())["properties"]["rehearsal"]["properties"]
    assert narrowed["fault"]["enum"] == list(get_args(Fault))
    assert set(narrowed["settings"]["properties"]) == set(RehearsalSettings.model_fields) - {"allowed", "fault"}


def test_the_analyst_is_told_where_it_may_say_why_it_failed(objects):
    told = environment(objects, containers(objects, "Job/lipsol-analyst"))
    assert told["LIPSOL_ANALYST__JOB"] in of_kind(objects, "Job")
    assert float(told["LIPSOL_ANALYST__LOOK_S"]) < EXPIRY_MIN_S / RENEWALS


def test_the_canary_is_the_pod_that_stable_will_be(objects):
    stable, canary = (dict(pods(objects))[f"Deployment/lipsol-inference{end}"] for end in ("", "-canary"))
    differing = {key for key in stable.keys() | canary.keys() if stable.get(key) != canary.get(key)}
    assert differing == {"containers", "topologySpreadConstraints"}
    ours, theirs = stable["containers"][0], canary["containers"][0]
    assert {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)} == {"env", "envFrom"}


def test_the_chart_refuses_an_expiry_that_the_policy_refuses():
    narrowed = json.loads((TOP / CHART / "values.schema.json").read_text())["properties"]["release"]["properties"]
    bounds = narrowed["expiry_s"]
    assert (bounds["minimum"], bounds["exclusiveMaximum"]) == (EXPIRY_MIN_S, LIFE_MAX_S)


def test_the_analyst_is_told_a_plan_and_gates_that_it_can_read(objects):
    told = environment(objects, containers(objects, "Job/lipsol-analyst"))
    plan = Plan.from_json(told["LIPSOL_ANALYST__PLAN"])
    Gates(**json.loads(told["LIPSOL_ANALYST__GATES"]))
    assert of_kind(objects, "Job")["lipsol-analyst"]["spec"]["activeDeadlineSeconds"] > plan.deadline_s
    assert told["LIPSOL_ANALYST__DEPLOYMENT"] in of_kind(objects, "Deployment")


def test_the_plan_is_the_standard_one_where_nobody_says_otherwise():
    told = environment(rendered("helm4", ()), containers(rendered("helm4", ()), "Job/lipsol-analyst"))
    assert Plan.from_json(told["LIPSOL_ANALYST__PLAN"]) == STANDARD


def test_the_hooks_are_those_that_a_rollback_to_any_release_finds(objects):
    hooks = {
        f"{each['kind']}/{each['metadata']['name']}": (noted["helm.sh/hook"], noted.get("helm.sh/hook-weight"))
        for each in objects
        if identity(each)[2] not in ("", "post-delete") and (noted := each["metadata"]["annotations"])
    }
    assert hooks.pop("Deployment/lipsol-inference-canary") == ("pre-upgrade", "-10")
    assert hooks.pop("Job/lipsol-analyst") == ("pre-upgrade", "0")
    assert hooks.pop("Job/lipsol-hand-back") == (BACK, "0")
    assert hooks.pop("Job/lipsol-way-back") == ("pre-rollback", "0")
    assert hooks.pop("Pod/lipsol-test-clip") == ("test", None)
    early: dict[str, set[str]] = {}
    for name, (hook, weight) in hooks.items():
        assert weight == "-20", name
        early.setdefault(name.partition("/lipsol-")[2], set()).add(hook)
    assert early == EARLY


@pytest.mark.parametrize("service", SERVICES)
def test_a_pod_has_the_time_that_its_service_may_take_to_leave(objects, service):
    name = f"Deployment/lipsol-{service}"
    told = environment(objects, containers(objects, name))
    drain_s, grace_s = (float(told[f"LIPSOL_{service.upper()}__{each}"]) for each in ("DRAIN_S", "GRACE_S"))
    sleep_s = containers(objects, name)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert dict(pods(objects))[name]["terminationGracePeriodSeconds"] >= sleep_s + drain_s + 2 * grace_s + 10


@pytest.mark.parametrize("service", SERVICES)
def test_doors_are_where_the_service_opens_them(objects, service):
    place = getattr(EmbeddedSettings(), service)
    ports = {
        each["name"]: each["containerPort"] for each in containers(objects, f"Deployment/lipsol-{service}")["ports"]
    }
    assert ports["http"] == place.port
    assert ports.get("grpc") == getattr(place, "grpc_port", None)
    offered = of_kind(objects, "Service")[f"lipsol-{service}"]["spec"]["ports"]
    assert {each["targetPort"]: each["port"] for each in offered} == ports


def test_a_service_leads_to_its_pods_and_to_no_canary(objects):
    for name, service in of_kind(objects, "Service").items():
        chosen = service["spec"]["selector"].items()
        led = [each for each, held in of_kind(objects, "Deployment").items() if chosen <= labels(held).items()]
        assert led == [name]


def labels(deployment) -> dict[str, str]:
    return deployment["spec"]["template"]["metadata"]["labels"]


def test_every_pod_of_a_release_is_shut_and_opened_by_name(objects):
    policies = of_kind(living(objects), "NetworkPolicy")
    shut = policies.pop("lipsol-nothing")["spec"]
    assert shut["policyTypes"] == ["Ingress", "Egress"] and not {"ingress", "egress"} & shut.keys()
    for each in objects:
        if each["kind"] in {"Deployment", "Job"}:
            assert shut["podSelector"]["matchLabels"].items() <= labels(each).items()
            opened = [
                name
                for name, p in policies.items()
                if p["spec"]["podSelector"]["matchLabels"].items() <= labels(each).items()
            ]
            hooked = "helm.sh/hook" in each["metadata"].get("annotations", {})
            early = [name for name in opened if name.endswith("-hook")]
            assert (len(early), len(opened)) == ((1, 2) if hooked else (0, 1)), opened


def living(objects) -> list[Any]:
    """Those that are there before an uninstall has ended."""
    return [each for each in objects if identity(each)[2] != "post-delete"]


def test_no_rule_of_a_policy_is_open_to_all_and_dns_is_named(objects):
    for name, policy in of_kind(living(objects), "NetworkPolicy").items():
        if name == "lipsol-nothing":
            continue
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        for rule in policy["spec"].get("ingress", []):
            assert rule["from"] and rule["ports"], name
        for rule in policy["spec"]["egress"]:
            assert rule["to"] and rule["ports"], name
        assert [(each["protocol"], each["port"]) for each in policy["spec"]["egress"][0]["ports"]] == [
            ("UDP", 53),
            ("TCP", 53),
        ]


def test_readers_are_scaled_by_the_catalogues_topics_and_their_groups_and_never_beyond_its_partitions():
    (scaled,) = of_kind(rendered("helm4", PRODUCTION), "ScaledObject").values()
    asked = [(each["metadata"]["topic"], each["metadata"]["consumerGroup"]) for each in scaled["spec"]["triggers"]]
    assert asked == [(STABLE_MOUTHS.name, STABLE_GROUP), (CANARY_MOUTHS.name, CANARY_GROUP)]
    assert scaled["spec"]["maxReplicaCount"] <= min(STABLE_MOUTHS.partitions, CANARY_MOUTHS.partitions)


def test_a_name_of_its_own_goes_before_every_object():
    for each in rendered("helm4", (), release="read"):
        assert each["metadata"]["name"].startswith("read-lipsol")
