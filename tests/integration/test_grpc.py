"""The edge's gRPC contract, over a real server and client; only the science is stood in for."""

import threading
import time
from contextlib import contextmanager

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from lipsol.errors import BadInput, ModelError
from lipsol.proto.v1 import events_pb2, lip_reading_pb2, lip_reading_pb2_grpc
from lipsol.proto.v1.lip_reading_pb2 import ReadOptions, ReadRequest
from services.doors.server import Server
from services.preprocess.consent import WORDING
from services.preprocess.rpc import CHUNK_BYTES, NAME
from tests.services_made import SAID, clip, settings_of

PATIENCE_S = 30.0
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Doors:
    """Both doors of a platform, and their clients."""

    def __init__(self, server, port, channel, http):
        self.server = server
        self.port = port
        self.channel = channel
        self.stub = lip_reading_pb2_grpc.LipReadingStub(channel)
        self.http = http

    def read(self, data=b"a clip", *, metadata=(), timeout=PATIENCE_S, **options):
        return self.stub.Read(iter(parts(data, **options)), metadata=metadata, timeout=timeout)


def parts(data, chunk=7, *, wait=True, **options):
    """A clip as it is sent."""
    yield ReadRequest(options=ReadOptions(wait=wait, **options))
    for at in range(0, len(data), chunk):
        yield ReadRequest(chunk=data[at : at + chunk])


@contextmanager
def opened(platform):
    """The platform's doors, served as `lipsol serve` does it."""
    place = platform.settings.preprocess
    (rpc,) = platform.edge.beside("127.0.0.1", platform.faults)
    server = Server(platform.edge.door(platform.faults), "127.0.0.1", 0, place, platform.drain, [rpc])
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE_S) as http:
            assert http.get("/healthz").status_code == 200  # then both are open
            with grpc.insecure_channel(f"127.0.0.1:{rpc.port}") as channel:
                yield Doors(server, rpc.port, channel, http)
    finally:
        server.leave()
        thread.join()


@pytest.fixture
def doors(platform):
    with opened(platform) as both:
        yield both


def refused(call, code):
    """The problem that a call is refused with."""
    with pytest.raises(grpc.RpcError) as fault:
        call()
    assert fault.value.code() == code, fault.value.details()
    told = dict(fault.value.trailing_metadata())
    assert len(told["trace-id"]) == 32
    return lip_reading_pb2.Problem.FromString(told["lipsol-problem-bin"]), told


def eventually(ask, wanted, within_s=PATIENCE_S):
    until = time.monotonic() + within_s
    while (said := ask()) != wanted and time.monotonic() < until:
        time.sleep(0.01)
    return said


def test_a_clip_in_chunks_is_answered_with_its_words(doors):
    result = doors.read(bytes(1000), chunk=33)
    assert (result.state, result.text, result.grammar) == (lip_reading_pb2.STATE_READ, SAID, "grid")
    assert [word.text for word in result.words] == SAID.split()
    assert result.model.name == "grid-sentences"
    assert result.track == events_pb2.TRACK_STABLE


def test_both_doors_tell_the_same_of_a_clip(doors):
    over_http = doors.http.post("/v1/clips", files=clip(), params={"wait": "true"}).json()
    result = doors.stub.GetResult(lip_reading_pb2.GetResultRequest(clip_id=over_http["clip_id"]))
    for name in ("clip_id", "text", "confidence", "abstained", "faces", "language", "grammar", "received_at"):
        assert getattr(result, name) == over_http[name], name
    assert dict(result.timings_ms) == over_http["timings_ms"]
    assert dict(result.quality) == over_http["quality"]
    assert [(each.text, each.confidence, each.look) for each in result.alternatives] == [
        (each["text"], each["confidence"], each["look"]) for each in over_http["alternatives"]
    ]
    assert [list(each.alike) for each in result.words] == [each["alike"] for each in over_http["words"]]


