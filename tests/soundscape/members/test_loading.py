from pathlib import Path

import pytest

from antiphon.errors import UserError
from antiphon.soundscape.members.loading import load_member
from tests.soundscape.members.making import Config, conv_file, levels_file
from tests.soundscape.members.test_branch import EMBEDDING, linear, saved_head


def test_networks_and_branches_are_members(tmp_path: Path) -> None:
    path = conv_file(tmp_path, **EMBEDDING)
    network = load_member(Config("cnn", model=path), threads=2)
    file = saved_head(tmp_path / "h.safetensors", linear(8))
    branch = load_member(Config("probe", encoder=str(path), head=file))
    assert (network.name, branch.name) == ("cnn", "probe")
    assert network.report is not None
    assert network.report.facts.runtime == "onnxruntime"
    assert branch.classes == ("x", "y")


def test_scores_that_a_network_does_not_give_are_refused_at_once(tmp_path: Path) -> None:
    path = levels_file(tmp_path, frames=None)
    assert load_member(Config(model=path, scores="clip")).gives_clips
    with pytest.raises(UserError, match=r"Member 'm': Scores 'both'.*only those of clips"):
        load_member(Config(model=path, scores="both"))


def test_a_member_of_nothing() -> None:
    with pytest.raises(UserError, match="either a model, or an encoder and a head"):
        load_member(Config(encoder="spectral"))
