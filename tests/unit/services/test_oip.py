"""Tensors, and what they mean: pure, and told in docs/serving.md as they are."""

import asyncio
import gzip
import tracemalloc
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lipsol.errors import BadInput, Busy, NotFound
from lipsol.model.prediction import Alternative, Prediction, Word
from services.doors.problems import Refused
from services.inference.oip import bodies, mouths, rest, room, rpc, tensors
from services.inference.oip.inferring import deadline
from services.inference.oip.models import Known
from services.inference.oip.mouths import INPUTS, OUTPUTS, check_wanted, mouths_of, outputs_of
from services.inference.oip.room import Room
from tests.services_made import info_of, mouth_of

ELEMENTS = {"FP32": {"allow_nan": False}}  # which is not even itself
SHAPES = arrays.array_shapes(max_dims=4, max_side=4)
NUMBERS = st.sampled_from(["BOOL", "UINT8", "INT64", "FP32"]).flatmap(
    lambda name: st.tuples(st.just(name), arrays.arrays(tensors.DTYPES[name], SHAPES, elements=ELEMENTS.get(name)))
)
TEXTS = SHAPES.flatmap(lambda shape: arrays.arrays(object, shape, elements=st.text(max_size=5).map(str.encode)))
ANY = NUMBERS | TEXTS.map(lambda array: ("BYTES", array))


@settings(max_examples=40)
@given(ANY)
def test_a_tensor_comes_back_from_its_bytes_and_from_its_values(made):
    datatype, array = made
    for found in (
        tensors.of_bytes("x", datatype, array.shape, tensors.to_bytes(array)),
        tensors.of_values("x", datatype, array.shape, tensors.to_values(array)),
        tensors.of_values("x", datatype, array.shape, nested(datatype, array)),
    ):
        assert found.dtype == array.dtype
        assert found.tolist() == array.tolist()


def nested(datatype, array):
    """Values in lists, as JSON has them."""
    return np.vectorize(bytes.decode, otypes=[object])(array).tolist() if datatype == "BYTES" else array.tolist()


@pytest.mark.parametrize(
    ("datatype", "shape", "data"),
    [
        ("UINT8", (2, 2), b"123"),
        ("UINT8", (2**62, 2**62), b"123"),
        ("FP32", (1,), b"12345"),
        ("BOOL", (2,), b"\0\2"),
        ("BYTES", (1,), b""),
        ("BYTES", (1,), b"\5\0\0\0abc"),
        ("BYTES", (1,), b"\1\0\0\0ab"),
        ("BYTES", (2,), b"\1\0\0\0a"),
        ("BYTES", (2**62,), b"\1\0\0\0a"),
    ],
)
def test_bytes_that_do_not_fill_their_shape_are_refused(datatype, shape, data):
    with pytest.raises(BadInput, match="'x'"):
        tensors.of_bytes("x", datatype, shape, data)


@pytest.mark.parametrize(
    ("datatype", "shape", "values"),
    [
        ("UINT8", (1,), [256]),
        ("UINT8", (1,), [-1]),
        ("UINT8", (1,), [1.0]),
        ("UINT8", (1,), [True]),
        ("UINT8", (1,), ["1"]),
        ("UINT8", (2,), [1]),
        ("UINT8", (2, 2), [[1, 2], [3]]),
        ("UINT8", (2, 2), [[1, 2, 3], [4]]),
        ("UINT8", (2, 2), [[1, 2], 3]),
        ("UINT8", (1, 1), [[[1]]]),
        ("INT64", (1,), [2**63]),
        ("FP32", (1,), [10**400]),
        ("FP32", (1,), [None]),
        ("BOOL", (1,), [1]),
        ("BYTES", (1,), [1]),
        ("BYTES", (1,), ["\ud800"]),
        ("BYTES", (2,), [["a"], ["b"]]),
    ],
)
def test_values_that_do_not_fill_their_shape_or_datatype_are_refused(datatype, shape, values):
    with pytest.raises(BadInput, match="'x'"):
        tensors.of_values("x", datatype, shape, values)


def held(*clips):
    """Clips of one length as inputs."""
    return {name: np.stack([getattr(clip, name) for clip in clips]) for name in ("mouth", "lips", "jaw")}


