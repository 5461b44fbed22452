"""Requests and replies as the protocol has them over gRPC. Pure; unknown fields are skipped, as protobuf wants it."""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from google.protobuf.message import DecodeError, Message

from lipsol.errors import BadInput
from lipsol.proto.oip import inference_pb2 as pb
from services.inference.oip.bodies import refuse_extensions
from services.inference.oip.inferring import Reply, Request, deadline
from services.inference.oip.mouths import GIVEN, check, check_wanted
from services.inference.oip.tensors import of_bytes, of_values, to_bytes

CONTENTS = {  # which of the typed contents has the values of a datatype
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "BYTES": "bytes_contents",
}
Sent = TypeVar("Sent", bound=Message)


def message(kind: type[Sent], data: bytes) -> Sent:
    """A message of that kind. Raises BadInput if the bytes are none."""
    try:
        return kind.FromString(data)
    except DecodeError as fault:
        raise BadInput(f"{len(data)} bytes that are no {kind.DESCRIPTOR.full_name}", "send one") from fault


def parsed(sent: pb.ModelInferRequest, now: float) -> Request:
    """A request. Raises BadInput where it is not what the protocol or our tensors say."""
    wanted = []
    for each in sent.outputs:
        refuse_extensions(each.name, _plain(each.parameters))
        wanted.append(each.name)
    timeout = _plain(sent.parameters).get("timeout", 0)
    if not isinstance(timeout, int) or isinstance(timeout, bool):
        raise BadInput("timeout is no whole number", "send one")
    return Request(
        model=sent.model_name,
        version=sent.model_version,
        id=sent.id,
        inputs=_inputs(sent),
        outputs=check_wanted(wanted),
        deadline_at=deadline(timeout, now),
    )


def written(reply: Reply) -> pb.ModelInferResponse:
    """A reply, its tensors as bytes."""
    made = pb.ModelInferResponse(model_name=reply.model, model_version=reply.version, id=reply.id)
    made.parameters["digest"].string_param = reply.digest
    for name, array in reply.outputs.items():
        made.outputs.add(name=name, datatype=GIVEN[name].datatype, shape=array.shape)
        made.raw_output_contents.append(to_bytes(array))
    return made


def _inputs(sent: pb.ModelInferRequest) -> dict[str, np.ndarray]:
    raw = sent.raw_input_contents
    if raw and len(raw) != len(sent.inputs):
        raise BadInput(f"{len(raw)} raw contents for {len(sent.inputs)} inputs", "send one for each, in their order")
    found: dict[str, np.ndarray] = {}
    for at, each in enumerate(sent.inputs):
        refuse_extensions(each.name, _plain(each.parameters))
        shape = tuple(each.shape)
        check(each.name, each.datatype, shape)
        if each.name in found:
            raise BadInput(f"the input {each.name!r} comes twice", "send it once")
        typed = {field.name: value for field, value in each.contents.ListFields()}
        if raw and typed:
            raise BadInput(f"the input {each.name!r} has raw and typed contents", "send one of them")
        found[each.name] = (
            of_bytes(each.name, each.datatype, shape, raw[at])
            if raw
            else of_values(each.name, each.datatype, shape, _typed(each.name, each.datatype, typed))
        )
    return found


def _typed(name: str, datatype: str, typed: Mapping[str, Any]) -> list[Any]:
    """The values of a datatype. Raises BadInput where they stand elsewhere."""
    wanted = CONTENTS[datatype]
    if typed.keys() - {wanted}:
        raise BadInput(f"the input {name!r} has {', '.join(sorted(typed))}", f"send {wanted}, or raw contents")
    return list(typed.get(wanted, ()))


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with their values."""
    found = {}
    for name, value in parameters.items():
        chosen = value.WhichOneof("parameter_choice")
        found[name] = getattr(value, chosen) if chosen else None
    return found
