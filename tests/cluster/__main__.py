"""`python -m tests.cluster [NAME ...]`: play scenarios on a real cluster, print their figures, write build/e2e.json.

NAME     a scenario's, in small letters with dashes, or how several begin: bad-upgrade; none: all that there is time for
up       bring the cluster, its custom resources and the images, say what to export, and leave
rehearse FAULT  release a canary with a fault into what is installed, and say what became of it
FULL=1   with each Helm that is here, and the scenarios that take long; else with the newest Helm alone
HELM=3   with that Helm alone
IMAGES=kept  take the images that were built before
MINUTES=20  begin nothing after so many, images and install neither, and say what was left out
CLUSTER=optional  leave in peace, and say so, where no cluster can be had, or no time is left for any scenario
KEEP=1   leave the release where it is at the end, to be looked at
Exit code 1 if a scenario did not come as it had to. The namespace is the tests' own, and is taken away at the end.
"""

import fcntl
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from rich.console import Console

from lipsol.errors import BadInput, LipsolError
from tests.benchmarks.figures import machine
from tests.cluster import images, install, rehearse
from tests.cluster.bundles import Digests
from tests.cluster.helm import Helm, Version, there_are
from tests.cluster.kube import FOLDER, Cluster, StandIn, find
from tests.cluster.outcome import Outcome, Say, show, unplayed, write
from tests.cluster.scenario import LeftOut, Scenario
from tests.cluster.scenarios import Stage, settle, staged
from tests.cluster.surroundings import NAMESPACE, Surroundings

MODULES = ("isolation", "manifests", "upgrades", "rollbacks", "faults", "ways", "scale", "uninstall")
INSTALL = "install"


def offered() -> dict[str, Scenario]:
    """Every scenario but the install, by name, in the order in which they are played."""
    found: dict[str, Scenario] = {}
    for module in MODULES:
        found |= import_module(f"tests.cluster.{module}").SCENARIOS
    return found


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all is cleared away
    console = Console(width=160)
    try:
        with alone():
            if arguments[:1] == ["up"]:
                return up(console)
            if arguments[:1] == ["rehearse"]:
                return rehearse.main(arguments[1:], console, sayer(console))
            return play(arguments, console)
    except LipsolError as fault:
        Console(stderr=True, soft_wrap=True).print(f"cluster: {fault.detail}; {fault.cure}", markup=False)
    except (RuntimeError, TimeoutError) as fault:
        Console(stderr=True, soft_wrap=True).print(f"cluster: {fault}", markup=False)
    return 1


@contextmanager
def alone() -> Iterator[None]:
    """Two runs at once would take each other's release away. Raises RuntimeError where another one is at it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise RuntimeError("another run is at it: wait until it has ended") from fault
        yield


def up(console: Console) -> int:
    """A cluster with what the chart may ask of it, and the images in it."""
    cluster = find()
    images.bases(cluster)
    say = sayer(console)
    took = images.build(cluster, say) if os.environ.get("IMAGES") != "kept" else 0.0
    console.print(f"images built in {took:.0f} s, loaded in {images.load(cluster, say):.0f} s")
    custom(cluster, say)
    console.print(f"export KUBECONFIG={cluster.environment['KUBECONFIG']}", soft_wrap=True, highlight=False)
    console.print(f"export PATH={cluster.environment['PATH'].split(':')[0]}:$PATH", soft_wrap=True, highlight=False)
    return 0


def custom(cluster: Cluster, say: Say) -> None:
    """The custom resources that the manifests use; of a cluster that is somebody's, its owner has the say."""
    if cluster.sort == "stand-in":
        say("custom resources of KEDA, the Prometheus operator, Gateway API and Trainer")
        StandIn().run("cluster", "crds", quiet=True)


def play(names: Sequence[str], console: Console) -> int:
    """Play scenarios; the exit code."""
    scenarios, say, full = offered(), sayer(console), bool(os.environ.get("FULL"))
    if unknown := [name for name in names if not any(means(name, each) for each in (INSTALL, *scenarios))]:
        there = ", ".join(map(spelt, (INSTALL, *scenarios)))
        console.print(f"no scenario is called {', '.join(unknown)}: there are {there}", soft_wrap=True)
        return 2
    began = time.monotonic()
    until = began + 60 * float(os.environ.get("MINUTES") or "inf")
    try:
        cluster = brought(say, until)
        put_images(cluster, say, until)
        digests = install.prepare()
        in_time("to install anything", until)
    except Unplayable as why:
        if os.environ.get("CLUSTER") != "optional":
            raise
        console.print(f"nothing was played: {why}", soft_wrap=True, markup=False)
        return 0
    versions = wanted_of(there_are(cluster))
    outcomes: list[Outcome] = []
    surroundings = Surroundings(cluster)
    try:
        for version in versions if full else versions[-1:]:
            helm, last = Helm(version, cluster), version == versions[-1]
            chosen = {
                name: each
                for name, each in scenarios.items()
                if (any(means(word, name) for word in names) if names else full or each.brief) and (each.helms or last)
            }
            if outcomes and time.monotonic() >= until:
                say(f"no time is left for Helm {version}")
                break
            outcomes += one_helm(surroundings, helm, digests, chosen, say, until)
    finally:
        if not os.environ.get("KEEP"):
            say("taking it all away")
            surroundings.clear()
    show(outcomes, console, f"{time.monotonic() - began:.0f} s in all, {machine()}")
    return 0 if outcomes and all(outcome.holds for outcome in outcomes) else 1


