"""What a network asks of a chip, and what the chip could give: operations and bytes, counted from the ONNX graph.

The roofline (Williams, Waterman and Patterson 2009): no run is faster than its floating point operations at the chip's
peak, nor than its bytes at the memory's. The graph is run once on the CPU, so that every node tells the shapes it has.

- Operations are a product's multiplications and additions; anything else counts one for each number that it makes or,
  where it sums, takes. What only moves numbers counts none.
- Bytes are what each node reads and writes, once; nothing stays in a cache from one node to the next. What is a view
  costs none, and what picks from a tensor reads no more of it than it takes.
"""

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime

VIEWS = frozenset({"Flatten", "Identity", "Reshape", "Shape", "Squeeze", "Unsqueeze"})
PICKS = frozenset({"Expand", "Gather", "GatherElements", "GatherND", "Slice", "Split"})
MOVES = VIEWS | PICKS | {"Cast", "Concat", "ConstantOfShape", "Pad", "Range", "Tile", "Transpose", "Where"}
SUMS = ("Reduce", "ArgMax", "LayerNormalization", "LogSoftmax", "Softmax")
BYTES = {"float": 4, "float16": 2, "double": 8, "uint8": 1, "int8": 1, "bool": 1, "int32": 4, "int64": 8}
Tensor = tuple[str, tuple[int, ...]]  # type and shape


@dataclass(frozen=True)
class Work:
    """What has to be done: floating point operations, and bytes between memory and chip."""

    flops: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.flops + other.flops, self.bytes + other.bytes)


@dataclass(frozen=True)
class Roof:
    """What a chip can do at most, each second."""

    flops: float
    bytes: float

    def seconds(self, work: Work) -> float:
        """The least time that the work can take."""
        return max(work.flops / self.flops, work.bytes / self.bytes)


@dataclass(frozen=True)
class Chip:
    """A GPU by its maker's data sheet, for dense numbers: TFLOP/s in single precision without tensor cores (TF32 is off
    here), in half precision on them, and GB/s of its memory."""

    single: float
    half: float
    memory: float

    def roof(self, *, fp16: bool) -> Roof:
        return Roof((self.half if fp16 else self.single) * 1e12, self.memory * 1e9)


# The first of these that stands in the name that nvidia-smi gives.
CHIPS: Mapping[str, Chip] = {
    "H200": Chip(67, 989, 4800),
    "H100 PCIe": Chip(51, 756, 2000),
    "H100": Chip(67, 989, 3350),
    "A100-SXM4-80GB": Chip(19.5, 312, 2039),
    "A100 80GB PCIe": Chip(19.5, 312, 1935),
    "A100": Chip(19.5, 312, 1555),
    "L40S": Chip(91.6, 362, 864),
    "L4": Chip(30.3, 121, 300),
    "A10G": Chip(35, 70, 600),
    "A10": Chip(31.2, 125, 600),
    "T4": Chip(8.1, 65, 320),
    "V100": Chip(15.7, 125, 900),
}
TFLOPS, GBPS = "GPU_TFLOPS", "GPU_GBPS"  # in the environment: instead of a data sheet's


def roof_of(name: str, *, fp16: bool, told: Mapping[str, str] = os.environ) -> Roof | None:
    """The roof of the GPU of that name; what the environment says counts first. None: nobody says."""
    if told.get(TFLOPS) and told.get(GBPS):
        return Roof(float(told[TFLOPS]) * 1e12, float(told[GBPS]) * 1e9)
    known = next((chip for part, chip in CHIPS.items() if part in name), None)
    return None if known is None else known.roof(fp16=fp16)


def work_of(network: bytes, feeds: Mapping[str, np.ndarray]) -> Work:
    """What the network has to do for these inputs, all of them read and all outputs written."""
    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder) / "profile")
        # Constants are folded; nothing is fused, and no weight is hidden from the profile by packing it beforehand.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.add_session_config_entry("session.disable_prepacking", "1")
        session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        session.run(None, dict(feeds))
        return sum(map(_node_work, nodes_of(Path(session.end_profiling()))), Work())


def nodes_of(profile: Path) -> list[dict[str, Any]]:
    """The nodes that ran, as onnxruntime's profile tells of them: name, time (`dur`, microseconds) and particulars."""
    events = json.loads(profile.read_text())
    return [each for each in events if each.get("cat") == "Node" and each["name"].endswith("_kernel_time")]


def seconds_by_operator(nodes: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Where the time of a profile went, the most first."""
    spent: dict[str, float] = {}
    for node in nodes:
        kind = node["args"]["op_name"]
        spent[kind] = spent.get(kind, 0.0) + node["dur"] / 1e6
    return dict(sorted(spent.items(), key=lambda each: -each[1]))


def _node_work(node: Mapping[str, Any]) -> Work:
    told = node["args"]
    takes, gives = _tensors(told["input_type_shape"]), _tensors(told["output_type_shape"])
    return Work(flops_of(told["op_name"], takes, gives), bytes_of(told["op_name"], takes, gives))


def flops_of(kind: str, takes: Sequence[Tensor], gives: Sequence[Tensor]) -> float:
    """Floating point operations of one node."""
    shapes = [shape for _, shape in takes]
    made = sum(math.prod(shape) for _, shape in gives)
    if kind in MOVES:
        return 0.0
    if kind in ("MatMul", "FusedMatMul"):
        return 2.0 * made * shapes[0][-1]
    if kind in ("Gemm", "FusedGemm"):
        return 2.0 * made * math.prod(shapes[0]) / gives[0][1][0] + made
    if kind in ("Conv", "FusedConv"):
        return 2.0 * made * math.prod(shapes[1][1:]) + made
    if kind in ("GRU", "LSTM", "RNN"):  # the products of each step with both matrices, and a number for each gate
        steps, clips, _ = shapes[0]
        return steps * clips * (2.0 * (math.prod(shapes[1]) + math.prod(shapes[2])) + math.prod(shapes[1][:2]))
    return float(max(made, sum(map(math.prod, shapes)))) if kind.startswith(SUMS) else float(made)


def bytes_of(kind: str, takes: Sequence[Tensor], gives: Sequence[Tensor]) -> float:
    """Bytes that one node reads and writes."""
    if kind in VIEWS:
        return 0.0
    written = sum(map(_size, gives))
    read = sum(map(_size, takes))
    return float(written + (min(read, written + sum(map(_size, takes[1:]))) if kind in PICKS else read))


def _size(tensor: Tensor) -> int:
    kind, shape = tensor
    return BYTES.get(kind, 4) * math.prod(shape)


def _tensors(told: Iterable[Mapping[str, Sequence[int]]]) -> list[Tensor]:
    return [(kind, tuple(shape)) for each in told for kind, shape in each.items()]
