"""The analyst's program against a real little API server and a real little Prometheus, and what Helm gets of it."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from kubernetes.client import ApiClient, Configuration

from lipsol.bus.kafka import KafkaBus, create_topics
from lipsol.bus.memory import MemoryBus
from lipsol.errors import BadInput, NotFound, Transient
from lipsol.runtime.clock import ManualClock
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.runtime.policy import LivePolicy, read_policy
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import ROLLOUTS
from lipsol.traffic import route
from services.__main__ import main
from services.analyst.cluster import METADATA, Cluster, Denied
from services.analyst.hand_back import PATIENCE_S, hand_back, way_back
from services.analyst.promql import SILENT_S, Prometheus
from services.analyst.settings import AnalystSettings, Query
from tests.conftest import link_to
from tests.unit.analyst.events import reading

DEPLOYMENTS = "/apis/apps/v1/namespaces/lipsol/deployments/canary"
PODS = "/api/v1/namespaces/lipsol/pods"
SECRET = "/api/v1/namespaces/lipsol/secrets/sh.helm.release.v1.lipsol.v7"
STEPS = (("shadow", 100), ("canary", 50), ("canary", 100))
JOB = "/apis/batch/v1/namespaces/lipsol/jobs/lipsol-analyst"


class Answers(ThreadingHTTPServer):
    """Answers each path as it is told to, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Asked)
        self.answers = {}  # path -> (status, JSON)
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        place = urlsplit(self.path)
        self.server.asked.append((self.command, place.path, parse_qs(place.query), dict(self.headers), body))
        status, told = self.server.answers.get(place.path, (404, {"kind": "Status", "reason": "NotFound"}))
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, *_): ...


@contextmanager
def serving():
    with Answers() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def api():
    with serving() as server:
        yield server


@pytest.fixture
def cluster(api):
    configuration = Configuration(host=api.url)
    configuration.retries = False
    client = ApiClient(configuration)
    yield Cluster(client, "lipsol")
    client.rest_client.pool_manager.clear()


def deployment(available=2, generation=1):
    return {
        "metadata": {"name": "canary", "uid": "uid-1", "generation": 1},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "inference", "track": "canary"}}},
        "status": {"observedGeneration": generation, "availableReplicas": available},
    }


def pod(name="canary-x", *, conditions=(), **state):
    return {
        "metadata": {"name": name},
        "status": {"conditions": list(conditions), "containerStatuses": [{"name": "inference", **state}]},
    }


def kubeconfig(api, folder):
    """A file that names the little API server."""
    named = {"name": "here", "cluster": {"server": api.url}, "user": {}, "context": {"cluster": "here", "user": "here"}}
    parts = {kind: [named] for kind in ("clusters", "users", "contexts")}
    place = folder / "kubeconfig"
    place.write_text(json.dumps({"current-context": "here", **parts}))
    return place


def looks(api, *pods, **changes):
    api.answers[DEPLOYMENTS] = (200, deployment(**changes))
    api.answers[PODS] = (200, {"items": list(pods)})


def test_a_canary_is_available_when_all_its_pods_are(api, cluster):
    looks(api, pod(restartCount=0))
    assert cluster.canary("canary").available
    assert api.asked[-1][2] == {"labelSelector": ["app=inference,track=canary"]}
    looks(api, available=1)
    assert not cluster.canary("canary").available
    looks(api, generation=0)  # what is counted is the pods of another template
    assert not cluster.canary("canary").available


