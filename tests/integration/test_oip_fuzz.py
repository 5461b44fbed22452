"""The tensor doors under made-up requests: whatever comes, the answer is the caller's fault or a reading, and it comes.

Examples are the same in every run. The readers are the real ones: numbers that a network can't take are found here.
"""

import json
import re

import grpc
import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lipsol.proto.oip import inference_pb2 as pb
from services.inference.oip.mouths import FAR, INPUTS, OUTPUTS
from services.inference.oip.rpc import NAME, Calls
from services.inference.oip.tensors import to_bytes
from tests.oip_made import PATIENCE_S, json_inputs, opened, real_core
from tests.services_made import mouth_of

MODEL = "grid-sentences"
INFER = f"/v2/models/{MODEL}/infer"
OURS = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED}
FUZZ = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
NAMES = [each.name for each in (*INPUTS, *OUTPUTS)] + ["", "nose", "\0", "é" * 200]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SIZES = st.sampled_from([-1, 0, 1, 2, 3, 40, 96, 2**31, 2**63 - 1]) | st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(scope="module")
def doors(top, tmp_path_factory):
    with opened(real_core(top / "models", tmp_path_factory.mktemp("store"))) as both:
        yield both


@pytest.fixture(scope="module")
def rest(doors):
    with httpx.Client(base_url=f"http://{doors.rest}", timeout=PATIENCE_S) as connected:
        yield connected


@pytest.fixture(scope="module")
def channel(doors):
    with grpc.insecure_channel(doors.rpc) as connected:
        yield connected


def asked(rest, body, headers=None):
    """The status of a request that is answered as the protocol answers."""
    answer = rest.post(INFER, content=body, headers=headers or {})
    assert answer.status_code < 500, (answer.status_code, answer.text, body[:300], headers)
    if answer.status_code != 200:
        assert re.fullmatch(r".+", answer.json()["error"], re.DOTALL)
    return answer.status_code


def called(channel, name, data):
    """The status of a call."""
    code = channel.unary_unary(f"/{NAME}/{name}").future(data, timeout=PATIENCE_S).code()
    assert code not in OURS | {grpc.StatusCode.DEADLINE_EXCEEDED}, (code, name, data[:300])
    return code


@FUZZ
@given(
    body=st.binary(max_size=300) | VALUES.map(lambda value: json.dumps(value).encode()),
    headers=st.dictionaries(
        st.sampled_from(["inference-header-content-length", "content-encoding", "accept-encoding", "content-type"]),
        st.sampled_from(["gzip", "deflate", "identity", "gzip, deflate", "application/json", "", "-1", "1e3", "٣"])
        | st.integers(-2, 400).map(str)
        | st.integers().map(str),
    ),
)
def test_any_bytes_and_headers_are_the_callers_fault(rest, body, headers):
    headers = {name: value.encode() for name, value in headers.items()}
    assert asked(rest, body, headers) in {400, 415}


