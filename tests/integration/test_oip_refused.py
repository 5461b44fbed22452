"""What the doors of the Open Inference Protocol refuse, and how they say so; only the science is stood in for."""

import gzip
import zlib

import grpc
import httpx
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

from lipsol.errors import BadInput, Busy, ModelError
from services.inference.oip.rpc import NAME
from tests.oip_made import PATIENCE_S, input_of, inputs_of, json_inputs, made_core, opened
from tests.services_made import MadeReader, mouth_of

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


def mouths(frames=5, points=0.0, lips_frames=None):
    """The tensors of one mouth."""
    return {
        "mouth": ("UINT8", np.zeros((1, frames, 96, 96), np.uint8)),
        "lips": ("FP32", np.full((1, lips_frames or frames, 40, 2), points, np.float32)),
        "jaw": ("FP32", np.zeros((1, frames, 16, 2), np.float32)),
    }


WRONG = {
    "name": ({"nose": mouths()["mouth"]}, "no input is called 'nose'"),
    "shape": ({"mouth": ("UINT8", np.zeros((1, 5, 96, 95), np.uint8))}, "[1, 5, 96, 95]: send [-1, -1, 96, 96]"),
    "axes": ({"mouth": ("UINT8", np.zeros((5, 96, 96), np.uint8))}, "has shape [5, 96, 96]"),
    "datatype": ({"mouth": ("FP32", np.zeros((1, 5, 96, 96), np.float32))}, "has datatype 'FP32': send UINT8"),
    "missing": ({"mouth": mouths()["mouth"]}, "the inputs lips, jaw are missing"),
    "clips": ({"mouth": ("UINT8", np.zeros((65, 2, 96, 96), np.uint8))}, "has 65 clips: send at most 64"),
    "frames": (mouths(lips_frames=4), "has shape [1, 4, 40, 2] beside 1 mouths of 5 frames"),
    "no numbers": (mouths(points=np.nan), "no numbers up to 100"),
    "far points": (mouths(points=1e4), "no numbers up to 100"),
    "short": (mouths(frames=1), "a clip of 1 frames"),
    "length": (mouths() | {"length": ("INT64", np.array([6]))}, "a clip of 6 frames, in tensors of 5"),
    "grammar": (mouths() | {"grammar": ("BYTES", np.array([b"\xff"], object))}, "no UTF-8"),
    "no grammar": (mouths() | {"grammar": ("BYTES", np.array([b"nobody's"], object))}, "nobody's"),
}


@pytest.mark.parametrize("case", WRONG)
@CLIENTS
def test_what_is_wrong_with_a_tensor_is_told(client, stock, case):
    tensors, said = WRONG[case]
    with pytest.raises(InferenceServerException) as fault:
        client.infer(MODEL, [input_of(stock, name, *each) for name, each in tensors.items()])
    assert fault.value.status() in {"400", "404", "StatusCode.INVALID_ARGUMENT", "StatusCode.NOT_FOUND"}
    assert said in fault.value.message()


@CLIENTS
def test_wrong_models_versions_and_outputs_are_told(client, stock):
    inputs = inputs_of(stock, [mouth_of()])
    for name, version in (("nobody", ""), (MODEL, "17")):
        with pytest.raises(InferenceServerException, match="ask for grid-sentences 1") as fault:
            client.infer(name, inputs, model_version=version)
        assert fault.value.status() in {"404", "StatusCode.NOT_FOUND"}
    for wanted, said in (("colour", "no output is called 'colour'"), ("text", "classification of 'text'")):
        output = stock.InferRequestedOutput(wanted, class_count=3 if wanted == "text" else 0)
        with pytest.raises(InferenceServerException, match=said):
            client.infer(MODEL, inputs, outputs=[output])


@CLIENTS
def test_what_fails_behind_the_door_has_the_protocols_status(client, stock, reader):
    cases = [
        (BadInput("no words in it", "move your lips"), {"400", "StatusCode.INVALID_ARGUMENT"}),
        (ModelError("the bundle is broken", "fetch it again"), {"500", "StatusCode.INTERNAL"}),
        (Busy("64 wait already", "come back", 3.0), {"429", "StatusCode.RESOURCE_EXHAUSTED"}),
    ]
    for reader.fault, statuses in cases:
        with pytest.raises(InferenceServerException, match=reader.fault.cure) as told:
            client.infer(MODEL, inputs_of(stock, [mouth_of()]))
        assert told.value.status() in statuses
    reader.fault = None