def test_a_crashed_container_s_last_words_are_the_last_line_of_its_log(api, cluster):
    log = 'INFO\n{"event": "start-refused", "reason": "no model in /models"}\n'
    looks(
        api,
        pod(
            restartCount=3,
            state={"waiting": {"reason": "CrashLoopBackOff"}},
            lastState={"terminated": {"reason": "Error", "exitCode": 2, "message": log}},
        ),
        available=0,
    )
    (crash,) = cluster.canary("canary").crashes
    assert (crash.container, crash.count, crash.loops) == ("canary-x/inference", 3, True)
    assert crash.words == "Error, exit code 2: start-refused no model in /models"


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (
            pod(state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}),
            "canary-x waits, ImagePullBackOff: no such image",
        ),
        (
            pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: no cpu"}]),
            "canary-x has no node: 0/1 nodes: no cpu",
        ),
        (pod(state={"waiting": {"reason": "ContainerCreating"}}), "0 of 2 pods of canary are available"),
    ],
    ids=["no image", "no node", "on its way"],
)
def test_what_keeps_a_pod_from_starting_is_told(api, cluster, held, told):
    looks(api, held, available=0)
    assert cluster.canary("canary").told.endswith(told)


def test_a_deployment_is_deleted_with_its_pods_and_only_if_it_is_that_very_one(api, cluster):
    api.answers[DEPLOYMENTS] = (200, {"kind": "Status", "status": "Success"})
    assert cluster.delete("canary", "uid-1")
    method, path, _, _, body = api.asked[-1]
    assert (method, path) == ("DELETE", DEPLOYMENTS)
    assert body == {"propagationPolicy": "Background", "preconditions": {"uid": "uid-1"}}
    api.answers[DEPLOYMENTS] = (409, {"reason": "Conflict"})
    assert not cluster.delete("canary", "uid-1")


def test_helm_s_secret_is_asked_for_its_label_alone(api, cluster):
    api.answers[SECRET] = (200, {"metadata": {"labels": {"status": "pending-upgrade"}}})
    assert cluster.release_status("lipsol", 7) == "pending-upgrade"
    assert api.asked[-1][3]["Accept"] == METADATA
    with pytest.raises(NotFound, match=r"v1\.lipsol\.v8 was answered 404"):
        cluster.release_status("lipsol", 8)


def test_a_job_fails_for_a_reason_that_both_helms_and_people_find(api, cluster):
    api.answers[JOB] = (200, {"metadata": {"uid": "uid-9"}})
    api.answers[f"{JOB}/status"] = (200, {})
    cluster.fail("lipsol-analyst", "aborted: died 0.4 against 0", cluster.job_uid("lipsol-analyst"))
    method, _, _, headers, body = api.asked[-1]
    assert (method, headers["Content-Type"]) == ("PATCH", "application/strategic-merge-patch+json")
    assert body["metadata"] == {"uid": "uid-9"}
    told = {each["type"]: each for each in body["status"]["conditions"]}
    assert set(told) == {"FailureTarget", "Stalled"}
    for each in told.values():
        assert (each["status"], each["message"]) == ("True", "aborted: died 0.4 against 0")


@pytest.mark.parametrize(
    ("status", "raised"),
    [(401, Denied), (403, Denied), (422, BadInput), (404, NotFound), (500, Transient), (503, Transient)],
)
def test_what_kubernetes_answers_becomes_our_fault_or_one_that_passes(api, cluster, status, raised):
    api.answers[SECRET] = (status, {})
    with pytest.raises(raised, match=f"was answered {status}"):
        cluster.release_status("lipsol", 7)


def test_outside_a_pod_it_goes_by_kubeconfig(api, tmp_path, monkeypatch):
    api.answers[SECRET] = (200, {"metadata": {"labels": {"status": "deployed"}}})
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(api, tmp_path)))
    assert Cluster.open("lipsol").release_status("lipsol", 7) == "deployed"
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(BadInput, match="no Kubernetes to ask"):
        Cluster.open("lipsol")


def test_an_api_server_that_is_away_comes_back(api, cluster):
    api.shutdown()
    api.server_close()
    with pytest.raises(Transient, match="got no answer"):
        cluster.release_status("lipsol", 7)


SETTINGS = AnalystSettings(release="lipsol", namespace="lipsol", revision=7, deployment="canary")


