"""How a network is run: by onnxruntime, on the provider that was asked for or not at all.

- onnxruntime falls back to the CPU without a word where CUDA or TensorRT can't be had. So each session is asked, once
  it is made, what it runs on; anything but what was wanted is a ModelError.
- The CPU takes any shape. A GPU is given few: time is padded to a bucket and the batch to a power of two, so that the
  buffers on the device (and TensorRT's plans) serve again.
- Single precision means that: TF32 is off. `fp16` lets matrix products, convolutions and recurrences alone run in half
  precision; sums over time and log-probabilities stay single.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

import numpy as np
import onnxruntime

from lipsol.errors import ModelError

Provider = Literal["cpu", "cuda", "tensorrt"]
PROVIDERS: Mapping[Provider, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
BUCKETS = (25, 50, 75, 100, 150, 200, 300, 450, 750)  # frames at 25 a second: 1 s to 30 s, each at most twice the last
HALF = frozenset({"Conv", "GRU", "Gemm", "MatMul"})  # what fp16 on CUDA touches
SEQUENCE_LENGTHS = {"GRU": 4}  # the one of their inputs that is no number to compute with
SHAPES_HELD = 32  # shapes whose buffers stay on the device
ENGINE_VERSION = str(onnxruntime.__version__)
QUIET = 3  # onnxruntime's log: errors alone

Feeds = Mapping[str, np.ndarray]


def bucket_of(frames: int, buckets: Sequence[int] = BUCKETS) -> int:
    """The length, in frames, of the bucket that a clip belongs to; past the last one, its next multiple."""
    return next((bound for bound in buckets if frames <= bound), -(-frames // buckets[-1]) * buckets[-1])


@dataclass(frozen=True)
class Engine:
    """Where and how networks run.

    threads    CPU threads of one session; callers that run at once share them
    fp16       half precision, on a GPU alone
    device_id  which GPU
    buckets    lengths, in frames and rising, that a GPU pads time to
    batch      clips that go through at once at most: what TensorRT plans for
    """

    provider: Provider = "cpu"
    threads: int = 1
    fp16: bool = False
    device_id: int = 0
    buckets: tuple[int, ...] = BUCKETS
    batch: int = 8

    def session(self, network: bytes, name: str) -> "Session":
        """The network, ready to run. Raises ModelError if it can't be loaded, or not on the provider asked for."""
        if self.fp16 and self.provider == "cpu":
            raise ModelError("fp16 on the CPU is slower and less exact", "unset LIPSOL_INFERENCE__FP16, or name a GPU")
        wanted, held = PROVIDERS[self.provider], onnxruntime.get_available_providers()
        if wanted not in held:
            raise ModelError(
                f"{self.provider} was asked for, but the onnxruntime that is installed has only {', '.join(held)}",
                "install onnxruntime-gpu in the place of onnxruntime, or set LIPSOL_INFERENCE__PROVIDER=cpu",
            )
        if self.provider != "cpu":
            onnxruntime.preload_dlls()  # finds CUDA and cuDNN where they came as packages
        loaded = halved(network) if self.fp16 and self.provider == "cuda" else network
        try:
            made = onnxruntime.InferenceSession(loaded, self._options(), providers=self._providers())
        except Exception as fault:  # onnxruntime raises classes of its own that share no public base
            raise ModelError(f"the network of {name} can't be loaded ({fault})", "fetch or train it again") from fault
        check_provider(made, self.provider)
        return Session(made, self)

    def padded(self, clips: int, frames: int) -> tuple[int, int]:
        """The shape (clips, frames) that a batch of that many clips, of that many frames at most, is brought to."""
        if self.provider == "cpu":
            return clips, frames
        return 1 << (clips - 1).bit_length(), bucket_of(frames, self.buckets)

    def _options(self) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # it starves neighbours on shared cores
        options.log_severity_level = QUIET
        return options

    def _providers(self) -> list[tuple[str, dict[str, str]]]:
        cpu: tuple[str, dict[str, str]] = (PROVIDERS["cpu"], {})
        if self.provider == "cpu":
            return [cpu]
        device = {"device_id": str(self.device_id)}
        cuda = (
            PROVIDERS["cuda"],
            device
            | {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"},
        )
        if self.provider == "cuda":
            return [cuda, cpu]
        return [(PROVIDERS["tensorrt"], device | self._plan()), cuda, cpu]

    def _plan(self) -> dict[str, str]:
        """What TensorRT plans for: any batch and length of the buckets, the middle one best."""
        clips, longest = self.padded(self.batch, self.buckets[-1])
        shapes = {"min": (1, 2), "opt": (clips, self.buckets[len(self.buckets) // 2]), "max": (clips, longest)}
        plan = {f"trt_profile_{kind}_shapes": _shapes(*shape) for kind, shape in shapes.items()}
        return plan | {"trt_fp16_enable": str(int(self.fp16))}


def _shapes(clips: int, frames: int) -> str:
    """The networks' inputs of one shape, as TensorRT's options spell them."""
    return f"mouth:{clips}x{frames}x96x96,lips:{clips}x{frames}x40x2,jaw:{clips}x{frames}x16x2,length:{clips}"


def check_provider(made: Any, provider: Provider) -> None:
    """Raise ModelError if an onnxruntime session does not run on the provider that was asked for."""
    runs_on = made.get_providers()[0]
    if runs_on != PROVIDERS[provider]:
        raise ModelError(
            f"{provider} was asked for, but onnxruntime runs on {runs_on}",
            "install the GPU's driver and the libraries that onnxruntime-gpu needs (CUDA, cuDNN, TensorRT), or set "
            "LIPSOL_INFERENCE__PROVIDER=cpu",
        )


def halved(network: bytes) -> bytes:
    """The network with the products of `HALF` in half precision, its inputs and outputs as they were.

    Raises ModelError where the package onnx is not installed.
    """
    try:
        import onnx
    except ImportError as fault:
        raise ModelError(
            "fp16 on CUDA needs the package onnx",
            "install it, unset LIPSOL_INFERENCE__FP16, or use TensorRT, which has fp16 of its own",
        ) from fault
    model = onnx.load_model_from_string(network)
    nodes: list[Any] = []
    for number, node in enumerate(model.graph.node):
        if node.op_type not in HALF:
            nodes.append(node)
            continue
        single, counts = onnx.TensorProto.FLOAT, SEQUENCE_LENGTHS.get(node.op_type)
        for at, name in enumerate(node.input):
            if name and at != counts:
                node.input[at] = f"{name}.half{number}"
                nodes.append(onnx.helper.make_node("Cast", [name], [node.input[at]], to=onnx.TensorProto.FLOAT16))
        whole = [(f"{name}.half{number}", name) for name in node.output if name]
        node.output[:] = [name and f"{name}.half{number}" for name in node.output]
        nodes += [node, *(onnx.helper.make_node("Cast", [half], [name], to=single) for half, name in whole)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    small: bytes = model.SerializeToString()
    return small


class Session:
    """One loaded network. Safe to share between threads; on a GPU they take turns."""

    def __init__(self, made: Any, engine: Engine) -> None:
        """made: an onnxruntime.InferenceSession that runs on the engine's provider."""
        self._made, self._engine = made, engine
        self._bound: OrderedDict[tuple[tuple[int, ...], ...], _Bound] = OrderedDict()
        self._turn = Lock()
        if engine.provider != "cpu":
            made.disable_fallback()  # neither does it change providers later on

    def run(self, feeds: Feeds) -> list[np.ndarray]:
        """The network's outputs for its inputs by name. Raises ModelError if onnxruntime can't compute them."""
        try:
            if self._engine.provider == "cpu":
                return list(self._made.run(None, dict(feeds)))
            with self._turn:
                return self._buffers(feeds).run(feeds)
        except Exception as fault:
            raise ModelError(f"the network can't be run ({fault})", "see the log of the device, and restart") from fault

    def _buffers(self, feeds: Feeds) -> "_Bound":
        """The buffers of this shape, the longest unused making way."""
        shape = tuple(array.shape for array in feeds.values())
        if shape not in self._bound:
            self._bound[shape] = _Bound(self._made, feeds, self._engine.device_id)
        self._bound.move_to_end(shape)
        while len(self._bound) > SHAPES_HELD:
            self._bound.popitem(last=False)
        return self._bound[shape]


class _Bound:
    """Inputs and outputs of one shape, bound to buffers of the device that serve again and again."""

    def __init__(self, made: Any, feeds: Feeds, device_id: int) -> None:
        self._made, self._binding = made, made.io_binding()
        self._inputs = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(array, "cuda", device_id) for name, array in feeds.items()
        }
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for output in made.get_outputs():  # the first run allocates them: their shapes are known then
            self._binding.bind_output(output.name, "cuda", device_id)
        self._kept = False

    def run(self, feeds: Feeds) -> list[np.ndarray]:
        for name, array in feeds.items():
            self._inputs[name].update_inplace(np.ascontiguousarray(array))
        self._made.run_with_iobinding(self._binding)
        if not self._kept:
            values = self._binding.get_outputs()
            for output, value in zip(self._made.get_outputs(), values, strict=True):
                self._binding.bind_ortvalue_output(output.name, value)
            self._kept = True
        return list(self._binding.copy_outputs_to_cpu())