def test_mouths_come_out_as_they_went_in():
    first, second = mouth_of(1), mouth_of(2)
    whole = held(first, second) | {"outline": np.stack([first.outline, second.outline]), "length": np.array([5, 3])}
    found = mouths_of(whole)
    for got, clip in zip(found, (first, second.cut(0, 3)), strict=True):
        for name in ("mouth", "lips", "jaw", "outline", "seen"):
            assert np.array_equal(getattr(got, name), getattr(clip, name)), name


def test_a_mouth_of_which_only_the_needed_is_told_was_seen_throughout():
    (found,) = mouths_of(held(mouth_of(1)))
    assert found.seen.all()
    assert not found.outline.any()


def test_readings_become_the_outputs_that_are_wanted():
    word = Word("bin", 0.0, 0.4, 0.9)
    made = Prediction("bin ہے", 0.5, True, (Alternative("pin", 0.25),), (word,), "ur", None)
    found = outputs_of([made], check_wanted(["words", "text"]))
    assert list(found) == ["words", "text"]
    assert found["text"].tolist() == ["bin ہے".encode()]
    assert found["words"][0] == b'[{"text":"bin","start_s":0.0,"end_s":0.4,"confidence":0.9,"alike":[]}]'
    assert outputs_of([made], check_wanted([])).keys() == {each.name for each in OUTPUTS}
    with pytest.raises(BadInput, match="asked for twice"):
        check_wanted(["text", "text"])


def test_a_timeout_is_in_microseconds_and_0_is_none():
    assert deadline(0, 100.0) == 0.0
    assert deadline(2_500_000, 100.0) == 102.5
    for wrong in (-1, 2**63):
        with pytest.raises(BadInput, match="give 0"):
            deadline(wrong, 100.0)


def test_a_door_holds_no_more_than_it_may_and_forgets_what_is_done():
    small = Room(request_bytes=10, memory_bytes=15)
    with small.counting() as first:
        first(10)
        with pytest.raises(Refused, match="more than 10 bytes"):
            first(1)
        with small.counting() as second, pytest.raises(Busy, match="at most 15"):
            second(6)
    with small.counting() as third:
        third(10)


def test_a_model_is_found_by_name_and_version_and_the_newest_by_name_alone():
    newer, older, other = replace(info_of(), version="2"), info_of(), info_of("urdu")
    known = Known(lambda: [newer, older, other])

    async def asked():
        assert (await known.find("grid-sentences")).version == "2"
        assert (await known.find("grid-sentences", "1")) is older
        assert await known.versions("grid-sentences") == ["2", "1"]
        with pytest.raises(NotFound, match="ask for grid-sentences 2, grid-sentences 1, urdu 1"):
            await known.find("grid-sentences", "3")

    asyncio.run(asked())


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_a_bomb_is_not_unpacked_beyond_its_bound(pack):
    packed = pack(bytes(2**24))
    tracemalloc.start()
    try:
        assert bodies.inflated(packed, "gzip", 1000) is None
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert bodies.inflated(pack(b"a" * 1000), "gzip", 1000) == b"a" * 1000


def row(tensor):
    """A tensor as docs/serving.md shows it."""
    shape = ", ".join(["n", *("frames" if size < 0 else str(size) for size in tensor.shape)])
    return f"| `{tensor.name}` | {tensor.datatype} | `[{shape}]` | {tensor.meaning} |"


def test_the_page_tells_every_tensor_and_every_bound(top):
    page = (top / "docs" / "serving.md").read_text()
    bounds = {
        "one request, unpacked": f"{room.REQUEST_BYTES >> 20} MiB",
        "the JSON of one": f"{bodies.JSON_BYTES >> 20} MiB",
        "all requests in work": f"{room.MEMORY_BYTES >> 20} MiB",
        "requests that are unpacked at a time": room.UNPACKED_AT_ONCE,
        "clips of one request": mouths.CLIPS_MAX,
        "seconds that one body may take to come": f"{rest.BODY_S:.0f}",
        "gRPC calls at a time": rpc.BOUNDS.calls,
        "requests of one stream in work": rpc.AHEAD,
    }
    rows = [*map(row, INPUTS), *map(row, OUTPUTS), *(f"| {name} | {bound} |" for name, bound in bounds.items())]
    assert [each for each in rows if each not in page] == []