def test_a_hand_back_gives_all_to_stable_and_takes_the_canary_away_as_often_as_asked(api, cluster):
    api.answers[DEPLOYMENTS] = (200, {})
    bus, clock = MemoryBus(), ManualClock()
    assert hand_back(SETTINGS, bus, cluster, clock) == "all is stable's, and the canary is gone"
    del api.answers[DEPLOYMENTS]
    assert hand_back(SETTINGS, bus, cluster, clock) == "all is stable's; there was no canary"
    assert read_policy(bus).set_by == "hand-back lipsol v7"
    told = [unwrap(message) for message in bus.replay([ROLLOUTS.name])]
    assert [(each.release, each.what) for each in told] == [("lipsol", "handed-back")] * 2


def test_a_hand_back_that_can_t_reach_the_brokers_fails_and_says_so(cluster):
    class Away(MemoryBus):
        def publish(self, *_args, **_more):
            raise Transient("no broker of kafka:9092 answers", "is it up?")

    clock = ManualClock()
    began = clock.monotonic()
    with pytest.raises(Transient, match="no broker of kafka:9092"):
        hand_back(SETTINGS, Away(), cluster, clock)
    assert clock.monotonic() - began >= PATIENCE_S


def test_no_way_leads_back_to_what_was_never_let_in(api, cluster):
    told = {}
    for status in ("deployed", "superseded", "failed", "pending-upgrade", "pending-rollback"):
        api.answers[SECRET] = (200, {"metadata": {"labels": {"status": status}}})
        told[status] = way_back(SETTINGS, cluster, ManualClock())
    assert (told.pop("deployed"), told.pop("superseded")) == ("", "")
    for status, why in told.items():
        assert why.startswith(f"lipsol v7 is {status}: ")
        assert "helm history lipsol" in why


def test_where_helm_keeps_its_releases_elsewhere_the_way_back_is_free(cluster):
    assert way_back(SETTINGS, cluster, ManualClock()) == ""


def test_a_way_back_that_can_t_be_asked_for_says_what_it_may_not(api, cluster):
    api.answers[SECRET] = (403, {})
    with pytest.raises(Denied, match="the chart's Role"):
        way_back(SETTINGS, cluster, ManualClock())


def vector(*values):
    result = [{"metric": {}, "value": [1.0, str(value)]} for value in values]
    return (200, {"status": "success", "data": {"resultType": "vector", "result": result}})


def scalar(value):
    return (200, {"status": "success", "data": {"resultType": "scalar", "result": [1.0, str(value)]}})


@pytest.fixture
def prometheus(api):
    return Prometheus(api.url, [Query(name="lag", query="lag < bool 100")])


@pytest.mark.parametrize("answer", [vector(1), vector(1, 5), scalar(2)], ids=["one", "several", "scalar"])
def test_a_query_that_is_true_objects_to_nothing(api, prometheus, answer):
    api.answers["/api/v1/query"] = answer
    said = prometheus.look(0.0)
    assert (said.objections, said.unanswered) == ((), ())
    assert api.asked[-1][2] == {"query": ["lag < bool 100"]}


@pytest.mark.parametrize("answer", [vector(0), vector(1, 0), scalar(0)], ids=["no", "one of them", "scalar"])
def test_a_query_that_is_not_true_is_an_objection(api, prometheus, answer):
    api.answers["/api/v1/query"] = answer
    assert prometheus.look(0.0).objections == ("lag is not true: lag < bool 100",)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (vector(), "it has no value"),
        (vector("NaN"), "it has no value"),
        ((503, {}), "Prometheus answered 503"),
        ((200, {"data": 1}), "what Prometheus answered is no instant value"),
    ],
    ids=["empty", "NaN", "away", "nonsense"],
)
def test_a_query_without_an_answer_holds_and_objects_after_a_minute(api, prometheus, answer, why):
    api.answers["/api/v1/query"] = answer
    assert prometheus.look(10.0).unanswered == (f"lag: {why}, for 0 s",)
    assert prometheus.look(9.0 + SILENT_S).objections == ()
    assert prometheus.look(10.0 + SILENT_S).objections == (f"lag: {why}, for {SILENT_S:.0f} s",)


