# ruff: noqa: E402
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
timm = pytest.importorskip("timm", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.backbones.config import TimmConfig
from antiphon.training.backbones.timm_networks import TimmNetwork


@pytest.mark.parametrize("name", ["tinynet_e", "mobilenetv3_small_050", "tf_efficientnet_lite0"])
def test_clips_without_padding_are_computed_as_timm_does(name: str) -> None:
    torch.manual_seed(0)
    ours = TimmNetwork(TimmConfig(name=name)).eval()
    theirs = timm.create_model(name, in_chans=1, num_classes=0).eval()
    named = {key.removeprefix("network."): value for key, value in ours.state_dict().items()}
    wanted = theirs.state_dict()
    # What follows the last map is not there.
    extra = {key for key in wanted if key not in named}
    assert all(key.startswith(("conv_head", "norm_head")) for key in extra)
    theirs.load_state_dict({**wanted, **named})
    features = torch.randn(2, 96, 64)
    with torch.no_grad():
        found = ours(features, torch.ones(2, 96, dtype=torch.bool)).tokens
        map_ = theirs.forward_features(features.transpose(1, 2).unsqueeze(1))
    torch.testing.assert_close(found, map_.mean(2).transpose(1, 2), rtol=1e-4, atol=1e-5)
    assert found.shape == (2, 3, ours.dim)


def test_networks_that_cannot_be_masked_or_do_not_exist_are_refused() -> None:
    with pytest.raises(UserError, match=r"no network 'efficentnet_b0'\. Did you mean"):
        TimmNetwork(TimmConfig(name="efficentnet_b0"))
    with pytest.raises(UserError, match="padding cannot be left out"):
        TimmNetwork(TimmConfig(name="resnet10t"))


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("test_efficientnet_gn", "GroupNormAct"),
        ("test_efficientnet_evos", "EvoNorm2dS0"),
        ("efficientnet_cc_b0_4e", "CondConv2d"),
    ],
)
def test_layers_with_statistics_over_time_are_refused(name: str, layer: str) -> None:
    if not timm.is_model(name):
        pytest.skip(f"this timm has no {name}")
    with pytest.raises(UserError, match=layer):
        TimmNetwork(TimmConfig(name=name))


def test_drop_path_reaches_timm() -> None:
    network = TimmNetwork(TimmConfig(name="tinynet_e", drop_path=0.2))
    rates = [m.drop_prob for m in network.modules() if type(m).__name__ == "DropPath"]
    assert 0 < max(rates) <= 0.2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b1", "convnext_tiny"])
def test_the_published_networks_are_built(name: str) -> None:
    network = TimmNetwork(TimmConfig(name=name)).eval()
    assert network.dim == {"convnext_tiny": 768}.get(name, 1280)
    with torch.no_grad():
        out = network(torch.randn(1, 70, 128), torch.ones(1, 70, dtype=torch.bool))
    assert out.tokens.shape == (1, 3, network.dim)


def test_weights_that_cannot_be_downloaded_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("The Hub cannot be reached. Check your connection.")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        UserError, match=r"The Hub cannot be reached\. .*backbone\.pretrained=false"
    ):
        TimmNetwork(TimmConfig(name="efficientnet_b0", pretrained=True))