def test_who_does_not_wait_comes_back_for_the_result(doors, made):
    made.reader.hold.clear()
    begun = doors.read(wait=False)
    assert begun.state == lip_reading_pb2.STATE_READING
    assert not begun.HasField("model")
    made.reader.hold.set()
    asked = lip_reading_pb2.GetResultRequest(clip_id=begun.clip_id)
    assert eventually(lambda: doors.stub.GetResult(asked).text, SAID) == SAID


def test_what_a_client_asks_for_is_obeyed(doors):
    assert not doors.read(grammar="none").HasField("grammar")
    assert doors.read(model="grid-words").model.name == "grid-words"


def test_a_board_is_read_and_tells_how_sure_it_is_that_it_was_none(doors):
    result = doors.read(phrases=["good morning", "good night"], hotwords={"night": 5, "good": 0})
    assert (result.text, result.grammar, result.none) == ("good morning", "phrases", 0.05)
    assert not doors.read(hotwords={"bin": 5}).HasField("none")


@pytest.mark.parametrize(
    ("asked", "code", "status"),
    [
        ({"model": "other"}, grpc.StatusCode.NOT_FOUND, 404),
        ({"grammar": '{"broken'}, grpc.StatusCode.INVALID_ARGUMENT, 422),
        ({"phrases": ["call 911"]}, grpc.StatusCode.INVALID_ARGUMENT, 422),
        ({"phrases": ["bin"], "grammar": "grid"}, grpc.StatusCode.INVALID_ARGUMENT, 422),
        ({"hotwords": {"bin": 5000}}, grpc.StatusCode.INVALID_ARGUMENT, 422),
        ({"session": "a\nb"}, grpc.StatusCode.INVALID_ARGUMENT, 422),
        ({"session": "s" * 201}, grpc.StatusCode.INVALID_ARGUMENT, 422),
    ],
    ids=["model", "grammar", "phrases", "phrases and grammar", "hotwords", "session", "long session"],
)
def test_what_can_not_be_had_is_refused_with_detail_and_cure(doors, asked, code, status):
    problem, _ = refused(lambda: doors.read(**asked), code)
    assert (problem.status, bool(problem.detail), bool(problem.cure)) == (status, True, True)


def test_a_bad_clip_is_refused_with_reason_cure_and_the_clients_trace(doors):
    trace = (("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),)
    problem, told = refused(lambda: doors.read(b"bad clip", metadata=trace), grpc.StatusCode.INVALID_ARGUMENT)
    assert (problem.detail, problem.cure, problem.type) == (
        "no face for 2.1 of 3.0 s", "face the camera", "urn:lipsol:problem:bad-input",
    )  # fmt: skip
    assert told["trace-id"] == TRACE


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [ReadRequest()],
        [ReadRequest(chunk=b"a clip")],
        [ReadRequest(options=ReadOptions())],
        [ReadRequest(options=ReadOptions()), ReadRequest(options=ReadOptions())],
        [ReadRequest(options=ReadOptions()), ReadRequest(chunk=bytes(CHUNK_BYTES + 1))],
    ],
    ids=["nothing", "an empty part", "no options", "no clip", "options twice", "a huge chunk"],
)
def test_a_call_that_is_none_is_told_how_to_send_one(doors, sent):
    problem, _ = refused(lambda: doors.stub.Read(iter(sent), timeout=PATIENCE_S), grpc.StatusCode.INVALID_ARGUMENT)
    assert "send" in problem.cure


def test_a_clip_over_the_bound_is_cut_off_and_its_memory_let_go(made, tmp_path):
    made.settings = settings_of(tmp_path, max_bytes=10_000, memory_bytes=10_000)
    with made.open() as platform, opened(platform) as doors:
        problem, _ = refused(lambda: doors.read(bytes(10_001), chunk=1000), grpc.StatusCode.INVALID_ARGUMENT)
        assert problem.status == 413
        assert doors.read(bytes(10_000), chunk=1000).text == SAID


