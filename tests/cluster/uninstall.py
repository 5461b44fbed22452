"""The release taken away: in the midst of a canary, idle, and without its hooks as Kafka is gone; then installed anew.

Nothing of it stays but what the chart's README tells: Jobs that ended, for their day, and the pods of these and of
`helm test`. What users had sent is not lost by it: it waits in Kafka and in the store, which are not the chart's, for
the readers that are installed next. Services have other addresses by then, so these are the last scenarios of a run.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import httpx

from lipsol.traffic import live
from tests.cluster import install
from tests.cluster.helm import RELEASE, Done
from tests.cluster.judged import Judged
from tests.cluster.manifests import parsed
from tests.cluster.outcome import Outcome
from tests.cluster.rollout import upgrading
from tests.cluster.scenario import Scenario
from tests.cluster.scenarios import EDGE, ENDLESS, HELM_S, WAIT_S, Stage, bundle
from tests.cluster.surroundings import headed
from tests.cluster.traffic import failed
from tests.conftest import read_samples

LASTING = "edge-for-tests"
GONE, STAYED = "taken away", "not taken away"
INSTANCE = f"app.kubernetes.io/instance={RELEASE}"
SWEPT = "deployment,job,serviceaccount,role,rolebinding,networkpolicy"  # by kubectl, where no hook could run
UNTOLD = frozenset({"Pod", "ReplicaSet", "Secret"})  # kinds that come of the chart, and that it does not render
PODS_S = 90.0  # that pods may take to leave: longer than their grace
BEGUN_S = 120.0  # that a canary may take to get something
ON_S = 10.0  # that users send on once all is stable's: till nobody answers any more


def midst(stage: Stage, name: str) -> Outcome:
    """A canary reads for users: they are stable's first; what they had sent is read after the next install."""
    with lasting(stage) as there, upgrading(there, name, bundle(stage.digests["good"], ENDLESS)) as rollout:
        rollout.await_canary()
        early = failed(rollout.traffic.clips)
        run = stage.helm.uninstall(timeout_s=HELM_S)
        stage.await_expiry()
        time.sleep(ON_S)
        rollout.traffic.cease()
        done, upgrade = run.wait(WAIT_S), rollout.run.wait(WAIT_S)
        left, policy = await_left(stage), stage.policy()
        anew_at = time.time()
        stage.helm.install(stage.base, timeout_s=HELM_S).wait(WAIT_S).check()
        seen = rollout.gather(done)
    judged = Judged(seen)
    judged.delivered(excused=None)  # nobody answered for a while
    judged.hold("clips were given up", [f"{clip.key}: {clip.refused}" for clip in seen.counts.clips if clip.refused])
    judged.hold("requests failed before it", early)
    judged.on_stable(stage)
    judged.proven("clips of users on the canary", len(seen.on_canary))
    judged.proven("readings after the next install", len(seen.read_by(anew_at)))
    judged.check("the upgrade failed", upgrade.code != 0, "helm upgrade ended well")
    handed = policy.mode == "stable" and policy.set_by.startswith("hand-back")
    judged.check("the hook gave all to stable", handed, f"the policy was {policy}")
    judged.hold("something of it stays", left)
    return judged.outcome(name, stage, verdict(done), GONE)


def idle(stage: Stage, name: str) -> Outcome:
    """Nothing is under way."""
    began = time.monotonic()
    done = stage.helm.uninstall(timeout_s=HELM_S).wait(WAIT_S)
    broken = await_left(stage)
    policy = stage.policy()
    if policy.mode != "stable":
        broken.append(f"the policy is {policy}")
    return row(stage, name, done, broken, time.monotonic() - began)


