"""What the stock clients get for real clips is what the reader says of them: nothing is lost between the tensors."""

import json
import queue

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http

from lipsol.bundle import Bundle
from lipsol.clips.watch import Watcher
from lipsol.reader import Reader
from tests.oip_made import DATATYPES, PATIENCE_S, input_of, inputs_of, opened, real_core

MODEL = "grid-sentences"
NEAR = 2e-4  # of confidences, which are rounded to 1e-4


@pytest.fixture(scope="module")
def doors(top, tmp_path_factory):
    with opened(real_core(top / "models", tmp_path_factory.mktemp("store"))) as both:
        yield both


@pytest.fixture(scope="module")
def mouths(samples):
    """Three clips, one of them cut short."""
    watcher = Watcher()
    found = [watcher.watch(each.bytes()).mouth for each in (samples[0], samples[-1])]
    return [*found, found[0].cut(0, 41)]


@pytest.fixture(scope="module")
def read(top, mouths):
    """What the reader says of them."""
    reader = Reader(Bundle.load(top / "models" / f"{MODEL}.lipsol"))
    return [reader.read(mouth) for mouth in mouths]


def assert_same(result, at, prediction):
    """A result's reading `at` is the prediction, word for word."""
    assert result.as_numpy("text")[at].decode() == prediction.text
    assert result.as_numpy("confidence")[at] == pytest.approx(prediction.confidence, abs=NEAR)
    assert result.as_numpy("abstained")[at] == prediction.abstained
    for name in ("alternatives", "words"):
        told, wanted = json.loads(result.as_numpy(name)[at]), getattr(prediction, name)
        assert [each["text"] for each in told] == [each.text for each in wanted]
        assert [each["confidence"] for each in told] == pytest.approx([each.confidence for each in wanted], abs=NEAR)
    assert [each["start_s"] for each in json.loads(result.as_numpy("words")[at])] == [
        each.start_s for each in prediction.words
    ]


def padded(stock, mouths):
    """Mouths of different length in one request."""
    longest = max(map(len, mouths))
    for name in ("mouth", "lips", "jaw"):
        rows = [getattr(mouth, name) for mouth in mouths]
        array = np.stack([np.pad(row, [(0, longest - len(row))] + [(0, 0)] * (row.ndim - 1)) for row in rows])
        yield input_of(stock, name, DATATYPES[name], array)
    yield input_of(stock, "length", "INT64", np.array([len(mouth) for mouth in mouths]))


@pytest.mark.parametrize("stock", [tritonclient.http, tritonclient.grpc], ids=["rest", "grpc"])
def test_a_padded_request_reads_as_its_clips_do_one_by_one(doors, mouths, read, stock):
    with stock.InferenceServerClient(doors.url(stock)) as client:
        result = client.infer(MODEL, list(padded(stock, mouths)))
        for at, prediction in enumerate(read):
            assert_same(result, at, prediction)
        alone = client.infer(MODEL, inputs_of(stock, mouths[:1]), model_version="")
        assert_same(alone, 0, read[0])


def test_a_stream_reads_them_as_well(doors, mouths, read):
    came = queue.Queue()
    with tritonclient.grpc.InferenceServerClient(doors.rpc) as client:
        client.start_stream(lambda result, error: came.put(error or result))
        for mouth in mouths:
            client.async_stream_infer(MODEL, inputs_of(tritonclient.grpc, [mouth]))
        for prediction in read:
            assert_same(came.get(timeout=PATIENCE_S), 0, prediction)
        client.stop_stream()


def test_numbers_told_as_json_read_the_same(doors, mouths, read):
    with tritonclient.http.InferenceServerClient(doors.rest) as client:
        result = client.infer(MODEL, inputs_of(tritonclient.http, mouths[2:], binary_data=False))
    assert_same(result, 0, read[2])