def test_a_sender_that_dawdles_is_cut_off(made, tmp_path):
    made.settings = settings_of(tmp_path, upload_s=0.2)
    done = threading.Event()

    def dawdling():
        yield from parts(b"a clip")
        done.wait(PATIENCE_S)

    with made.open() as platform, opened(platform) as doors:
        problem, _ = refused(lambda: doors.stub.Read(dawdling(), timeout=PATIENCE_S), grpc.StatusCode.DEADLINE_EXCEEDED)
        done.set()
    assert problem.status == 408


@pytest.mark.parametrize("bound", [{"workers": 1, "line": 0}, {"in_flight": 1}], ids=["the line", "clips in flight"])
def test_a_bound_is_the_same_at_both_doors_and_says_when_to_come_back(made, tmp_path, bound):
    made.settings = settings_of(tmp_path, retry_after_s=3, **bound)
    made.watcher.hold.clear()
    with made.open() as platform, opened(platform) as doors:
        first = doors.stub.Read.future(iter(parts(b"a clip")), timeout=PATIENCE_S)
        eventually(lambda: made.watcher.watched, 1)
        problem, told = refused(doors.read, grpc.StatusCode.RESOURCE_EXHAUSTED)
        over_http = doors.http.post("/v1/clips", files=clip())
        made.watcher.hold.set()
        assert first.result().text == SAID
        assert (problem.status, told["retry-after"]) == (429, "3")
        assert (over_http.status_code, over_http.headers["retry-after"]) == (429, "3")
        assert platform.telemetry.value("lipsol_clips_refused_total", reason="busy") == 2
        assert doors.read().text == SAID


def test_clips_that_wait_to_be_read_are_bounded_and_each_answer_makes_room(made, tmp_path):
    made.settings = settings_of(tmp_path, in_flight=2)
    made.reader.hold.clear()
    with made.open() as platform, opened(platform) as doors:
        for _ in range(2):
            doors.read(wait=False)
        refused(doors.read, grpc.StatusCode.RESOURCE_EXHAUSTED)
        made.reader.hold.set()
        assert platform.edge.handler.flight.wait(PATIENCE_S)
        assert doors.read().text == SAID


def test_a_key_names_one_clip_at_both_doors(doors, made):
    over_http = doors.http.post("/v1/clips", files=clip(), headers={"Idempotency-Key": "one"}).json()
    key = (("idempotency-key", "one"),)
    assert doors.read(metadata=key).clip_id == over_http["clip_id"]
    assert made.watcher.watched == 1
    refused(lambda: doors.read(b"another clip", metadata=key), grpc.StatusCode.INVALID_ARGUMENT)
    refused(lambda: doors.read(metadata=(("idempotency-key", "k" * 256),)), grpc.StatusCode.INVALID_ARGUMENT)


def test_the_deadline_of_a_call_that_waits_is_the_clips_own(doors, made, platform):
    events = []
    publish = platform.edge.handler.publish
    object.__setattr__(platform.edge.handler, "publish", lambda event: (events.append(event), publish(event)))
    before = time.time()
    doors.read(timeout=25.0)
    doors.read(timeout=25.0, wait=False)
    waited, left = events
    assert before + 20 < waited.deadline_at < time.time() + 25
    assert left.deadline_at == 0.0


@pytest.mark.parametrize("timeout", [None, 10.0**7], ids=["no deadline", "four months"])
def test_a_call_may_take_its_time(doors, timeout):
    assert doors.read(timeout=timeout).text == SAID


def test_a_call_that_gives_up_gets_its_own_deadline(doors, made):
    made.reader.hold.clear()
    with pytest.raises(grpc.RpcError) as fault:
        doors.read(timeout=0.5)
    made.reader.hold.set()
    assert fault.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_client_that_leaves_before_its_turn_takes_its_clip_along(made, tmp_path):
    made.settings = settings_of(tmp_path, workers=1)
    made.watcher.hold.clear()
    with made.open() as platform, opened(platform) as doors:
        first = doors.stub.Read.future(iter(parts(b"a clip")), timeout=PATIENCE_S)
        eventually(lambda: made.watcher.watched, 1)
        second = doors.stub.Read.future(iter(parts(b"a clip")), timeout=PATIENCE_S)
        eventually(lambda: platform.telemetry.value("lipsol_waiting_clips"), 2.0)
        second.cancel()
        assert eventually(lambda: platform.telemetry.value("lipsol_waiting_clips"), 1.0) == 1.0
        made.watcher.hold.set()
        assert first.result().text == SAID
    assert made.watcher.watched == 1


