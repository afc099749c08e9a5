"""A network that is looked into and asked for classes in turn gives each what it gives alone."""

import numpy as np
import pytest
import torch
from torch import nn

from engines.vision.features.pooled import InceptionV3
from engines.vision.features.resize import IMAGENET, resized, scaled

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 20, 24, 3), dtype=np.uint8)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)).eval()


def test_classes_and_features_come_from_one_network(net):
    network = InceptionV3("Inception", net, net[1], 16)
    with torch.inference_mode():
        given = scaled(resized(PICTURES, 16), IMAGENET)
        pooled, classes = net[:3](given).numpy(), net(given).numpy()
    np.testing.assert_allclose(network.logits(PICTURES), classes, atol=1e-6)
    np.testing.assert_allclose(network.features(PICTURES)["Inception"], pooled, atol=1e-6)
    np.testing.assert_allclose(network.logits(PICTURES), classes, atol=1e-6)
