"""Requests and replies as the protocol has them over REST: a JSON object, and behind it the tensors that came as bytes.

`Inference-Header-Content-Length` says where the JSON ends; without it, all is JSON. Pure.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lipsol.errors import BadInput
from services.inference.oip.inferring import Reply, Request, deadline
from services.inference.oip.mouths import GIVEN, check, check_wanted
from services.inference.oip.tensors import of_bytes, of_values, to_bytes, to_values

HEADER_LENGTH = "inference-header-content-length"
JSON_BYTES = 8 * 2**20  # of a request's JSON: unpacked, it is some times as large
ENCODINGS = ("gzip", "deflate")
HOW = "see /docs of the protocol: name, shape, datatype, and data or a binary_data_size"


@dataclass(frozen=True)
class Asked:
    """A request, and which of its outputs are wanted as bytes behind the JSON."""

    request: Request
    binary: frozenset[str]


def inflated(data: bytes, encoding: str, most: int) -> bytes | None:
    """A body without its compression; None: it has more than `most` bytes. Raises BadInput if it is damaged."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, as its first bytes say
    try:
        found = unpacking.decompress(data, most + 1)
    except zlib.error as fault:
        raise BadInput(f"the body is no {encoding} ({fault})", "send it as Content-Encoding says") from fault
    if len(found) > most:
        return None
    if not unpacking.eof or unpacking.unused_data:
        raise BadInput(f"the body is not one whole {encoding} stream", "send all of it, and nothing behind it")
    return found


def parsed(body: bytes, header_length: int | None, model: str, version: str, now: float) -> Asked:
    """The request in a body. Raises BadInput where it is not what the protocol or our tensors say."""
    end = len(body) if header_length is None else header_length
    if not 0 < end <= len(body):
        raise BadInput(
            f"the JSON has {end} bytes by the headers, the body has {len(body)}",
            f"say in {HEADER_LENGTH} where it ends",
        )
    document = json_object(body[:end])
    parameters = _parameters(document)
    wanted = [_named(each) for each in _list(document, "outputs")]
    outputs = check_wanted([name for name, _ in wanted])
    default = parameters.get("binary_data_output") is True
    said = {name: each.get("binary_data", default) is True for name, each in wanted}
    inputs = _inputs(_list(document, "inputs"), memoryview(body)[end:])
    identity = document.get("id", "")
    if not isinstance(identity, str):
        raise BadInput("the id is no text", "send a text")
    deadline_at = deadline(_whole(parameters.get("timeout", 0), "timeout"), now)
    request = Request(model, version, identity, inputs, outputs, deadline_at)
    return Asked(request, frozenset(name for name in outputs if said.get(name, default)))


def written(reply: Reply, binary: frozenset[str]) -> tuple[bytes, int | None]:
    """A reply's body; and where its JSON ends, if something stands behind it."""
    behind: list[bytes] = []
    outputs = [_output(name, array, behind if name in binary else None) for name, array in reply.outputs.items()]
    document: dict[str, Any] = {"model_name": reply.model, "model_version": reply.version}
    if reply.id:
        document["id"] = reply.id
    document |= {"parameters": {"digest": reply.digest}, "outputs": outputs}
    head = json.dumps(document, separators=(",", ":")).encode()
    return b"".join([head, *behind]), len(head) if binary else None


def _output(name: str, array: np.ndarray, behind: list[bytes] | None) -> dict[str, Any]:
    """One output as JSON; its data there, or put behind."""
    found = {"name": name, "datatype": GIVEN[name].datatype, "shape": list(array.shape)}
    if behind is None:
        return found | {"data": to_values(array)}
    behind.append(to_bytes(array))
    return found | {"parameters": {"binary_data_size": len(behind[-1])}}


def _inputs(described: list[Any], behind: memoryview) -> dict[str, np.ndarray]:
    """The inputs by name, their data from the JSON or from what stands behind it, which must be used up."""
    found: dict[str, np.ndarray] = {}
    at = 0
    for each in described:
        name, parameters = _named(each)
        datatype, shape = each.get("datatype"), each.get("shape")
        if not isinstance(datatype, str) or not _is_shape(shape):
            raise BadInput(f"the input {name[:100]!r} has no datatype or no shape", HOW)
        check(name, datatype, shape)
        if name in found:
            raise BadInput(f"the input {name!r} comes twice", "send it once")
        if "binary_data_size" in parameters:
            size = _whole(parameters["binary_data_size"], "binary_data_size")
            if not 0 <= size <= len(behind) - at:
                raise BadInput(
                    f"the input {name!r} has {size} bytes, {len(behind) - at} are left of the body",
                    f"send them behind the JSON, and say in {HEADER_LENGTH} where that ends",
                )
            found[name] = of_bytes(name, datatype, shape, behind[at : at + size])
            at += size
        else:
            found[name] = of_values(name, datatype, shape, _list(each, "data"))
    if at != len(behind):
        raise BadInput(f"{len(behind) - at} bytes are left behind the inputs", "say in binary_data_size whose they are")
    return found


def json_object(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises BadInput for anything else, and for what is too large or too deep."""
    if len(data) > JSON_BYTES:
        raise BadInput(f"JSON of {len(data)} bytes", f"send at most {JSON_BYTES}, and the tensors as bytes behind it")
    try:
        found = json.loads(data.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"the body is no JSON ({str(fault)[:100]})", "send a JSON object, UTF-8") from fault
    if not isinstance(found, dict):
        raise BadInput("the body is no JSON object", HOW)
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _named(each: Any) -> tuple[str, Mapping[str, Any]]:
    """The name and the parameters of an input or output. Raises BadInput for what is asked of it and not done here."""
    name = each.get("name") if isinstance(each, dict) else None
    if not isinstance(name, str):
        raise BadInput("an input or output without a name", HOW)
    parameters = _parameters(each)
    refuse_extensions(name, parameters)
    return name, parameters


def refuse_extensions(name: str, parameters: Mapping[str, Any]) -> None:
    """Raise BadInput for a tensor's parameters that ask for what is not done here."""
    if parameters.get("classification"):
        raise BadInput(f"classification of {name[:100]!r} is asked for", "ask for `alternatives`: they are the classes")
    if any(key.startswith("shared_memory") for key in parameters):
        raise BadInput(f"{name[:100]!r} is in shared memory", "send its bytes: nobody's memory is shared here")


def _parameters(each: Mapping[str, Any]) -> Mapping[str, Any]:
    found = each.get("parameters", {})
    if not isinstance(found, dict):
        raise BadInput("parameters that are no object", HOW)
    return found


def _list(each: Mapping[str, Any], name: str) -> list[Any]:
    found = each.get(name, [])
    if not isinstance(found, list):
        raise BadInput(f"{name} is no list", HOW)
    return found


def _whole(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput(f"{name} is no whole number", "send one")
    return value


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, int) and not isinstance(each, bool) for each in value)