def kafka_gone(stage: Stage, name: str) -> Outcome:
    """In the midst of a canary no broker answers: as docs/releases.md says, without hooks, and kubectl for the rest."""
    began, cluster = time.monotonic(), stage.cluster
    upgrade = stage.helm.upgrade(stage.values(bundle(stage.digests["good"], ENDLESS)), timeout_s=HELM_S)
    await_policy(stage)
    upgrade.kill()
    cluster.kubectl("scale", "statefulset/kafka", "--replicas=0")
    cluster.wait("pod/kafka-0", "delete")
    done = stage.helm.uninstall(hooks=False, timeout_s=HELM_S).wait(WAIT_S)
    broken = [] if stage.has_canary() else ["the canary is gone, so there was nothing to show"]
    cluster.kubectl("delete", SWEPT, "-l", INSTANCE, timeout_s=PODS_S)
    broken += await_left(stage)
    cluster.kubectl("scale", "statefulset/kafka", "--replicas=1")
    stage.surroundings.await_kafka()
    stage.await_bus()
    if live(policy := stage.policy(), time.time()):
        broken.append(f"a canary would get clips: the policy is {policy}")
    return row(stage, name, done, broken, time.monotonic() - began)


def row(stage: Stage, name: str, done: Done, broken: list[str], took_s: float) -> Outcome:
    """The row, once it is installed again and has read a clip. took_s: till it was gone."""
    stage.helm.install(stage.base, timeout_s=HELM_S).wait(WAIT_S).check()
    with stage.surroundings.doors() as doors, httpx.Client(base_url=doors.rest, timeout=install.READ_S) as http:
        unread = install.read(http, read_samples()[0])
    lost = int(bool(unread))
    return Outcome(name, verdict(done), GONE, str(stage.helm.version), 1, 0, lost, 0, round(took_s, 1),
                   (*broken, *([unread] if unread else [])))  # fmt: skip


def verdict(done: Done) -> str:
    """In a few words."""
    return GONE if done.code == 0 else STAYED


@contextmanager
def lasting(stage: Stage) -> Iterator[Stage]:
    """The same stage by a Service of the tests' own, whose address stays while the release's edge goes and comes."""
    cluster, edge = stage.cluster, stage.cluster.get("service", EDGE)["spec"]
    cluster.apply({**headed("Service", LASTING), "spec": {name: edge[name] for name in ("selector", "ports")}})
    try:
        with cluster.door(LASTING, 8080) as rest, cluster.door(LASTING, 8090) as grpc:
            yield replace(stage, doors=replace(stage.doors, url=f"http://{rest}", grpc=grpc))
    finally:
        cluster.delete("service", LASTING)


def await_policy(stage: Stage) -> None:
    """Return once a canary gets something. Raises TimeoutError."""
    until = time.monotonic() + BEGUN_S
    while not live(stage.policy(), time.time()):
        if time.monotonic() > until:
            raise TimeoutError(f"no canary got anything within {BEGUN_S:g} s")
        time.sleep(0.5)


def await_left(stage: Stage) -> list[str]:
    """What is left of the release once its pods have had time to leave."""
    kinds = sorted(UNTOLD | {str(each["kind"]) for each in parsed(stage.helm.template(values=stage.base))})
    until = time.monotonic() + PODS_S
    while True:
        held = [each for each in stage.cluster.objects(",".join(kinds), INSTANCE) if not ended(each)]
        held += stage.cluster.objects("secrets", f"owner=helm,name={RELEASE}")
        if not held or time.monotonic() > until:
            return [f"{each['kind']} {each['metadata']['name']}" for each in held]
        time.sleep(1.0)


def ended(each: Mapping[str, Any]) -> bool:
    """Whether it is a Job that ended, or a pod of one, or of `helm test`."""
    status = each.get("status", {})
    if each["kind"] == "Pod":
        return status.get("phase") in {"Succeeded", "Failed"}
    conditions = status.get("conditions", []) if each["kind"] == "Job" else []
    return any(said["type"] in {"Complete", "Failed"} and said["status"] == "True" for said in conditions)


PLAYS: dict[str, Callable[..., Outcome]] = {
    "uninstall: in the midst of a canary": midst,
    "uninstall: idle": idle,
    "uninstall: Kafka is gone": kafka_gone,
}
# `make e2e-full` has time for them.
SCENARIOS = {name: Scenario(partial(play, name=name), GONE, brief=False) for name, play in PLAYS.items()}
