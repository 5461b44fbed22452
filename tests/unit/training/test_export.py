"""What is exported says what the trained model says, each of several that were traced once."""

import numpy as np
import onnxruntime
import pytest
import torch

from lipsol.model.networks import EYE_PX, Eye, Familiarity, Member, Sizes, WordHead, WordModel
from lipsol.training.export import export

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # torch's exporter warns of its own doings
]
SIZES = Sizes(components=6, width=16, conv=16, hidden=8, words=5, characters=7, phones=3)
HALF = 5e-3  # what weights in half precision may change


def test_each_model_is_exported_with_its_own_weights():
    torch.manual_seed(0)
    eye = Eye(torch.zeros(EYE_PX**2), torch.randn(EYE_PX**2, 6) / EYE_PX)
    known = Familiarity(torch.zeros(118), torch.eye(118), torch.tensor(1.0))
    near = WordHead(Member(SIZES))
    models = [WordModel(eye, near, WordHead(Member(SIZES)), known).eval() for _ in range(2)]
    mouth = torch.randint(0, 256, (3, 9, 96, 96), dtype=torch.uint8)
    lips, jaw = torch.randn(3, 9, 40, 2), torch.randn(3, 9, 16, 2)
    inputs = {"mouth": mouth, "lips": lips, "jaw": jaw, "length": torch.tensor([9, 6, 2])}
    with torch.no_grad():
        expected = [[each.numpy() for each in model(*inputs.values())] for model in models]
    assert np.abs(expected[0][0] - expected[1][0]).max() > 10 * HALF
    feeds = {name: value.numpy() for name, value in inputs.items()}
    for network, told in zip(export(models, ("word_logp", "strangeness")), expected, strict=True):
        given = onnxruntime.InferenceSession(network).run(None, feeds)
        for mine, theirs in zip(given, told, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=HALF)
