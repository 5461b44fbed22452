"""Trained models -> ONNX bytes. Weights are stored in half precision and computed with in single."""

import io
from collections.abc import Sequence

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.onnx import ONNXProgram

from lipsol.clips.clip import JAW_POINTS, LIP_POINTS, MOUTH_PX

OPSET = 18
SMALL = 256  # initialisers with fewer numbers stay in single precision


def export(models: Sequence[nn.Module], outputs: tuple[str, ...]) -> list[bytes]:
    """Models of one shape as ONNX with free batch and time, inputs mouth, lips, jaw and length.

    The first is traced, which is what takes long; the graph is then filled with the weights of each.
    """
    program = _traced(models[0].eval(), outputs)
    return [_filled(program, model) for model in models]


def _traced(model: nn.Module, outputs: tuple[str, ...]) -> ONNXProgram:
    """The model's graph as it was traced: its initialisers are the model's weights, by their names."""
    frames = 12
    example = (
        torch.zeros(2, frames, MOUTH_PX, MOUTH_PX, dtype=torch.uint8),
        torch.zeros(2, frames, LIP_POINTS, 2),
        torch.zeros(2, frames, JAW_POINTS, 2),
        torch.tensor([frames, frames - 3]),
    )
    batch, time = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("frames", min=2, max=100_000)
    program = torch.onnx.export(
        model,
        example,
        dynamo=True,
        opset_version=OPSET,
        input_names=["mouth", "lips", "jaw", "length"],
        output_names=list(outputs),
        dynamic_shapes=({0: batch, 1: time}, {0: batch, 1: time}, {0: batch, 1: time}, {0: batch}),
        optimize=False,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    return program


def _filled(traced: ONNXProgram, model: nn.Module) -> bytes:
    """The traced graph with this model's weights, optimised and halved."""
    program = ONNXProgram(traced.model.clone(), None)
    held = model.state_dict()
    program.apply_weights({name: held[name] for name in program.model.graph.initializers})
    program.optimize()
    return halve(program.model_proto)


def halve(model: onnx.ModelProto) -> bytes:
    """Store large single-precision weights in half precision, each behind a Cast that onnxruntime folds at load."""
    graph, casts = model.graph, []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < SMALL:
            continue
        name = weight.name
        small = numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), f"{name}.half")
        weight.CopyFrom(small)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del model.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.checker.check_model(model)
    out = io.BytesIO()
    onnx.save_model(model, out)
    return out.getvalue()
