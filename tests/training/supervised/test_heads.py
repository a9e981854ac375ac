# ruff: noqa: E402
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.backbones.config import HeadConfig
from antiphon.training.supervised.heads import set_classes
from tests.training.supervised.tiny import tiny_model


def test_a_head_follows_from_its_seed_alone() -> None:
    heads = []
    for noise in (1, 2):
        model = tiny_model()
        torch.manual_seed(noise)
        set_classes(model, ["a", "b"], seed=5)
        heads.append(model.head[-1].weight.detach())
    after = torch.rand(1)
    torch.manual_seed(2)
    assert torch.equal(after, torch.rand(1))
    assert torch.equal(*heads)


def test_a_head_of_the_same_classes_is_kept() -> None:
    model = tiny_model(("a", "b"))
    head = model.head
    set_classes(model, ["a", "b"])
    assert model.head is head
    set_classes(model, ["b", "a"])
    assert model.head is not head
    assert model.classes == ("b", "a")
    set_classes(model, ["b", "a"], HeadConfig(hidden=7))
    assert model.head[0].out_features == 7
    assert model.head_config == HeadConfig(hidden=7)


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_bad_classes(names: list[str]) -> None:
    with pytest.raises(UserError, match="only once"):
        set_classes(tiny_model(), names)