@CLIENTS
def test_a_request_that_waits_longer_than_its_timeout_is_too_late(client, stock, reader):
    reader.hold.clear()
    try:
        with pytest.raises(InferenceServerException) as late:
            client.infer(MODEL, inputs_of(stock, [mouth_of()]), timeout=200_000)
    finally:
        reader.hold.set()
    assert late.value.status() in {"504", "StatusCode.DEADLINE_EXCEEDED"}


def test_a_busy_answer_says_when_to_come_back(rest, reader):
    reader.fault = Busy("64 wait already", "come back", 3.0)
    answer = rest.post(f"/v2/models/{MODEL}/infer", json={"inputs": json_inputs()})
    reader.fault = None
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


BODIES = {
    "nothing": (b"", {}, 400, "where it ends"),
    "no JSON": (b"{", {}, 400, "no JSON"),
    "deep": (b"[" * 100_000, {}, 400, "no JSON"),
    "not a number": (b'{"inputs": [NaN]}', {}, 400, "NaN"),
    "a list": (b"[]", {}, 400, "no JSON object"),
    "inputs that are none": (b'{"inputs": [1]}', {}, 400, "without a name"),
    "a header that counts too much": (b"{}", {"inference-header-content-length": "3"}, 400, "by the headers"),
    "a header that is no number": (b"{}", {"inference-header-content-length": "-1"}, 400, "say how many bytes"),
    "bytes that nobody owns": (b"{}12", {"inference-header-content-length": "2"}, 400, "2 bytes are left"),
    "another packing": (b"{}", {"content-encoding": "br"}, 415, "packed as 'br'"),
    "damaged": (b"{}", {"content-encoding": "gzip"}, 400, "is no gzip"),
    "cut short": (gzip.compress(b"{}" * 99)[:-9], {"content-encoding": "gzip"}, 400, "not one whole gzip"),
    "a bomb": (gzip.compress(bytes(2**25)), {"content-encoding": "gzip"}, 413, "more than 16777216 bytes"),
    "another bomb": (zlib.compress(bytes(2**25)), {"content-encoding": "deflate"}, 413, "more than 16777216 bytes"),
    "too much": (bytes(2**24 + 1), {}, 413, "more than 16777216 bytes"),
    "too much JSON": (b" " * (2**23 + 1), {}, 400, "as bytes behind it"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_makes_no_sense_is_refused_in_one_line(rest, case):
    body, headers, status, said = BODIES[case]
    answer = rest.post(f"/v2/models/{MODEL}/infer", content=body, headers=headers)
    assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text
    assert answer.headers.keys() >= {"trace-id"}


def test_all_below_v2_is_answered_as_the_protocol_does_and_the_rest_as_ours(rest):
    for method, path, status in (("GET", "/v2/nothing", 404), ("DELETE", "/v2/health/live", 405)):
        answer = rest.request(method, path)
        assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert rest.get("/nothing").json()["type"] == "urn:lipsol:problem:not-found"


def test_a_message_that_is_none_or_too_large_is_bad_input(doors):
    with grpc.insecure_channel(doors.rpc) as channel:
        for name, sent, code in (
            ("ModelInfer", b"\xff\xff", grpc.StatusCode.INVALID_ARGUMENT),
            ("ModelMetadata", b"\x0a\xff", grpc.StatusCode.INVALID_ARGUMENT),
            ("ModelInfer", bytes(2**24 + 1), grpc.StatusCode.RESOURCE_EXHAUSTED),
            ("LogSettings", b"", grpc.StatusCode.UNIMPLEMENTED),
        ):
            with pytest.raises(grpc.RpcError) as fault:
                channel.unary_unary(f"/{NAME}/{name}")(sent, timeout=PATIENCE_S)
            assert fault.value.code() == code
        with pytest.raises(grpc.RpcError) as fault:
            channel.unary_unary(f"/{NAME}/ModelInfer")(
                bytes(2**26), timeout=PATIENCE_S, compression=grpc.Compression.Gzip
            )
        assert fault.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
