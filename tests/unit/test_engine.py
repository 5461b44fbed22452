"""On what networks run: the provider that was asked for, or none."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from lipsol.bundle import Bundle
from lipsol.engine import BUCKETS, Engine, bucket_of, check_provider, halved
from lipsol.errors import ModelError
from lipsol.reader import Reader
from tests.services_made import mouth_of


@pytest.fixture(scope="module")
def bundle(top):
    return Bundle.load(top / "models" / "grid-sentences.lipsol")


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_gpu_that_is_not_here_is_refused_and_never_stood_in_for_by_the_cpu(bundle, provider):
    with pytest.raises(ModelError, match=r"onnxruntime.*(LIPSOL_INFERENCE__PROVIDER=cpu|runs on)"):
        Reader(bundle, Engine(provider))


def test_a_session_that_fell_back_to_the_cpu_is_found_out(bundle):
    fell_back = onnxruntime.InferenceSession(bundle.network, providers=["CPUExecutionProvider"])
    check_provider(fell_back, "cpu")
    with pytest.raises(ModelError, match="cuda was asked for, but onnxruntime runs on CPUExecutionProvider"):
        check_provider(fell_back, "cuda")


def test_half_precision_on_the_cpu_is_refused(bundle):
    with pytest.raises(ModelError, match="fp16 on the CPU"):
        Reader(bundle, Engine(fp16=True))


def test_half_precision_rounds_the_products_and_changes_what_is_said_by_little(bundle):
    mouth = mouth_of(frames=8)
    feeds = {name: getattr(mouth, name)[np.newaxis] for name in ("mouth", "lips", "jaw")} | {"length": np.array([8])}
    with np.errstate(over="ignore"):  # by ONNX's own reference: onnxruntime's CPU has no such products to round
        whole, small = (
            np.exp(ReferenceEvaluator(onnx.load_model_from_string(network)).run(["word_logp"], feeds)[0])
            for network in (bundle.network, halved(bundle.network))
        )
    assert 0 < np.abs(whole - small).max() < 0.001


@pytest.mark.parametrize(
    ("frames", "bucket"), [(2, 25), (25, 25), (26, 50), (75, 75), (750, 750), (751, 1500), (15_000, 15_000)]
)
def test_a_clip_of_some_frames_belongs_to_the_bucket(frames, bucket):
    assert bucket_of(frames) == bucket


def test_a_gpu_is_given_few_shapes_and_the_cpu_any():
    assert Engine().padded(3, 61) == (3, 61)
    shapes = {Engine("cuda").padded(clips, frames) for clips in range(1, 9) for frames in range(2, 751)}
    assert shapes == {(clips, frames) for clips in (1, 2, 4, 8) for frames in BUCKETS}
