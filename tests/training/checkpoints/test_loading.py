# ruff: noqa: E402
from __future__ import annotations

import argparse
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from safetensors.torch import save_file

from antiphon.errors import ModelError
from antiphon.training.checkpoints.loading import load_state, read_state


def module() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))


def state() -> dict[str, torch.Tensor]:
    return {key: torch.full_like(value, 7.0) for key, value in module().state_dict().items()}


def test_all_is_loaded_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    network = module()
    report = load_state(network, state(), source="weights.pt")
    assert report.complete
    assert report.loaded == 4
    assert network[1].bias.tolist() == [7.0]
    assert "weights.pt: 4 tensors loaded" in capsys.readouterr().err
    load_state(network, state(), quiet=True)
    assert capsys.readouterr().err == ""


def test_every_misfit_is_named_and_nothing_is_changed() -> None:
    network = module()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    wrong = state()
    del wrong["0.bias"]
    wrong["2.weight"] = torch.zeros(1)
    wrong["1.weight"] = torch.zeros(2, 3)
    with pytest.raises(ModelError) as caught:
        load_state(network, wrong, source="w.pt")
    message = str(caught.value)
    assert "1 missing from the file: 0.bias" in message
    assert "1 unexpected in the file: 2.weight" in message
    assert "1.weight (2, 3), not (1, 3)" in message
    assert all(torch.equal(network.state_dict()[key], value) for key, value in before.items())


def test_what_may_be_missing_or_left_over_is_still_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    some = state()
    del some["1.bias"]
    some["decoder.weight"] = torch.zeros(1)
    network = module()
    report = load_state(
        network, some, allow_missing=["1.*"], allow_unexpected=["decoder.*"], quiet=True
    )
    assert report.missing == ("1.bias",)
    assert report.unexpected == ("decoder.weight",)
    assert not report.complete
    assert network[0].bias.tolist() == [7.0] * 3
    shown = capsys.readouterr().err
    assert "missing from the file: 1.bias" in shown
    assert "decoder.weight" in shown


def test_names_are_changed_by_prefix_or_function() -> None:
    renamed = {"net.first." + k[2:] if k[0] == "0" else "net." + k: v for k, v in state().items()}
    network = module()
    report = load_state(network, renamed, rename={"net.": "", "net.first.": "0."}, quiet=True)
    assert report.complete
    renamed["ema.step"] = torch.zeros(1)
    names = {"net.first.weight": "0.weight", "net.first.bias": "0.bias"}
    report = load_state(
        network,
        renamed,
        rename=lambda key: None if key == "ema.step" else names.get(key, key.removeprefix("net.")),
        quiet=True,
    )
    assert report.ignored == ("ema.step",)
    clash = {**state(), "old.0.bias": torch.zeros(3)}
    with pytest.raises(ModelError, match=r"'0\.bias' and 'old\.0\.bias' both stand for '0\.bias'"):
        load_state(network, clash, rename={"old.": ""})


def test_files_of_both_kinds_are_read(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "a.safetensors")
    torch.save({"cfg": {"layers": 2}, "model": state()}, tmp_path / "b.pt")
    torch.save(state(), tmp_path / "c.pt")
    for name in ("a.safetensors", "b.pt", "c.pt"):
        found = read_state(tmp_path / name)
        assert sorted(found) == sorted(state())


def test_files_that_could_run_code_or_hold_nothing_are_refused(tmp_path: Path) -> None:
    torch.save({"args": argparse.Namespace(lr=1), "model": state()}, tmp_path / "pickled.pt")
    with pytest.raises(ModelError, match="not loaded because they can run code"):
        read_state(tmp_path / "pickled.pt")
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    with pytest.raises(ModelError, match="holds no tensors by name"):
        read_state(tmp_path / "empty.pt")
    (tmp_path / "text.pt").write_text("hello", encoding="utf-8")
    with pytest.raises(ModelError, match="not a PyTorch file"):
        read_state(tmp_path / "text.pt")
    (tmp_path / "x.safetensors").write_text("hello", encoding="utf-8")
    with pytest.raises(ModelError, match="not a safetensors file"):
        read_state(tmp_path / "x.safetensors")
    with pytest.raises(ModelError, match="no such file"):
        read_state(tmp_path / "gone.pt")
