"""Who reaches whom, tried from inside pods: what the platform is meant to be, whatever its NetworkPolicies say.

The services speak to Kafka and to nobody else: not to each other, not to Kubernetes, not to what else there is. The
edge's doors and the board hear `helm test`'s pod, metrics hear Prometheus, and a stranger's pod is heard by nobody,
wherever it runs. Each pair of a pod and a port is tried, the forbidden ones at the pods' own addresses. What is not as
it is meant is tried again for a while: a busy machine is slow, and policies take a moment to rule a pod that is new.

Not every cluster rules all ways: one that serves Kubernetes' API from the pods' own node may let everybody there. A pod
that may speak to nobody finds out what is not ruled here; that is told, and what was to be seen there is not claimed.
The services hold no token for that API in any case.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from services.local.images import version
from tests.cluster.helm import RELEASE
from tests.cluster.kube import Cluster
from tests.cluster.outcome import Outcome
from tests.cluster.scenario import Scenario
from tests.cluster.scenarios import Stage
from tests.cluster.surroundings import RESTRICTED, USER, WATCHERS, headed
from tests.scenarios import laws

AS_MEANT, NOT_SO = "as meant", "not as meant"
STRANGERS = "lipsol-e2e-strangers"  # a namespace that has nothing to do with us
ELSEWHERE = 8000  # port of something that a stranger serves
WITHIN_S = 2.0  # that a connection may take: on one node it takes a millisecond
OPEN_S, SHUT_S = 15.0, 8.0  # after which a way that was to be open is held to be shut, and one to be shut to be open
TRY = f"""
import json, socket, sys, time
from concurrent.futures import ThreadPoolExecutor
def reached(host, port):
    try:
        socket.create_connection((host, port), timeout={WITHIN_S}).close()
    except ConnectionRefusedError:
        return True  # nobody listens there, but one gets there
    except OSError:
        return False
    return True
def settled(place):
    host, port, meant = place
    until = time.monotonic() + ({OPEN_S} if meant else {SHUT_S})
    while reached(host, port) != meant:
        if time.monotonic() > until:
            return not meant
        time.sleep(0.5)
    return meant
places = json.load(sys.stdin)
with ThreadPoolExecutor(32) as pool:
    print(json.dumps(dict(zip(places, pool.map(settled, places.values())))))
