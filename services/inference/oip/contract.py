"""What the REST door answers and takes, for its OpenAPI description; the protocol has no place for our problems."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.doors.problems import TITLES


class Answered(BaseModel):
    """An answer of the protocol."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Error(Answered):
    """What went wrong, as the protocol has it: the value, the bound and the cure in one line."""

    error: str


class Live(Answered):
    """Whether the process lives."""

    live: bool


class Ready(Answered):
    """Whether requests are read just now."""

    ready: bool


class ModelReady(Ready):
    """Whether requests are read by a model just now."""

    name: str


class Server(Answered):
    """What this server is."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(Answered):
    """A tensor: -1 in its shape is any length."""

    name: str
    datatype: str
    shape: list[int]


class Model(Answered):
    """What a model takes and gives; inputs that may be left out stand in its configuration as optional."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ConfiguredOutput(Answered):
    """A tensor as Triton's configurations have it."""

    name: str
    data_type: str
    dims: list[int]


class ConfiguredInput(ConfiguredOutput):
    """The same of an input."""

    optional: bool


class Config(Answered):
    """A model in Triton's form; the shapes hold the batch, so max_batch_size is 0."""

    name: str
    platform: str
    backend: str
    max_batch_size: int
    input: list[ConfiguredInput]
    output: list[ConfiguredOutput]


class Indexed(Answered):
    """A version of a model."""

    name: str
    version: str
    state: str
    reason: str


class OutputParameters(Answered):
    """binary_data_size: bytes of this tensor behind the JSON, in the order of the outputs."""

    binary_data_size: int


class OutputTensor(TensorMetadata):
    """An output: its data here, flat, or behind the JSON."""

    data: list[Any] | None = None
    parameters: OutputParameters | None = None


class ReplyParameters(Answered):
    """digest: SHA-256 of the bundle that read all of the request."""

    digest: str


class Inferred(Answered):
    """What was read."""

    model_name: str
    model_version: str
    id: str = ""
    parameters: ReplyParameters
    outputs: list[OutputTensor] = Field(description="Those that were asked for, in that order; else all")


TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"type": "string", "enum": ["BOOL", "UINT8", "INT64", "FP32", "BYTES"]},
        "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer", "minimum": 0}}},
        "data": {"type": "array", "description": "Flat, or nested as the shape is", "items": {}},
    },
}
WANTED = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "parameters": {"type": "object", "properties": {"binary_data": {"type": "boolean"}}},
    },
}
INFER = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string"},
        "parameters": {
            "type": "object",
            "properties": {
                "timeout": {"type": "integer", "minimum": 0, "description": "microseconds; 0: none"},
                "binary_data_output": {"type": "boolean"},
            },
        },
        "inputs": {"type": "array", "items": TENSOR},
        "outputs": {"type": "array", "items": WANTED},
    },
}
INFER_BODY = {
    "required": True,
    "description": "JSON; with Inference-Header-Content-Length, JSON of that many bytes and binary tensors behind it",
    "content": {
        "application/json": {"schema": INFER},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}
INDEX_BODY = {
    "content": {"application/json": {"schema": {"type": "object", "properties": {"ready": {"type": "boolean"}}}}}
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation, for its OpenAPI description."""
    return {status: {"model": Error, "description": TITLES[status]} for status in statuses}


def placed(*names: str) -> dict[str, Any]:
    """The parameters in an operation's path, for its OpenAPI description."""
    return {
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    }
