"""What `make bench-gpu` counts and reads, here on the CPU: a graph's operations and bytes, a profile, nvidia-smi."""

import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from tests.benchmarks.gpu import feeds_of, figures_of, gpu_name, shares_of
from tests.benchmarks.roofline import (
    GBPS,
    TFLOPS,
    Roof,
    Work,
    bytes_of,
    flops_of,
    nodes_of,
    roof_of,
    seconds_by_operator,
    work_of,
)


def network(*, half_weights: bool = False) -> bytes:
    """Relu(x W), W a constant of 3 x 5; reshaped to a row in the end."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["m"])
    weights = np.arange(15, dtype=np.float32).reshape(3, 5)
    named = onnx.numpy_helper.from_array(weights.astype(np.float16) if half_weights else weights, "stored")
    nodes = [
        helper.make_node("Cast", ["stored"], ["w"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "w"], ["product"]),
        helper.make_node("Relu", ["product"], ["kept"]),
        helper.make_node("Reshape", ["kept", "row"], ["y"]),
    ]
    row = onnx.numpy_helper.from_array(np.array([-1]), "row")
    graph = helper.make_graph(nodes, "small", [x], [y], [named, row])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()


@pytest.mark.parametrize("half_weights", [False, True], ids=["single", "half"])
def test_a_graph_asks_for_its_products_and_sums_and_for_what_it_reads_and_writes(half_weights):
    work = work_of(network(half_weights=half_weights), {"x": np.ones((7, 3), np.float32)})
    product, relu = 2 * 7 * 5 * 3, 7 * 5
    assert work.flops == product + relu
    assert work.bytes == 4 * (7 * 3 + 3 * 5 + 7 * 5) + 4 * (7 * 5 + 7 * 5)


def test_twice_the_clips_ask_for_twice_the_operations_but_read_the_weights_once(top):
    import zipfile

    with zipfile.ZipFile(top / "models" / "grid-sentences.lipsol") as bundle:
        held = bundle.read("model.onnx")
    one, two = (work_of(held, feeds_of(clips, frames=10)) for clips in (1, 2))
    assert two.flops == pytest.approx(2 * one.flops, rel=0.01)
    assert 1.1 * one.bytes < two.bytes < 1.9 * one.bytes


@pytest.mark.parametrize(
    ("kind", "takes", "gives", "flops"),
    [
        ("Conv", [(2, 192, 75), (256, 192, 5), (256,)], (2, 256, 75), 2 * 2 * 256 * 75 * 192 * 5 + 2 * 256 * 75),
        ("Gemm", [(4, 8), (8, 3), (3,)], (4, 3), 2 * 4 * 8 * 3 + 4 * 3),
        ("Gemm", [(8, 4), (8, 3), (3,)], (4, 3), 2 * 4 * 8 * 3 + 4 * 3),
        ("GRU", [(75, 2, 320), (1, 480, 320), (1, 480, 160)], (75, 1, 2, 160), 75 * 2 * (2 * 480 * (320 + 160) + 480)),
        ("Add", [(4, 8), (8,)], (4, 8), 32),
        ("ReduceSum", [(4, 8)], (4, 1), 32),
        ("Transpose", [(4, 8)], (8, 4), 0),
    ],
    ids=["conv", "gemm", "gemm-turned", "gru", "add", "sum", "moved"],
)
def test_an_operator_has_the_operations_of_its_definition(kind, takes, gives, flops):
    assert flops_of(kind, [("float", shape) for shape in takes], [("float", gives)]) == flops


@pytest.mark.parametrize(
    ("kind", "takes", "gives", "moved"),
    [
        ("Add", [("float16", (4, 8)), ("float16", (8,))], ("float16", (4, 8)), 2 * (32 + 8 + 32)),
        ("Reshape", [("float", (4, 8)), ("int64", (1,))], ("float", (32,)), 0),
        ("Slice", [("float", (1000, 8)), ("int64", (1,))], ("float", (2, 8)), 4 * 16 + 4 * 16 + 8),
        ("Expand", [("float", (1, 8)), ("int64", (2,))], ("float", (4, 8)), 4 * 8 + 8 * 2 + 4 * 32),
    ],
    ids=["add", "view", "slice", "expand"],
)
def test_an_operator_moves_what_it_reads_and_writes(kind, takes, gives, moved):
    assert bytes_of(kind, takes, [gives]) == moved


def test_the_roof_is_the_lower_of_computing_and_memory():
    roof = Roof(flops=100.0, bytes=10.0)
    assert roof.seconds(Work(200.0, 5.0)) == 2.0
    assert roof.seconds(Work(200.0, 50.0)) == 5.0


def test_a_chip_is_known_by_name_or_told_of_or_not_known():
    h100, pcie = (roof_of(name, fp16=True, told={}) for name in ("NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe"))
    assert h100.flops > pcie.flops > roof_of("NVIDIA H100 PCIe", fp16=False, told={}).flops
    assert roof_of("NVIDIA L40S", fp16=False, told={}) != roof_of("NVIDIA L4", fp16=False, told={})
    assert roof_of("Voodoo 2", fp16=False, told={}) is None
    assert roof_of("Voodoo 2", fp16=False, told={TFLOPS: "2", GBPS: "3"}) == Roof(2e12, 3e9)


def test_a_profile_tells_where_the_time_went(tmp_path):
    options = onnxruntime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "profile")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(network(), options, providers=["CPUExecutionProvider"])
    session.run(None, {"x": np.ones((7, 3), np.float32)})
    nodes = nodes_of(Path(session.end_profiling()))
    spent = seconds_by_operator(nodes)
    assert set(spent) == {"Cast", "MatMul", "Relu", "Reshape"}
    assert list(spent.values()) == sorted(spent.values(), reverse=True)
    assert sum(spent.values()) == pytest.approx(sum(node["dur"] for node in nodes) / 1e6)


def test_figures_of_a_batch_say_its_rate_its_data_how_busy_and_how_far_from_the_roofline():
    feeds = {"mouth": np.zeros(2**20, np.uint8)}
    found = {each.name: each.value for each in figures_of("gpu_b4", 4, 0.02, [0.5, 0.7], 0.001, feeds)}
    assert found == {"gpu_b4_rate": 200.0, "gpu_b4_data": 50.0, "gpu_b4_in_kernels": 0.6, "gpu_b4_of_roofline": 0.05}
    assert [each.name for each in figures_of("gpu_b4", 4, 0.02, [], None, feeds)] == ["gpu_b4_rate", "gpu_b4_data"]


def test_what_the_chip_could_not_tell_is_left_out():
    assert shares_of("37\n[N/A]\n 100\n\n") == [0.37, 1.0]


def test_without_a_gpu_it_says_so_in_one_line_and_fails(top, monkeypatch, tmp_path):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert gpu_name() is None
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "bench-gpu"], cwd=top, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith("no NVIDIA GPU answers here (nvidia-smi lists none), so nothing is measured\nmake:")