def test_an_answer_in_between_lets_the_minute_begin_anew(api, prometheus):
    for at, answer in ((0.0, vector()), (50.0, vector(1)), (70.0, vector())):
        api.answers["/api/v1/query"] = answer
        assert prometheus.look(at).objections == ()


def test_a_query_that_prometheus_can_t_read_is_an_objection_at_once(api, prometheus):
    api.answers["/api/v1/query"] = (400, {"error": "parse error"})
    (objection,) = prometheus.look(0.0).objections
    assert objection.startswith("lag: Prometheus refuses the query")
    assert "parse error" in objection


def test_the_program_names_all_that_it_was_not_told(monkeypatch, capsys):
    monkeypatch.setenv("LIPSOL_ANALYST__PROMQL", '[{"name": "lag", "query": "1"}]')
    assert main(["analyst"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    for missing in ("__RELEASE", "__DEPLOYMENT", "memory bus", "__PROMETHEUS"):
        assert missing in last


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PLAN", '{"way": "canary", "steps": [], "deadline_s": 1, "expiry_s": 60}', "a rollout without steps"),
        ("PLAN", '{"way": "sideways"}', "LIPSOL_ANALYST__PLAN"),
        ("GATES", '{"deid": 0.5}', "LIPSOL_ANALYST__GATES"),
        ("CANARY_DIGEST", "latest", "LIPSOL_ANALYST__CANARY_DIGEST"),
    ],
)
def test_settings_that_can_t_work_are_named(monkeypatch, capsys, name, value, told):
    monkeypatch.setenv(f"LIPSOL_ANALYST__{name}", value)
    assert main(["analyst"]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("look_s", "expiry_s", "told"),
    [("5", 15, "it could run out between two looks"), ("2", 86400, "an expiry of 86400 s")],
)
def test_a_policy_that_can_t_be_kept_alive_is_refused_before_anything_is_asked(
    monkeypatch, capsys, look_s, expiry_s, told
):
    steps = [{"kind": "canary", "weight": 100, "readings": 1}]
    plan = {"way": "canary", "steps": steps, "deadline_s": 60, "expiry_s": expiry_s}
    monkeypatch.setenv("LIPSOL_ANALYST__LOOK_S", look_s)
    monkeypatch.setenv("LIPSOL_ANALYST__PLAN", json.dumps(plan))
    assert main(["analyst"]) == 2
    assert told in capsys.readouterr().err


