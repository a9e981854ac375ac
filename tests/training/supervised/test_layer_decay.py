# ruff: noqa: E402
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.backbones.config import TimmConfig
from antiphon.training.supervised.layer_decay import layer_decay_groups, layer_numbers
from antiphon.training.task import is_vector
from tests.training.supervised.tiny import tiny_model


def rates(model: torch.nn.Module, decay: float) -> dict[str, tuple[float, float]]:
    """Rate and weight decay of each parameter by name; each in one group, once."""
    names = {id(p): name for name, p in model.named_parameters()}
    groups = layer_decay_groups(model.backbone, [model.pooling, model.head], 1.0, 0.1, decay)
    found = [
        (names[id(p)], (group["lr"], group["weight_decay"]))
        for group in groups
        for p in group["params"]
    ]
    assert len(found) == len(dict(found)) == len(names)
    assert len({group["name"] for group in groups}) == len(groups)
    return dict(found)


def test_longest_prefix_decides() -> None:
    prefixes = [["stem.", "norm."], ["blocks.1."], ["blocks.10.", "blocks.10.norm."]]
    names = ["stem.weight", "norm.bias", "blocks.1.norm.weight", "blocks.10.norm.bias"]
    assert layer_numbers(names, prefixes) == [0, 0, 1, 2]
    with pytest.raises(ValueError, match="'odd'"):
        layer_numbers(["odd"], prefixes)


def test_transformer() -> None:
    found = rates(tiny_model(("a", "b")), 0.5)
    # Layers: patches, two blocks; the head above them.
    assert found["head.1.weight"] == (1.0, 0.1)
    assert found["head.1.bias"] == (1.0, 0.0)
    assert found["backbone.norm.weight"] == (0.5, 0.0)
    assert found["backbone.layers.1.attn.qkv.weight"] == (0.5, 0.1)
    assert found["backbone.layers.0.mlp.fc1.weight"] == (0.25, 0.1)
    assert found["backbone.patch_embed.weight"] == (0.125, 0.1)
    assert found["backbone.cls_token"] == (0.125, 0.0)


def test_one_rate_without_decay() -> None:
    found = rates(tiny_model(("a",)), 1.0)
    assert {rate for rate, _ in found.values()} == {1.0}
    assert found["backbone.layers.0.norm1.weight"][1] == 0.0


@pytest.mark.parametrize(
    ("name", "stem", "stage"),
    [
        ("mobilenetv3_small_050", "conv_stem.", "blocks.{}."),
        ("convnext_atto", "stem.", "stages.{}."),
    ],
)
def test_stages_of_timm(name: str, stem: str, stage: str) -> None:
    pytest.importorskip("timm", reason="needs the extra train")
    model = tiny_model(("a",), backbone=TimmConfig(name=name))
    found = rates(model, 0.5)
    prefix = "backbone.network."
    count = len({n.split(".")[3] for n in found if n.startswith(prefix + stage.split(".")[0])})
    assert count >= 4
    top = {rate for n, (rate, _) in found.items() if n.startswith("head.")}
    assert top == {1.0}
    for number in range(count):
        inside = {r for n, (r, _) in found.items() if n.startswith(prefix + stage.format(number))}
        assert inside == {0.5 ** (count + 1 - number)}
    assert {r for n, (r, _) in found.items() if n.startswith(prefix + stem)} == {0.5 ** (count + 2)}


def test_what_is_a_vector() -> None:
    shapes = {(): True, (4,): True, (1, 1, 4): True, (1, 2, 1, 1): True}
    # A classifier of one class is a matrix of one row.
    shapes |= {(1, 4): False, (3, 4): False, (8, 1, 3, 3): False}
    assert {shape: is_vector(torch.zeros(shape)) for shape in shapes} == shapes