class Unplayable(RuntimeError):
    """No cluster can be had, or no time is left for anything to be played: it says why."""


def in_time(what: str, until: float) -> None:
    """Raises Unplayable if it is too late, by the monotonic clock, for what would begin now."""
    if time.monotonic() >= until:
        raise Unplayable(f"no time is left {what}")


def brought(say: Say, until: float) -> Cluster:
    """The cluster, with all that it must have before our images. Raises Unplayable."""
    in_time("to bring a cluster", until)
    try:
        cluster = find().within(NAMESPACE)
        in_time("for what the images stand on", until)
        images.bases(cluster)
        custom(cluster, say)
    except (RuntimeError, LipsolError) as fault:
        raise Unplayable(str(fault)) from fault
    return cluster


def put_images(cluster: Cluster, say: Say, until: float) -> None:
    """Build the images, and put them into the cluster. Raises Unplayable."""
    if os.environ.get("IMAGES") != "kept":
        in_time("to build images", until)
        say(f"images built in {images.build(cluster, say):.0f} s")
    in_time("to load images", until)
    say(f"images loaded in {images.load(cluster, say):.0f} s")


def wanted_of(versions: Sequence[Version]) -> Sequence[Version]:
    """The Helms to play with, of those that are here. Raises BadInput if HELM names another."""
    named = os.environ.get("HELM", "")
    if named and named not in map(str, versions):
        there = ", ".join(map(str, versions))
        raise BadInput(f"HELM is {named!r}, and here are Helm {there}", "name one of these, or none for all")
    return [version for version in versions if named in ("", str(version))]


def one_helm(
    surroundings: Surroundings, helm: Helm, digests: Digests, chosen: Mapping[str, Scenario], say: Say, until: float
) -> list[Outcome]:
    """Install with one Helm, and play on that; each row is written as soon as it is there. until: by monotonic time."""
    base = install.values(surroundings, digests)
    outcomes = [installed(surroundings, helm, base, say)]
    keep(outcomes)
    if not outcomes[0].holds:
        return outcomes
    with staged(surroundings, helm, base, digests, say) as stage:
        for name, scenario in chosen.items():
            if time.monotonic() >= until:
                say(f"no time is left for {name}")
                continue
            outcomes += played(stage, name, scenario)
            keep(outcomes)
    return outcomes


def installed(surroundings: Surroundings, helm: Helm, base: Mapping[str, Any], say: Say) -> Outcome:
    """The first scenario, which all others stand on."""
    began = time.monotonic()
    try:
        return install.play(surroundings, helm, base, say)
    except Exception as fault:  # noqa: BLE001 - told as a row
        return broke_off(INSTALL, install.READY, helm, began, fault)


def played(stage: Stage, name: str, scenario: Scenario) -> Sequence[Outcome]:
    """One scenario's rows; one that can't be played has a row that says why."""
    stage.say(f"{name}, Helm {stage.helm.version}")
    began = time.monotonic()
    try:
        settle(stage)
        found = scenario.play(stage)
    except LeftOut as why:
        stage.say(f"{name} is left out: {why}")
        return []
    except Exception as fault:  # noqa: BLE001 - the others are still to be played
        return [broke_off(name, scenario.wanted, stage.helm, began, fault)]
    took = round(time.monotonic() - began, 1)
    rows = [replace(row, seconds=row.seconds or took) for row in ([found] if isinstance(found, Outcome) else found)]
    for row in rows:
        stage.say(f"{row.scenario}: {row.verdict}, {'as it had to' if row.holds else '; '.join(row.broken)}")
    return rows


def broke_off(name: str, wanted: str, helm: Helm, began: float, fault: Exception) -> Outcome:
    """The row of what could not be played."""
    traceback.print_exception(fault)
    seconds = round(time.monotonic() - began, 1)
    return unplayed(name, wanted, str(helm.version), seconds, f"{type(fault).__name__}: {fault}")


def spelt(name: str) -> str:
    """A scenario's name as a word of a command line."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def means(word: str, name: str) -> bool:
    """Whether a word is a scenario's name, or how the names of several begin."""
    return (spelt(name) + "-").startswith(spelt(word) + "-")


def keep(outcomes: Sequence[Outcome]) -> None:
    """Write the rows that there are."""
    write(outcomes, machine(), datetime.now(UTC).date().isoformat())


def sayer(console: Console) -> Say:
    """Tells on the terminal, with how long it has been."""
    began = time.monotonic()
    return lambda what: console.print(f"{time.monotonic() - began:6.0f} s  {what}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