def test_a_reading_that_fails_and_what_breaks_unexpectedly_are_internal(doors, made, capsys):
    made.reader.fault = ModelError("the network is broken", "fetch it again")
    problem, _ = refused(doors.read, grpc.StatusCode.INTERNAL)
    assert (problem.detail, problem.cure) == ("the network is broken", "fetch it again")
    problem, told = refused(lambda: doors.read(b"bug"), grpc.StatusCode.INTERNAL)
    assert told["trace-id"] in problem.cure
    assert "secret" not in str(problem)
    capsys.readouterr()


@pytest.mark.parametrize("name", ["", "0" * 32, "../result"])
def test_a_clip_that_is_not_known_is_not_found(doors, name):
    refused(lambda: doors.stub.GetResult(lip_reading_pb2.GetResultRequest(clip_id=name)), grpc.StatusCode.NOT_FOUND)


def test_feedback_is_taken_and_what_says_nothing_is_refused(doors, platform):
    clip_id = doors.read().clip_id

    def give(**said):
        return doors.stub.GiveFeedback(lip_reading_pb2.GiveFeedbackRequest(clip_id=clip_id, **said))

    taken = give(text="Bin blue at F three now!")
    assert (taken.text, taken.HasField("verdict")) == ("bin blue at f three now", False)
    assert give(verdict=events_pb2.VERDICT_RIGHT).verdict == events_pb2.VERDICT_RIGHT
    verdicts = {"model": "grid-sentences", "reason": "right"}
    assert eventually(lambda: platform.telemetry.value("lipsol_verdicts_total", **verdicts), 1.0) == 1.0
    assert not give(text="bin blue").kept
    assert give(text="bin blue", consent=WORDING).kept
    given_up = give(gave_up=True, consent=WORDING)
    assert (given_up.gave_up, given_up.kept, given_up.HasField("verdict")) == (True, False, False)
    for said in (
        {},
        {"verdict": 0},
        {"gave_up": False},
        {"text": "x" * 2001},
        {"text": "bin blue 7"},
        {"text": "bin", "consent": "0"},
    ):
        refused(lambda said=said: give(**said), grpc.StatusCode.INVALID_ARGUMENT)


def test_health_follows_readiness(doors, platform):
    health = health_pb2_grpc.HealthStub(doors.channel)

    def status(name=""):
        return health.Check(health_pb2.HealthCheckRequest(service=name)).status

    serving = health_pb2.HealthCheckResponse
    assert (status(), status(NAME)) == (serving.SERVING, serving.SERVING)
    platform.drain()
    assert eventually(status, serving.NOT_SERVING) == serving.NOT_SERVING


def test_a_client_can_ask_what_there_is(doors):
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    (told,) = reflection_pb2_grpc.ServerReflectionStub(doors.channel).ServerReflectionInfo(asked)
    names = {each.name for each in told.list_services_response.service}
    assert {NAME, "grpc.health.v1.Health"} <= names


def test_a_port_that_is_taken_is_said_in_one_line(doors, made, tmp_path):
    made.settings = settings_of(tmp_path, grpc_port=doors.port)
    with made.open() as second, pytest.raises(BadInput, match=f"port {doors.port} can't be listened on for gRPC"):
        second.serve("127.0.0.1", 0)


def test_leaving_gives_the_answers_that_are_owed(made):
    made.watcher.hold.clear()
    with made.open() as platform, opened(platform) as doors:
        owed = doors.stub.Read.future(iter(parts(b"a clip")), timeout=PATIENCE_S)
        eventually(lambda: made.watcher.watched, 1)
        threading.Timer(0.5, made.watcher.hold.set).start()
        doors.server.leave()
        assert owed.result().text == SAID
