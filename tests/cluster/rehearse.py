"""`make rehearse FAULT=...`: release a canary that goes wrong on purpose, under traffic, and watch what becomes of it.

It is played on the tests' own release, which is installed first where it is not there yet, and stays: the next one
takes a minute less. Helm rolls back by itself; stable reads on all the while.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any, get_args

from rich.console import Console

from lipsol.errors import BadInput
from services.inference.rehearsal import Fault
from services.local.processes import Process
from tests.cluster import images, install
from tests.cluster.helm import Helm, there_are
from tests.cluster.kube import find
from tests.cluster.outcome import Say
from tests.cluster.scenarios import HELM_S, KAFKA, settle, staged
from tests.cluster.surroundings import NAMESPACE, Surroundings
from tests.cluster.traffic import Traffic
from tests.conftest import TOP

WARM, WARM_S = 3, 60.0  # readings before the release begins, and how long they may take
LEAVE_S = 20.0  # that whoever watches may go on, once Helm has ended


def main(arguments: Sequence[str], console: Console, say: Say) -> int:
    """Rehearse; 0 if the canary was not let in. Raises BadInput for a fault that there is not."""
    if len(arguments) != 1 or arguments[0] not in faults():
        raise BadInput(f"no fault is called {' '.join(arguments) or 'nothing'}", f"name one: {', '.join(faults())}")
    cluster = find().within(NAMESPACE)
    helm, surroundings = Helm(there_are(cluster)[-1], cluster), Surroundings(cluster)
    if helm.status() == "":
        first(surroundings, helm, say)
    base = helm.values()
    told: dict[str, Any] = {"rehearsal": {"allowed": True, "fault": arguments[0]}}
    with staged(surroundings, helm, base, {}, say) as stage:
        settle(stage)
        with Traffic(stage.doors, "rehearse") as traffic:
            traffic.await_answered(WARM, WARM_S)
            say(f"helm upgrade with {told}, rolled back if it fails; stable is {stable(stage.generation())}")
            run = helm.upgrade(stage.values(told), atomic=True, timeout_s=HELM_S)
            with Process([sys.executable, "-m", "services.cli", "release", "watch"], environment=asked(), folder=TOP):
                done = run.wait(HELM_S + LEAVE_S)
            counts = traffic.stop()
        console.print(stage.lipsol("release", "explain"), soft_wrap=True, highlight=False, markup=False)
        verdict = "let in: the fault was not noticed" if done.code == 0 else "not let in"
        say(f"the canary was {verdict}; stable is {stable(stage.generation())}")
        say(f"{counts.sent} clips sent, {counts.failed} failed, {counts.lost} lost, {counts.doubled} doubled")
    return int(done.code == 0)


def faults() -> list[str]:
    """All faults that a service can have."""
    return [name for name in get_args(Fault) if name]


def first(surroundings: Surroundings, helm: Helm, say: Say) -> None:
    """Install what is to be upgraded. Raises RuntimeError where that fails."""
    cluster = surroundings.cluster
    if os.environ.get("IMAGES") != "kept":
        images.bases(cluster)
        images.build(cluster, say)
    images.load(cluster, say)
    outcome = install.play(surroundings, helm, install.values(surroundings, install.prepare()), say)
    if not outcome.holds:
        raise RuntimeError(f"the release to rehearse on is not as it should be: {'; '.join(outcome.broken)}")


def asked() -> dict[str, str]:
    """Our environment, asking the cluster's Kafka."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LIPSOL_")}
    return {**ours, "LIPSOL_BUS__KIND": "kafka", "LIPSOL_BUS__SERVERS": KAFKA}


def stable(generation: int) -> str:
    """How often stable's Deployment was changed, in words."""
    return f"at generation {generation}"