@st.composite
def damaged(draw):
    """A request that would be read, but for one place that holds something else."""
    document = {"id": "a", "parameters": {"timeout": 0}, "inputs": json_inputs(), "outputs": [{"name": "text"}]}
    place, key = document, draw(st.sampled_from(list(document)))
    while isinstance(place[key], (dict, list)) and len(place[key]) and draw(st.booleans()):
        place = place[key]
        key = draw(st.sampled_from(list(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
    if draw(st.booleans()):
        place[key] = draw(VALUES | SIZES | st.lists(SIZES, max_size=5))
    elif isinstance(place, dict):
        place[draw(st.sampled_from(["parameters", "data", "shape", "datatype", "name", "x"]))] = draw(VALUES)
    else:
        place.insert(key, draw(VALUES))
    return document


@FUZZ
@given(document=damaged())
def test_any_json_with_one_wrong_place_is_the_callers_fault_or_read(rest, document):
    assume(not hurried(document))
    assert asked(rest, json.dumps(document).encode()) in {200, 400, 413}


def hurried(document):
    """Whether it asks to be answered within microseconds, which nobody can: 504 is right then."""
    parameters = document.get("parameters")
    timeout = parameters.get("timeout") if isinstance(parameters, dict) else None
    return type(timeout) is int and timeout > 0


@st.composite
def declared(draw):
    """Tensors that are described at random, and bytes behind them that fit or don't."""
    inputs, behind = [], []
    for each in draw(st.lists(st.sampled_from(INPUTS), max_size=4)):
        shape = draw(st.just([size if size > 0 else 2 for size in each.full_shape]) | st.lists(SIZES, max_size=5))
        data = draw(st.binary(max_size=40) | st.just(bytes(2 * 2 * 96 * 96)) | st.just(bytes(2 * 2 * 40 * 2 * 4)))
        size = draw(st.just(len(data)) | SIZES)
        kind = draw(st.just(each.datatype) | st.sampled_from(["BYTES", "FP16", ""]))
        inputs.append({"name": each.name, "datatype": kind, "shape": shape, "parameters": {"binary_data_size": size}})
        behind.append(data)
    return {"inputs": inputs, "parameters": {"binary_data_output": True}}, b"".join(behind)


@FUZZ
@given(request=declared(), off=st.just(0) | st.integers(-3, 3))
def test_any_bytes_behind_the_json_are_the_callers_fault_or_read(rest, request, off):
    document, behind = request
    head = json.dumps(document).encode()
    status = asked(rest, head + behind, {"inference-header-content-length": str(len(head) + off)})
    assert status in {200, 400}


def tensors(**arrays):
    """A request over gRPC."""
    request = pb.ModelInferRequest(model_name=MODEL)
    for name, (kind, array) in arrays.items():
        request.inputs.add(name=name, datatype=kind, shape=array.shape)
        request.raw_input_contents.append(to_bytes(array))
    return request


def whole():
    """A request that is read."""
    mouth = mouth_of(frames=2)
    return tensors(mouth=("UINT8", mouth.mouth[None]), lips=("FP32", mouth.lips[None]), jaw=("FP32", mouth.jaw[None]))


@FUZZ
@given(name=st.sampled_from(sorted(Calls(None, None, tuple).handlers())), data=st.binary(max_size=200))
def test_any_bytes_on_any_call_are_the_callers_fault_or_answered(channel, name, data):
    if name == "ModelStreamInfer":
        (answer,) = channel.stream_stream(f"/{NAME}/{name}")(iter([data]), timeout=PATIENCE_S)
        assert pb.ModelStreamInferResponse.FromString(answer).error_message
    else:
        called(channel, name, data)


@FUZZ
@given(at=st.integers(0, 10**6), put=st.binary(min_size=1, max_size=8), cut=st.integers(0, 3).map(lambda n: n * 7))
def test_a_request_with_damaged_bytes_is_the_callers_fault_or_read(channel, at, put, cut):
    data = bytearray(whole().SerializeToString())
    at %= 200 if at % 2 else len(data)  # the description stands at the beginning, where damage tells most
    data[at : at + len(put)] = put
    called(channel, "ModelInfer", bytes(data[: len(data) - cut]))


@st.composite
def described(draw):
    """A request whose description is made up, with contents of any kind."""
    request = pb.ModelInferRequest(model_name=draw(st.sampled_from([MODEL, "grid-words", "", "x"])))
    for _ in range(draw(st.integers(0, 4))):
        made = request.inputs.add(
            name=draw(st.sampled_from([each.name for each in INPUTS])),
            datatype=draw(st.sampled_from(["BOOL", "UINT8", "INT64", "FP32", "BYTES", "BF16"])),
            shape=draw(st.lists(SIZES, max_size=5)),
        )
        if draw(st.booleans()):
            made.contents.uint_contents.extend(draw(st.lists(st.integers(0, 2**32 - 1), max_size=4)))
        if draw(st.booleans()):
            made.contents.fp32_contents.extend(draw(st.lists(st.floats(width=32), max_size=4)))
        made.parameters[draw(st.text(max_size=4))].bool_param = True
    request.raw_input_contents.extend(draw(st.lists(st.binary(max_size=30), max_size=4)))
    request.parameters["timeout"].int64_param = draw(st.just(0) | st.integers(-(2**63), -1))
    return request


@FUZZ
@given(request=described())
def test_any_described_tensors_are_the_callers_fault(channel, request):
    assert called(channel, "ModelInfer", request.SerializeToString()) in {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
    }


@settings(FUZZ, max_examples=40)
@given(
    model=st.sampled_from([MODEL, "grid-words"]),
    clips=st.integers(1, 3),
    frames=st.integers(2, 7),
    seed=st.integers(0, 2**32),
    scale=st.sampled_from([0.0, 1e-38, 1.0, FAR]),
    grammar=st.sampled_from(["", "none", "grid", "urdu", "{}", '{"phrases": []}', "\0", "../grid"])
    | st.text(max_size=9),
)
def test_any_mouth_within_the_bounds_is_read_or_the_callers_fault(channel, model, clips, frames, seed, scale, grammar):
    noise = np.random.default_rng(seed)
    request = tensors(
        mouth=("UINT8", noise.integers(0, 256, (clips, frames, 96, 96), np.uint8)),
        lips=("FP32", noise.uniform(-scale, scale, (clips, frames, 40, 2)).astype(np.float32)),
        jaw=("FP32", noise.choice([-scale, 0, scale], (clips, frames, 16, 2)).astype(np.float32)),
        length=("INT64", noise.integers(2, frames + 1, clips)),
        grammar=("BYTES", np.array([grammar.encode(errors="replace")] * clips + [None], object)[:-1]),
    )
    request.model_name = model
    called(channel, "ModelInfer", request.SerializeToString())