class Traffic(threading.Thread):
    """Clips, twenty a second, read by both tracks at once as the policy says."""

    def __init__(self, link, *, ms):
        super().__init__(daemon=True)
        self.bus, self.ms, self.stop = KafkaBus(link), ms, threading.Event()
        self.policy = LivePolicy(self.bus, stage="test", telemetry=Telemetry())

    def run(self):
        self.policy.start()
        for number in itertools.count():
            if self.stop.wait(0.05):
                return
            name, at = f"clip-{number}", time.time()
            policy = self.policy.policy()
            way = route(name, policy, at)
            made = [reading(name, at=at)] if way.track == "stable" else []
            if way.copy or way.track == "canary":
                made.append(reading(name, "canary", at=at, shadow=way.copy, ms=self.ms))
            self.bus.publish_all([wrap(each, "test", at) for each in made])

    def end(self):
        self.stop.set()
        self.join()
        self.policy.stop()
        self.bus.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ms", "code", "last"),
    [(100.0, 0, "passed: all 3 steps are passed"), (900.0, 1, "aborted: latency 450 against 50")],
)
def test_the_program_lets_a_good_canary_in_over_kafka_and_a_slow_one_not(kafka, api, tmp_path, ms, code, last):
    link = link_to(kafka, f"analyst-{uuid4().hex[:8]}.")
    create_topics(link)
    looks(api, pod(restartCount=0))
    api.answers[SECRET] = (200, {"metadata": {"labels": {"status": "pending-upgrade"}}})
    api.answers[JOB] = (200, {"metadata": {"uid": "uid-9"}})
    api.answers[f"{JOB}/status"] = (200, {})
    steps = [{"kind": kind, "weight": weight, "readings": 8} for kind, weight in STEPS]
    told = {
        "BUS__KIND": "kafka", "BUS__SERVERS": kafka, "BUS__PREFIX": link.prefix, "ANALYST__LOOK_S": "0.5",
        "ANALYST__RELEASE": "lipsol", "ANALYST__NAMESPACE": "lipsol", "ANALYST__REVISION": "7",
        "ANALYST__DEPLOYMENT": "canary", "ANALYST__JOB": "lipsol-analyst",
        "ANALYST__PLAN": json.dumps({"way": "canary", "steps": steps, "deadline_s": 120, "expiry_s": 15}),
    }  # fmt: skip
    environment = {**os.environ, **{f"LIPSOL_{name}": value for name, value in told.items()}}
    environment["KUBECONFIG"] = str(kubeconfig(api, tmp_path))
    traffic = Traffic(link, ms=ms)
    traffic.start()
    try:
        program = [sys.executable, "-m", "services", "analyst"]
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=150, check=False)
        assert done.stderr.splitlines()[-1].startswith(f"lipsol: {last}"), done.stderr[-4000:]
        assert done.returncode == code
        policy = read_policy(traffic.bus)
        said = [unwrap(message) for message in traffic.bus.replay([ROLLOUTS.name])]
    finally:
        traffic.end()
    assert (policy.mode, policy.weight) == (("stable", 0.0) if code else ("canary", 100.0))
    assert (said[0].what, said[-1].what) == ("began", "abort" if code else "pass")
    assert (("PATCH", f"{JOB}/status") in {asked[:2] for asked in api.asked}) == bool(code)


@pytest.mark.slow
@pytest.mark.parametrize(("status", "code"), [("superseded", 0), ("failed", 2)])
def test_before_a_rollback_all_is_handed_back_and_only_then_refused(kafka, api, tmp_path, status, code):
    link = link_to(kafka, f"analyst-{uuid4().hex[:8]}.")
    create_topics(link)
    api.answers[SECRET] = (200, {"metadata": {"labels": {"status": status}}})
    api.answers[f"{JOB}/status"] = (200, {})
    told = {
        "BUS__KIND": "kafka", "BUS__SERVERS": kafka, "BUS__PREFIX": link.prefix,
        "ANALYST__RELEASE": "lipsol", "ANALYST__NAMESPACE": "lipsol", "ANALYST__REVISION": "7",
        "ANALYST__DEPLOYMENT": "canary", "ANALYST__JOB": "lipsol-analyst",
    }  # fmt: skip
    environment = {**os.environ, **{f"LIPSOL_{name}": value for name, value in told.items()}}
    environment["KUBECONFIG"] = str(kubeconfig(api, tmp_path))
    program = [sys.executable, "-m", "services", "analyst", "--way-back"]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == code, done.stderr[-4000:]
    bus = KafkaBus(link)
    try:
        assert read_policy(bus).set_by == "hand-back lipsol v7"
    finally:
        bus.close()
    asked = [each[:2] for each in api.asked]
    assert asked.index(("DELETE", DEPLOYMENTS)) < asked.index(("GET", SECRET))
    assert (("PATCH", f"{JOB}/status") in asked) == bool(code)


def test_what_it_is_not_asked_for_is_refused(capsys):
    assert main(["analyst", "--hand-forward"]) == 2
    assert "analyst [--hand-back|--way-back]" in capsys.readouterr().err