"""
SERVE = f"import http.server as h; h.HTTPServer(('', {ELSEWHERE}), h.SimpleHTTPRequestHandler).serve_forever()"
PORTS: Mapping[str, Mapping[str, int]] = {
    "preprocess": {"the edge's REST": 8080, "the edge's gRPC": 8090, "the edge's metrics": 9464},
    "inference": {"the reader's HTTP": 8081, "the reader's gRPC": 8091, "the reader's metrics": 9465},
    "monitor": {"the board": 8082, "the monitor's metrics": 9466},
}
KAFKA, FORWARDED, API, OTHER = "Kafka", "Kafka's forwarded port", "Kubernetes", "something of a stranger's"
METRICS = frozenset(name for ports in PORTS.values() for name in ports if name.endswith("metrics"))
OURS = frozenset(name for ports in PORTS.values() for name in ports) | {KAFKA, FORWARDED}
FREE = frozenset({API, OTHER})  # what nobody forbids those who are not ours
# Who may reach what. Strangers do with the rest of the world what they like.
MEANT: Mapping[str, frozenset[str]] = {
    "preprocess": frozenset({KAFKA}),
    "inference": frozenset({KAFKA}),
    "monitor": frozenset({KAFKA}),
    "analyst": frozenset({KAFKA, API}),
    "test": frozenset({"the edge's REST", "the edge's gRPC", "the board"}),
    "Prometheus": METRICS | FREE,
    "a stranger beside them": FREE,
    "a stranger elsewhere": FREE - {OTHER},  # which is itself
    "one that is forbidden all": frozenset(),
}
MUTE = "one that is forbidden all"  # what it reaches is not ruled here
TOKEN = "import os; print(os.path.exists('/var/run/secrets/kubernetes.io/serviceaccount/token'))"
SILENCE = {
    **headed("NetworkPolicy", "mute", "networking.k8s.io/v1"),
    "spec": {"podSelector": {"matchLabels": {"mute": "true"}}, "policyTypes": ["Egress"], "egress": []},
}
Place = tuple[str, int]


@dataclass(frozen=True)
class Prober:
    """A pod from which it is tried."""

    who: str
    cluster: Cluster
    pod: str

    def reaches(self, places: Mapping[str, Place]) -> dict[str, bool]:
        """Of each place, whether a connection comes about, once that is as it is meant, or stays otherwise."""
        meant = {name: (*place, name in MEANT[self.who]) for name, place in places.items()}
        said = self.cluster.exec(self.pod, "python", "-c", TRY, given=json.dumps(meant), timeout_s=120)
        return dict(json.loads(said))


def play(stage: Stage) -> Outcome:
    """Every pod against every port."""
    cluster, tried = stage.cluster, 0
    with probers(cluster) as found:
        places = list_places(cluster, found)
        (mute,) = (each for each in found if each.who == MUTE)
        unruled = frozenset(name for name, reached in mute.reaches(places).items() if reached)
        ruled = {name: place for name, place in places.items() if name not in unruled}
        seen = {each.who: each.reaches(others(each, ruled)) for each in found if each is not mute}
        wrong = [
            f"{who} {'reaches' if reached else 'does not reach'} {name}"
            for who, names in seen.items()
            for name, reached in names.items()
            if reached != (name in MEANT[who])
        ]
        tried = sum(map(len, seen.values()))
        names = [f"{RELEASE}-preprocess", "kafka"]
        deaf = [why for each in found if each.who != MUTE for why in unresolved(each, cluster.namespace, names)]
        tokens = [f"{each.who} holds a token of Kubernetes'" for each in found if each.who in PORTS and has_token(each)]
    broken = (*wrong, *deaf, *tokens, *unnamed_dns(cluster), *laws.proven("pairs", tried, 60))
    if forbidden := unruled & OURS:
        broken += (f"this cluster holds no NetworkPolicy: {', '.join(sorted(forbidden))} can't be forbidden",)
    measured = {"pods": len(seen), "ports": len(places), "not ruled here": sorted(unruled)}
    verdict = NOT_SO if broken else AS_MEANT
    return Outcome("isolation", verdict, AS_MEANT, sent=tried, failed=len(wrong), broken=broken, measured=measured)


@contextmanager
def probers(cluster: Cluster) -> Iterator[list[Prober]]:
    """The services' own pods, and pods that are like the hooks', Prometheus' and strangers', which go at the end."""
    own = [Prober(of, cluster, cluster.pods(f"app.kubernetes.io/component={of}")[0]) for of in PORTS]
    ours = {"app.kubernetes.io/name": "lipsol", "app.kubernetes.io/instance": RELEASE}
    made = [
        ("analyst", cluster, {**ours, "app.kubernetes.io/component": "analyst"}),
        ("test", cluster, {**ours, "app.kubernetes.io/component": "test"}),
        ("Prometheus", cluster.within(WATCHERS), {}),
        ("a stranger beside them", cluster, {}),
        (MUTE, cluster.within(STRANGERS), {"mute": "true"}),
        ("a stranger elsewhere", cluster.within(STRANGERS), {}),
    ]
    beside = [Prober(who, where, f"probe-{who.split()[-1].lower()}") for who, where, _ in made]
    try:
        cluster.apply(*(headed("Namespace", name) for name in (WATCHERS, STRANGERS)))
        cluster.within(STRANGERS).apply(SILENCE)
        for each, (_, where, labels) in zip(beside, made, strict=True):
            where.apply(pod(each.pod, labels))
        for each in beside:
            each.cluster.wait(f"pod/{each.pod}", "condition=Ready")
        yield [*own, *beside]
    finally:
        for each in beside:
            each.cluster.delete("pod", each.pod, "--grace-period=1", "--wait=false")
        for name in (WATCHERS, STRANGERS):
            cluster.within("default").delete("namespace", name, "--wait=false")


def pod(name: str, labels: Mapping[str, str]) -> dict[str, object]:
    """A pod with a Python, which serves a little."""
    container = {
        "name": "probe",
        "image": f"lipsol-monitor:{version()}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", SERVE],
        "readinessProbe": {"tcpSocket": {"port": ELSEWHERE}, "periodSeconds": 1},
        "securityContext": RESTRICTED,
        "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}},
    }
    spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": USER,
        "containers": [container],
    }
    return {**headed("Pod", name), "metadata": {"name": name, "labels": dict(labels)}, "spec": spec}


def others(prober: Prober, places: Mapping[str, Place]) -> dict[str, Place]:
    """All places but a pod's own."""
    own = address(prober.cluster, prober.pod)
    return {name: place for name, place in places.items() if place[0] != own}


def has_token(prober: Prober) -> bool:
    """Whether a pod could prove to Kubernetes who it is."""
    return prober.cluster.exec(prober.pod, "python", "-c", TOKEN).strip() != "False"


def list_places(cluster: Cluster, found: Sequence[Prober]) -> dict[str, Place]:
    """Where everything is that may be reached or not: our pods' own addresses, Kubernetes', a stranger's."""
    places = {
        name: (address(cluster, cluster.pods(f"app.kubernetes.io/component={of}")[0]), port)
        for of, ports in PORTS.items()
        for name, port in ports.items()
    }
    kafka = address(cluster, "kafka-0")
    stranger = found[-1]
    api = cluster.within("default").service_address("kubernetes")
    return {
        **places,
        KAFKA: (kafka, 9092),
        FORWARDED: (kafka, 9094),
        API: (api, 443),
        OTHER: (address(stranger.cluster, stranger.pod), ELSEWHERE),
    }


def address(cluster: Cluster, name: str) -> str:
    """A pod's."""
    return str(cluster.get("pod", name)["status"]["podIP"])


def unresolved(prober: Prober, namespace: str, names: Sequence[str]) -> list[str]:
    """Names of Services that a pod can't resolve."""
    look = "import socket, sys; [socket.getaddrinfo(name, 80) for name in sys.argv[1:]]"
    full = [f"{name}.{namespace}.svc.cluster.local" for name in names]
    done = prober.cluster.ran("exec", prober.pod, "--", "python", "-c", look, *full)
    return [] if done.returncode == 0 else [f"{prober.who} can't resolve {' or '.join(names)}"]


def unnamed_dns(cluster: Cluster) -> list[str]:
    """Policies that forget DNS, which some clusters let through all the same: egress that names no port 53."""
    found = []
    for policy in cluster.objects("networkpolicies", f"app.kubernetes.io/instance={RELEASE}"):
        rules = policy["spec"].get("egress") or []
        ports = {(port["protocol"], port["port"]) for rule in rules for port in rule.get("ports", [])}
        if rules and not {("UDP", 53), ("TCP", 53)} <= ports:
            found.append(f"the policy {policy['metadata']['name']} forgets DNS")
    return found


SCENARIOS = {"isolation": Scenario(play, AS_MEANT, helms=False)}
