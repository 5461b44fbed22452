"""The Open Inference Protocol as its stock clients speak it, over real doors; only the science is stood in for."""

import http.client
import json
import queue
import threading
from contextlib import contextmanager

import grpc
import httpx
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.inference.oip.rpc import NAME
from tests.oip_made import PATIENCE_S, eventually, input_of, inputs_of, json_inputs, made_core, opened
from tests.services_made import SAID, MadeReader, info_of, mouth_of

MODEL = "grid-sentences"
CLIENTS = pytest.mark.parametrize("stock", [tritonclient.http, tritonclient.grpc], ids=["rest", "grpc"])


@pytest.fixture(scope="module")
def reader():
    return MadeReader()


@pytest.fixture(scope="module")
def doors(reader):
    with opened(made_core(reader)) as both:
        yield both


@pytest.fixture
def client(doors, stock):
    with stock.InferenceServerClient(doors.url(stock)) as connected:
        yield connected


@pytest.fixture
def rest(doors):
    with httpx.Client(base_url=f"http://{doors.rest}", timeout=PATIENCE_S) as connected:
        yield connected


def plain(answer):
    """A stock client's answer as a dictionary, whichever door it came from."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(answer, preserving_proto_field_name=True) if hasattr(answer, "DESCRIPTOR") else answer


@CLIENTS
def test_a_stock_client_learns_what_there_is(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready("nobody")
    assert plain(client.get_server_metadata())["name"] == "lipsol"
    told = plain(client.get_model_metadata(MODEL))
    assert (told["versions"], told["platform"]) == (["1"], "onnxruntime_onnx")
    outputs = ["text", "confidence", "abstained", "alternatives", "words", "none"]
    assert [each["name"] for each in told["outputs"]] == outputs
    assert [int(size) for size in told["inputs"][0]["shape"]] == [-1, -1, 96, 96]
    config = plain(client.get_model_config(MODEL))
    config = config.get("config", config)
    optional = {each["name"] for each in config["input"] if each.get("optional")}
    assert optional == {"outline", "seen", "length", "grammar"}
    index = plain(client.get_model_repository_index())
    index = index["models"] if isinstance(index, dict) else index
    assert [(each["name"], each["state"]) for each in index] == [(MODEL, "READY"), ("grid-words", "READY")]


@CLIENTS
def test_a_service_that_is_not_ready_says_so(doors, client):
    doors.faults.append("the broker is away")
    try:
        assert client.is_server_live()
        assert not client.is_server_ready()
        assert not client.is_model_ready(MODEL)
    finally:
        doors.faults.clear()


@CLIENTS
def test_mouths_are_read_and_the_request_is_named_in_the_answer(client, stock):
    result = client.infer(MODEL, inputs_of(stock, [mouth_of(1), mouth_of(2)]), request_id="seven", model_version="1")
    told = plain(result.get_response())
    assert (told["id"], told["model_name"], told["model_version"]) == ("seven", MODEL, "1")
    assert info_of().digest in str(told["parameters"]["digest"])
    assert [text.decode() for text in result.as_numpy("text")] == [SAID, SAID]
    assert result.as_numpy("confidence").tolist() == [np.float32(0.9)] * 2
    assert result.as_numpy("abstained").tolist() == [False, False]
    assert json.loads(result.as_numpy("alternatives")[1])[0] == {"text": f"{SAID} 0", "confidence": 0.02, "look": 0}
    assert [word["text"] for word in json.loads(result.as_numpy("words")[0])] == SAID.split()


@CLIENTS
def test_only_the_outputs_that_are_asked_for_come_back_in_that_order(client, stock):
    wanted = [stock.InferRequestedOutput(name) for name in ("confidence", "text")]
    result = client.infer(MODEL, inputs_of(stock, [mouth_of()]), outputs=wanted)
    assert [each["name"] for each in plain(result.get_response())["outputs"]] == ["confidence", "text"]
    assert result.as_numpy("words") is None


@CLIENTS
def test_each_clip_has_its_own_grammar(client, stock):
    document = json.dumps({"name": "board", "language": "en", "phrases": ["i am thirsty"]})
    given = input_of(stock, "grammar", "BYTES", np.array([b"", document.encode()], object))
    result = client.infer(MODEL, [*inputs_of(stock, [mouth_of(), mouth_of()]), given])
    assert [text.decode() for text in result.as_numpy("text")] == [SAID, "i am thirsty"]


@CLIENTS
def test_everything_that_a_mouth_has_may_come_and_padded_clips_say_their_length(client, stock, reader):
    heard = len(reader.lengths)
    length = input_of(stock, "length", "INT64", np.array([5, 3], np.int64))
    inputs = [*inputs_of(stock, [mouth_of(), mouth_of()], ["seen", "outline", "jaw", "lips", "mouth"]), length]
    assert client.infer(MODEL, inputs).as_numpy("text").shape == (2,)
    assert sorted(reader.lengths[heard:]) == [3, 5]


def test_tensors_may_come_as_json_and_answers_may_too(doors):
    stock = tritonclient.http
    with stock.InferenceServerClient(doors.rest) as client:
        wanted = [stock.InferRequestedOutput(name, binary_data=False) for name in ("text", "confidence", "abstained")]
        named = input_of(stock, "grammar", "BYTES", np.array(["none"], object), binary_data=False)
        inputs = [*inputs_of(stock, [mouth_of()], binary_data=False), named]
        result = client.infer(MODEL, inputs, outputs=wanted)
    assert result.get_output("text")["data"] == [SAID]
    assert result.get_output("abstained")["data"] == [False]
    assert result.as_numpy("confidence").tolist() == [np.float32(0.9)]


def test_tensors_may_come_as_typed_contents(doors):
    stock, service = tritonclient.grpc, tritonclient.grpc.service_pb2
    mouth = mouth_of()
    request = service.ModelInferRequest(model_name=MODEL)
    for each in inputs_of(stock, [mouth]):
        made = request.inputs.add()
        made.CopyFrom(each._get_tensor())
        array = getattr(mouth, made.name)
        contents = made.contents.uint_contents if made.name == "mouth" else made.contents.fp32_contents
        contents.extend(array.ravel().tolist())
    with grpc.insecure_channel(doors.rpc) as channel:
        stub = tritonclient.grpc.service_pb2_grpc.GRPCInferenceServiceStub(channel)
        assert stub.ModelInfer(request).outputs[0].name == "text"


@pytest.mark.parametrize("packed", ["gzip", "deflate"])
@CLIENTS
def test_requests_and_answers_may_be_packed(client, stock, packed):
    how = {"request_compression_algorithm": packed, "response_compression_algorithm": packed}
    result = client.infer(
        MODEL,
        inputs_of(stock, [mouth_of()] * 2),
        **(how if stock is tritonclient.http else {"compression_algorithm": packed}),
    )
    assert result.as_numpy("text").tolist() == [SAID.encode()] * 2


def test_an_answer_is_packed_only_for_those_who_take_it_so(rest):
    asked = {"inputs": json_inputs(), "parameters": {"binary_data_output": True}}
    said = [
        rest.post(f"/v2/models/{MODEL}/infer", json=asked, headers={"accept-encoding": given})
        for given in ("identity", "gzip", "deflate", "gzip;q=0")
    ]
    assert [each.headers.get("content-encoding") for each in said] == [None, "gzip", "deflate", None]
    assert len({each.content for each in said}) == 1


@CLIENTS
def test_requests_may_be_many_at_once(client, stock):
    if stock is tritonclient.http:
        waiting = [client.async_infer(MODEL, inputs_of(stock, [mouth_of(n)]), request_id=str(n)) for n in range(8)]
        found = [each.get_result() for each in waiting]
    else:
        came = queue.Queue()
        for n in range(8):
            client.async_infer(
                MODEL,
                inputs_of(stock, [mouth_of(n)]),
                lambda result, error: came.put(result or error),
                request_id=str(n),
            )
        found = [came.get(timeout=PATIENCE_S) for _ in range(8)]
    assert sorted(plain(each.get_response())["id"] for each in found) == [str(n) for n in range(8)]


class Stream:
    """A stream of a stock client, and what came of its requests so far."""

    def __init__(self, doors):
        self.client = tritonclient.grpc.InferenceServerClient(doors.rpc)
        self.came = queue.Queue()
        self.client.start_stream(lambda result, error: self.came.put((result, error)))

    def ask(self, name, inputs, **how):
        self.client.async_stream_infer(name, inputs, **how)

    def next(self):
        return self.came.get(timeout=PATIENCE_S)


@pytest.fixture
def stream(doors):
    made = Stream(doors)
    yield made
    made.client.stop_stream(cancel_requests=True)
    made.client.close()


def test_a_stream_is_answered_in_its_order_and_a_bad_request_ends_nothing(stream):
    inputs = inputs_of(tritonclient.grpc, [mouth_of()])
    for n in range(6):
        stream.ask("nobody" if n == 2 else MODEL, inputs, request_id=str(n))
    came = [stream.next() for _ in range(6)]
    assert "no model 'nobody'" in came[2][1].message()
    assert [result.get_response().id for result, error in came if not error] == ["0", "1", "3", "4", "5"]


@contextmanager
def listened(core):
    """What is submitted to a core while the block lasts."""
    futures, submit_all = [], core.submit_all
    core.submit_all = lambda asks, **how: futures.extend(made := submit_all(asks, **how)) or made
    try:
        yield futures
    finally:
        core.submit_all = submit_all


@contextmanager
def kept_waiting(doors, reader):
    """The reader is at work on something else, and stays so while the block lasts."""
    before = sum(reader.batches)
    reader.hold.clear()
    working = threading.Thread(target=read_once, args=(doors,))
    working.start()
    try:
        assert eventually(lambda: sum(reader.batches) > before, True)
        yield
    finally:
        reader.hold.set()
        working.join()


def test_a_stream_that_stops_takes_along_what_waits(doors, stream, reader):
    with kept_waiting(doors, reader), listened(doors.core) as submitted:
        for _ in range(20):
            stream.ask(MODEL, inputs_of(tritonclient.grpc, [mouth_of()]))
        assert eventually(lambda: len(submitted), 20) == 20
        stream.client.stop_stream(cancel_requests=True)
        assert eventually(lambda: sum(each.cancelled() for each in submitted), 20) == 20


@CLIENTS
def test_a_client_that_goes_away_takes_its_request_along(doors, stock, reader):
    with kept_waiting(doors, reader), listened(doors.core) as submitted:
        leave_early(doors, stock, submitted)
        assert eventually(lambda: [each.cancelled() for each in submitted], [True]) == [True]


def read_once(doors):
    with tritonclient.grpc.InferenceServerClient(doors.rpc) as client:
        client.infer(MODEL, inputs_of(tritonclient.grpc, [mouth_of()]))


def leave_early(doors, stock, submitted):
    """Ask, and go away once that waits to be read."""
    if stock is tritonclient.http:
        host, port = doors.rest.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
        connection.request("POST", f"/v2/models/{MODEL}/infer", json.dumps({"inputs": json_inputs()}))
        assert eventually(lambda: len(submitted), 1) == 1
        connection.close()
    else:
        with tritonclient.grpc.InferenceServerClient(doors.rpc) as client:
            call = client.async_infer(MODEL, inputs_of(stock, [mouth_of()]), lambda **_: None)
            assert eventually(lambda: len(submitted), 1) == 1
            call.cancel()


def test_health_and_reflection_stand_beside_the_service(doors):
    with grpc.insecure_channel(doors.rpc) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert (
            health.Check(health_pb2.HealthCheckRequest(service=NAME)).status == health_pb2.HealthCheckResponse.SERVING
        )
        ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        asked = [
            reflection_pb2.ServerReflectionRequest(file_containing_symbol=name)
            for name in (NAME, "grpc.health.v1.Health")
        ]
        for answer in ask(iter(asked)):
            assert answer.file_descriptor_response.file_descriptor_proto
