"""Tensors of the Open Inference Protocol <-> NumPy's arrays. Pure; nothing that the sender claims is believed.

A tensor comes as bytes (little-endian, the last axis fastest; of BYTES each element behind its length in four bytes)
or as plain values (JSON's, flat or nested as the shape is, or protobuf's typed contents). Only the datatypes that a
mouth needs are known. BYTES are arrays of dtype object that hold bytes.
"""

import math
import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from lipsol.errors import BadInput

BYTES = "BYTES"
DTYPES = {"BOOL": np.dtype(bool), "UINT8": np.dtype("u1"), "INT64": np.dtype("<i8"), "FP32": np.dtype("<f4")}
PLAIN: dict[str, set[type]] = {  # how a value of each is told where it is not bytes
    "BOOL": {bool},
    "UINT8": {int},
    "INT64": {int},
    "FP32": {int, float},
    BYTES: {str, bytes},
}
LENGTH = struct.Struct("<I")  # before each element of BYTES


def of_bytes(name: str, datatype: str, shape: Sequence[int], data: bytes | memoryview) -> np.ndarray:
    """The array that lies in `data`, which is not copied. Raises BadInput if they don't fit each other."""
    if datatype == BYTES:
        return _array(_elements(name, math.prod(shape), memoryview(data)), shape)
    dtype = DTYPES[datatype]
    wanted = math.prod(shape) * dtype.itemsize
    if len(data) != wanted:
        raise BadInput(
            f"the tensor {name!r} has {len(data)} bytes, but {datatype} {list(shape)} takes {wanted}",
            "send as many as its shape says",
        )
    if datatype == "BOOL" and np.frombuffer(data, np.uint8).max() > 1:
        raise BadInput(f"the tensor {name!r} has bytes that are no BOOL", "send 0 or 1 for each element")
    return np.frombuffer(data, dtype).reshape(shape)


def of_values(name: str, datatype: str, shape: Sequence[int], values: Sequence[Any]) -> np.ndarray:
    """The array of these values. Raises BadInput if they don't fit the shape or the datatype."""
    flat = _flat(name, shape, values)
    strange = set(map(type, flat)) - PLAIN[datatype]
    if strange:
        kinds = ", ".join(sorted(kind.__name__ for kind in strange))
        raise BadInput(f"the tensor {name!r} has values ({kinds}) that are no {datatype}", f"send {datatype} alone")
    if datatype == BYTES:
        return _array([_encoded(name, value) for value in flat], shape)
    try:
        found = np.array(flat, np.float64 if datatype == "FP32" else np.int64)
        fits = datatype != "UINT8" or (found.min() >= 0 and found.max() <= 255)
    except OverflowError:
        fits = False
    if not fits:
        raise BadInput(f"the tensor {name!r} has values beyond {datatype}", "send what the datatype can hold")
    with np.errstate(over="ignore"):  # what FP32 can't hold becomes infinite, and is refused as that
        return found.astype(DTYPES[datatype]).reshape(shape)


def to_bytes(array: np.ndarray) -> bytes:
    """An array as the protocol's bytes."""
    if array.dtype == object:
        return b"".join(LENGTH.pack(len(each)) + each for each in array.ravel())
    return array.tobytes()


def to_values(array: np.ndarray) -> list[Any]:
    """An array as plain values, flat."""
    if array.dtype == object:
        return [each.decode() for each in array.ravel()]
    return list(array.ravel().tolist())


def texts(each: Sequence[str]) -> np.ndarray:
    """Texts as a BYTES array of one axis."""
    return _array([text.encode() for text in each], (len(each),))


def _array(elements: Sequence[bytes], shape: Sequence[int]) -> np.ndarray:
    found = np.empty(len(elements), object)
    found[:] = elements
    return found.reshape(shape)


def _elements(name: str, count: int, data: memoryview) -> list[bytes]:
    """The elements of a BYTES tensor. Raises BadInput if there are more or fewer than `count`."""
    found: list[bytes] = []
    at = 0
    while at + LENGTH.size <= len(data) and len(found) < count:
        (length,) = LENGTH.unpack_from(data, at)
        at += LENGTH.size
        if length > len(data) - at:
            break
        found.append(bytes(data[at : at + length]))
        at += length
    if len(found) != count or at != len(data):
        raise BadInput(
            f"the tensor {name!r} has {len(data)} bytes that are not {count} elements of BYTES",
            "send each element behind its length, four bytes, the lowest first",
        )
    return found


def _flat(name: str, shape: Sequence[int], values: Sequence[Any]) -> Sequence[Any]:
    """Values in one row. Raises BadInput unless they were that already, or nested just as the shape is."""
    if not (len(values) and isinstance(values[0], list)):
        fits = len(values) == math.prod(shape)
    else:
        fits, depth = len(values) == shape[0], 1
        while fits and depth < len(shape):
            fits = set(map(type, values)) == {list} and set(map(len, values)) == {shape[depth]}
            values, depth = list(chain.from_iterable(values)) if fits else values, depth + 1
    if not fits:
        raise BadInput(
            f"the tensor {name!r} has values that do not fill the shape {list(shape)}",
            "send them in one row, or nested as the shape is",
        )
    return values


def _encoded(name: str, value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return value.encode()
    except UnicodeEncodeError as fault:
        raise BadInput(f"the tensor {name!r} has a text that is no Unicode", "send whole characters") from fault
