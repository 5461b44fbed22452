"""Faults in the midst of a canary: whatever dies, no clip is lost, and no canary reads for long without its analyst."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.cluster.judged import Judged
from tests.cluster.kube import Cluster
from tests.cluster.outcome import Outcome
from tests.cluster.rollout import Rollout, Seen, upgrading, verdict_of
from tests.cluster.scenario import Scenario
from tests.cluster.scenarios import (
    ANALYST,
    ENDLESS,
    EXPIRY_S,
    HELM_S,
    LONG,
    READERS,
    SHORT,
    WAIT_S,
    Stage,
    Steps,
    bundle,
)
from tests.cluster.split import FOLLOWED_S

SURVIVED, SKIPPED = "survived", "skipped"
UP_S = 90.0  # that an API server may take to answer again


def analyst(stage: Stage, name: str) -> Outcome:
    """The hook's pod is killed: the upgrade fails, and the canary gets nothing once its policy has run out."""
    with upgrading(stage, name, bundle(stage.digests["good"], ENDLESS)) as rollout:
        rollout.await_canary()
        (pod,) = (str(pod["metadata"]["name"]) for pod in stage.cluster.objects("pods", f"job-name={ANALYST}"))
        end(stage.cluster, pod)
        died_at = time.time()  # or a little before: what it did till then was an analyst's that lived
        done = rollout.run.wait(WAIT_S)
        stage.await_expiry()
        stage.say(f"no canary's policy holds {time.time() - died_at:.1f} s after its analyst's death")
        cure = stage.helm.rollback(rollout.before, timeout_s=HELM_S).wait(WAIT_S)
        seen = rollout.gather(done)
    judged = survived(stage, seen)
    judged.untouched()
    judged.check("the upgrade failed", done.code != 0, "helm upgrade ended well")
    judged.check("a rollback takes the canary away", cure.code == 0, f"it said {cure.said[-300:]!r}")
    expired(judged, died_at)
    return judged.outcome(name, stage, SURVIVED, SURVIVED)


def client(stage: Stage, name: str) -> Outcome:
    """Helm itself is killed: the next upgrade is refused, `helm rollback` is the cure, and then one passes."""
    release = bundle(stage.digests["good"], ENDLESS)
    with upgrading(stage, name, release) as rollout:
        rollout.await_canary()
        killed = rollout.run.kill()
        left = stage.helm.status()
        refused = stage.helm.upgrade(stage.values(release), timeout_s=HELM_S).wait(WAIT_S)
        cure = stage.helm.rollback(rollout.before, timeout_s=HELM_S).wait(WAIT_S)
        cured = stage.helm.status()
        generation = stage.generation()
        following = stage.helm.upgrade(stage.values(bundle(stage.digests["good"], SHORT)), timeout_s=HELM_S)
        seen = rollout.gather(following.wait(WAIT_S))
    judged = survived(stage, seen)
    judged.check("helm was killed in the midst", killed.code < 0, f"it ended with {killed.code}")
    judged.check("it left pending-upgrade", left == "pending-upgrade", f"the status was {left!r}")
    said = refused.said[-300:]
    judged.check("an upgrade is refused meanwhile", refused.code != 0 and "in progress" in said, f"it said {said!r}")
    judged.check("a rollback is the cure", cure.code == 0 and cured == "deployed", f"{cured!r}: {cure.said[-300:]}")
    judged.check("stable is untouched till then", generation == seen.generations[0], f"its generation is {generation}")
    judged.check("the next upgrade works", seen.done.code == 0, f"it said {seen.done.said[-300:]!r}")
    return judged.outcome(name, stage, SURVIVED, SURVIVED)


def kafka(stage: Stage, name: str) -> Outcome:
    """The broker is killed and comes back with what it held."""

    def restart(rollout: Rollout) -> None:
        stage.surroundings.kill_kafka()
        time.sleep(2.0)
        stage.surroundings.await_kafka()
        stage.await_bus()

    return ridden_out(stage, name, restart, lenient=True)


def stable_pod(stage: Stage, name: str) -> Outcome:
    """Stable's reader is killed with clips in its hands."""
    return ridden_out(stage, name, partial(kill_reader, stage, "stable"))


def canary_pod(stage: Stage, name: str) -> Outcome:
    """The canary is killed with clips in its hands."""
    return ridden_out(stage, name, partial(kill_reader, stage, "canary"))


def api_server(stage: Stage, name: str) -> Outcome:
    """Kubernetes' own API goes away and comes back."""
    if not can_restart_api(stage.cluster):
        stage.say("this cluster offers no way to restart its API server: skipped")
        return Outcome(name, SKIPPED, SKIPPED, str(stage.helm.version))

    def restart(rollout: Rollout) -> None:
        restart_api(stage.cluster)

    return ridden_out(stage, name, restart)


