"""With stand-ins for ``avex`` 1.4 and the few parts of torch that are used."""

from __future__ import annotations

import contextlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from antiphon.encoders.registry import create_encoder
from antiphon.errors import MissingExtraError, UserError

RATE, WINDOW_S, NAME = 16_000, 2, "esp_aves2_sl_beats_all"


class FakeTensor:
    def __init__(self, values: Any) -> None:
        self.values = values

    def to(self, device: str) -> FakeTensor:
        return self

    def cpu(self) -> FakeTensor:
        return self

    def numpy(self) -> Any:
        return self.values


class FakeModel:
    """Per step of 0.1 s: mean, mean square and largest sample, in one of avex' three shapes."""

    def __init__(self, form: str) -> None:
        self.form, self.training = form, True

    def eval(self) -> None:
        self.training = False

    def __call__(self, audio: FakeTensor) -> FakeTensor:
        assert not self.training
        steps = audio.values[:, : audio.values.shape[1] // 1600 * 1600].reshape(1, -1, 1600)
        values = np.stack([steps.mean(2), (steps**2).mean(2), steps.max(2)], axis=2)
        if self.form == "steps":
            return FakeTensor(values)
        if self.form == "map":
            return FakeTensor(np.stack([values, values], axis=3).transpose(0, 2, 3, 1))
        return FakeTensor(values.mean(axis=1))


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    state = SimpleNamespace(form="steps", fail=None, loaded=None)
    avex: Any = ModuleType("avex")
    torch: Any = ModuleType("torch")

    def load_model(name: str, device: str = "cpu", return_features_only: bool = False) -> FakeModel:
        if state.fail:
            raise state.fail
        state.loaded = (name, device, return_features_only)
        return FakeModel(state.form)

    def list_models() -> dict[str, dict[str, str]]:
        print("a table")
        return {NAME: {}, "esp_aves2_eat_all": {}}

    audio = SimpleNamespace(sample_rate=RATE, target_length_seconds=WINDOW_S)
    avex.__version__ = "1.4.0"
    avex.load_model, avex.list_models = load_model, list_models
    avex.get_model_spec = lambda name: SimpleNamespace(audio_config=audio) if name == NAME else None
    torch.no_grad = contextlib.nullcontext
    torch.from_numpy = FakeTensor
    monkeypatch.setitem(sys.modules, "avex", avex)
    monkeypatch.setitem(sys.modules, "torch", torch)
    return state


@pytest.mark.parametrize("form", ["steps", "map", "vector"])
def test_pools_over_steps_and_leaves_padding_out(packages: SimpleNamespace, form: str) -> None:
    packages.form = form
    encoder = create_encoder(f"avex:{NAME}")
    assert packages.loaded == (NAME, "cpu", True)
    spec = encoder.spec
    assert (spec.sample_rate, spec.window_s, spec.dim) == (RATE, WINDOW_S, 3)
    assert spec.parameters["avex"] == "1.4.0"
    audio = np.random.default_rng(0).uniform(-1, 1, (2, RATE * WINDOW_S)).astype(np.float32)
    audio[1, 24_000:] = 0
    found = encoder.encode(encoder.prepare(audio, np.array([32_000, 24_000]))).embeddings
    for row, count in enumerate([32_000, 24_000]):
        steps = audio[row, :count].reshape(-1, 1600)
        wanted = [steps.mean(), (steps**2).mean(), steps.max(axis=1).mean()]
        np.testing.assert_allclose(found[row], wanted, rtol=1e-4, atol=1e-6)
    assert encoder.encode(encoder.prepare(audio[:0], np.array([]))).embeddings.shape == (0, 3)


@pytest.mark.usefixtures("packages")
def test_unknown_network(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=f"Did you mean '{NAME}'.*esp_aves2_eat_all"):
        create_encoder("avex:esp_aves2_sl_beats_al")
    assert capsys.readouterr().out == ""


def test_no_network_connection(packages: SimpleNamespace) -> None:
    packages.fail = OSError("no route to host")
    with pytest.raises(UserError, match=r"no route to host.*connect to the network"):
        create_encoder(f"avex:{NAME}")


def test_package_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "avex", None)
    with pytest.raises(MissingExtraError, match=r"antiphon\[avex\]"):
        create_encoder(f"avex:{NAME}")


def test_unknown_parameter() -> None:
    with pytest.raises(UserError, match=r"'devise'.*'device'"):
        create_encoder(f"avex:{NAME}", devise="cuda")