def ridden_out(
    stage: Stage, name: str, strike: Callable[[Rollout], None], steps: Steps = LONG, *, lenient: bool = False
) -> Outcome:
    """Something dies in the midst of a canary that is none of the release's own: it passes, or is undone.

    lenient  whether requests may fail meanwhile; none may be lost
    """
    with upgrading(stage, name, bundle(stage.digests["good"], steps), atomic=True) as rollout:
        rollout.await_canary()
        struck_at = time.time()
        strike(rollout)
        stage.say(f"struck; back after {time.time() - struck_at:.1f} s")
        done = rollout.run.wait(WAIT_S)
        if stage.helm.status().startswith("pending"):
            stage.say("the release is left pending: `helm rollback` is the cure")
            stage.helm.rollback(rollout.before, timeout_s=HELM_S).wait(WAIT_S).check()
        stage.await_expiry()
        stage.await_no_canary()
        seen = rollout.gather(done)
    judged = survived(stage, seen, lenient=lenient)
    after = [clip for clip in seen.counts.clips if clip.readings and clip.began_at > struck_at]
    judged.proven("clips sent after it and read", len(after))
    judged.measured |= {"release": verdict_of(seen), "away for s": round(time.time() - struck_at, 1)}
    newest = seen.history[-1]
    ended = newest["status"] in {"deployed", "failed"}
    judged.check("the release has ended", ended, f"its newest revision is {newest}")
    if verdict_of(seen) != "passed":
        judged.untouched()
    return judged.outcome(name, stage, SURVIVED, SURVIVED)


def survived(stage: Stage, seen: Seen, *, lenient: bool = False) -> Judged:
    """The laws whatever dies: nothing lost, and in the end all is stable's."""
    judged = Judged(seen)
    judged.delivered(None if lenient else frozenset())
    judged.on_stable(stage)
    judged.proven("clips of users on the canary", len(seen.on_canary))
    return judged


def expired(judged: Judged, died_at: float) -> None:
    """The canary got nothing any more once the policy of a dead analyst had run out."""
    ways = judged.seen.ways.values()
    last_s = max((way.at for way in ways if way.route.track == "canary"), default=0.0) - died_at
    judged.measured["last clip to the canary after s"] = round(last_s, 1)
    within = last_s <= EXPIRY_S + FOLLOWED_S
    judged.check("a canary never outlives its analyst for long", within, f"it got a clip {last_s:.1f} s after")
    renewed = [rule for rule in judged.seen.rules if rule.at > died_at + FOLLOWED_S and rule.policy.mode != "stable"]
    judged.hold("somebody renewed a dead analyst's policy", [f"{rule.at - died_at:.1f} s after" for rule in renewed])


def kill_reader(stage: Stage, track: str, rollout: Rollout) -> None:
    """Take a track's reader away as a node's end does: its pod goes, and nothing in it hears of that."""
    (pod, *_) = stage.cluster.pods(READERS + track)
    pids = processes(stage.cluster, pod)
    stage.cluster.kill_pod(pod)
    kill(pids)


def end(cluster: Cluster, pod: str) -> None:
    """End a pod without a word to it: by SIGKILL where its processes are this machine's own, else by its deletion."""
    if pids := processes(cluster, pod):
        kill(pids)
    else:
        cluster.kill_pod(pod)


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to all that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def processes(cluster: Cluster, pod: str) -> list[int]:
    """This machine's processes that run in a pod, but for the one that only holds it open; elsewhere none."""
    uid, found = str(cluster.get("pod", pod)["metadata"]["uid"]), list[int]()
    for path in Path("/proc").glob("[0-9]*") if cluster.sort == "stand-in" else ():
        with suppress(OSError):  # it has gone
            groups = (path / "cgroup").read_text()
            held = (path / "comm").read_text().strip() == "pause"
            if not held and (f"pod{uid}" in groups or f"pod{uid.replace('-', '_')}" in groups):
                found.append(int(path.name))
    return found


def can_restart_api(cluster: Cluster) -> bool:
    """Whether the API server is a process of this machine that we know how to start."""
    return cluster.sort == "stand-in" and (cluster.home / "pid" / "kube-apiserver").is_file() and os.geteuid() == 0


def restart_api(cluster: Cluster) -> None:
    """Kill the API server, start it as it was started, and return when it answers."""
    pids, log = cluster.home / "pid", cluster.home / "log" / "kube-apiserver"
    pid, beside = (int((pids / name).read_text()) for name in ("kube-apiserver", "kubelet"))
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    os.kill(pid, signal.SIGKILL)
    time.sleep(2.0)
    with log.open("ab") as out:
        started = subprocess.Popen(
            ["nsenter", f"--net=/proc/{beside}/ns/net", *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            env=dict(cluster.environment),
            start_new_session=True,
        )
    (pids / "kube-apiserver").write_text(f"{started.pid}\n")
    until = time.monotonic() + UP_S
    while cluster.ran("get", "--raw", "/readyz").returncode:
        if time.monotonic() > until:
            raise TimeoutError(f"the API server does not answer {UP_S:g} s after its restart; see {log}")
        time.sleep(0.5)


PLAYS: dict[str, tuple[Callable[..., Outcome], str]] = {
    "fault: hook pod killed": (analyst, SURVIVED),
    "fault: helm client killed": (client, SURVIVED),
    "fault: kafka restarted": (kafka, SURVIVED),
    "fault: stable pod killed": (stable_pod, SURVIVED),
    "fault: canary pod killed": (canary_pod, SURVIVED),
    "fault: API server restarted": (api_server, SURVIVED),
}
LONGER = frozenset({"fault: stable pod killed", "fault: API server restarted"})  # `make e2e-full` has time for them
SCENARIOS = {
    name: Scenario(partial(play, name=name), wanted, name not in LONGER) for name, (play, wanted) in PLAYS.items()
}
