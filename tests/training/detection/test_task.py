# ruff: noqa: E402
"""The stage that trains detectors: what it learns from, its averages, resuming, learning."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.backbones.config import ConvConfig, HeadConfig, SedHeadConfig
from antiphon.training.detection.config import DetectorConfig
from antiphon.training.detection.head import SedHead
from antiphon.training.detection.losses import clip_loss, frame_loss
from antiphon.training.detection.task import DetectorTask
from antiphon.training.model import EncoderModel
from antiphon.training.supervised.create import classification_task
from tests.training.detection.tiny import CLASSES, CONV, detector
from tests.training.supervised.tiny import (
    FRONT_END,
    RATE,
    SECONDS,
    batches,
    calls,
    moved,
    state,
    tiny_model,
    train,
)


def task(**settings) -> DetectorTask:
    return DetectorTask(detector(), CLASSES, DetectorConfig(**settings))


@pytest.fixture(scope="module")
def data() -> dict:
    return calls(3, 8, seed=1)


def test_an_encoder_without_classes_gets_a_detection_head():
    model = tiny_model(backbone=CONV)
    made = classification_task(DetectorConfig(), model, CLASSES)
    assert isinstance(made, DetectorTask)
    assert isinstance(model.head, SedHead)
    assert model.head_config == SedHeadConfig(kind="sed")
    assert model.is_detector


def test_a_detector_of_these_classes_keeps_its_head():
    model = detector()
    before = state(model)
    DetectorTask(model, CLASSES, DetectorConfig(), head=model.head_config)
    assert moved(before, state(model)) == set()


def test_a_head_of_another_kind_is_refused():
    with pytest.raises(UserError, match="kind sed"):
        DetectorTask(tiny_model(backbone=CONV), CLASSES, DetectorConfig(), head=HeadConfig())
    from antiphon.training.backbones.config import HubertConfig
    from antiphon.training.model import create_head

    with pytest.raises(UserError, match="'hubert' gives no map"):
        create_head(4, 2, SedHeadConfig(kind="sed"), HubertConfig())


def test_the_loss_is_of_clips_and_of_frames_that_have_labels(data):
    made = task(frames=0.7)
    batch = {name: value[:4] for name, value in data.items()}
    with torch.no_grad():
        made.eval()
        out = made.model(batch["waveform"], batch["valid"]).sed
        bare = made.validation_loss(batch)
        assert bare.keys() == {"loss"}
        clips = clip_loss(made.loss, out, batch, 0.5)
        torch.testing.assert_close(bare["loss"], clips)
        timed = batch | {
            "frame_labels": torch.rand(4, 5, 3, generator=torch.Generator().manual_seed(1)),
            "frame_known": torch.tensor([[1.0, 1.0, 0.0]]).expand(4, 3),
        }
        found = made.validation_loss(timed)
        frames = frame_loss(out, timed["frame_labels"], timed["frame_known"])
        torch.testing.assert_close(found["loss"], clips + 0.7 * frames)
        torch.testing.assert_close(found["frames"], frames)
    assert DetectorTask(detector(), CLASSES, DetectorConfig(frames=0)).eval().validation_loss(
        timed
    ).keys() == {"loss"}


def test_the_power_of_the_mean_learns_without_decay(data):
    made = task()
    groups = made.parameter_groups(1e-2, 0.1)
    power = made.model.head.pool.p
    assert [g["weight_decay"] for g in groups if any(p is power for p in g["params"])] == [0.0]
    train(made, data, 5)
    assert power.item() != 3.0


def test_a_backbone_rests_only_if_asked_to():
    assert not task().plan.is_frozen(0, 100)
    assert task(frozen_share=0.3).plan.is_frozen(29, 100)
    assert task(frozen_share=0.3).rate_factor(50, 100) == 1.0


def test_the_moving_average_takes_the_statistics_along(data):
    """Batch normalisation of averaged weights must not run on those of the last step."""
    decay = 0.8
    made = classification_task(
        DetectorConfig(averaging={"kind": "ema", "decay": decay, "warmup": False}),
        detector(),
        CLASSES,
    )
    names = ("backbone.stem_norm.running_mean", "backbone.layers.1.narrow_norm.running_var")
    expected = {name: state(made.task.model)[name] for name in (*names, "head.pool.p")}
    optimiser = None
    for step in range(4):
        optimiser = train(made, data, 4, first=step, until=step + 1, optimiser=optimiser)
        now = state(made.task.model)
        expected = {n: decay * v + (1 - decay) * now[n] for n, v in expected.items()}
    kept = state(made.encoder())
    for name, value in expected.items():
        torch.testing.assert_close(kept[name], value)
        assert not torch.equal(kept[name], now[name])


def test_stochastic_weight_averaging_renews_the_statistics(data):
    made = classification_task(
        DetectorConfig(averaging={"kind": "swa", "start_share": 0.0, "renewal_batches": 3}),
        detector(),
        CLASSES,
    )
    train(made, data, 4)
    made.finish(batches(data, 3, 24, seed=5))
    kept = made.encoder()
    # The statistics of the averaged weights on those very batches, the mean over them.
    plain = copy.deepcopy(kept).eval()
    sums = []
    for batch in batches(data, 3, 24, seed=5):
        features, _ = plain.front_end(batch["waveform"], batch["valid"])
        sums.append(plain.backbone.stem(features.transpose(1, 2).unsqueeze(1)).mean((0, 2, 3)))
    wanted = torch.stack(sums).mean(0)
    torch.testing.assert_close(kept.backbone.stem_norm.running_mean, wanted.detach())


def test_a_pass_tells_the_area_with_its_classes(data):
    made = task()
    part = {name: value[:8] for name, value in data.items()}
    made.validation_loss(part)
    found = made.validation_metrics()
    # Eight calls of one kind: nothing is both present and absent.
    assert found["auc_classes"] == 0
    assert found["map_classes"] == 1
    made.validation_loss(data)
    assert made.validation_metrics()["auc_classes"] == 3
    assert made.validation_metrics() == {}


@pytest.fixture(scope="module")
def learned() -> tuple:
    torch.set_num_threads(1)
    training, held_out = calls(4, 24, seed=1), calls(4, 12, seed=2)
    torch.manual_seed(0)
    conv = ConvConfig(width=8, depths=(1, 1), dim=24, frequency="keep")
    model = EncoderModel(FRONT_END, RATE, SECONDS, conv)
    config = DetectorConfig(averaging={"kind": "ema", "decay": 0.9})
    made = classification_task(config, model, tuple("abcd"), seed=0)

    def judged() -> dict:
        loss = made.validation_loss(held_out)["loss"].item()
        return {"loss": loss, **made.validation_metrics()}

    before = judged()
    train(made, training, 120, lr=1e-2)
    return before, judged(), made


def test_a_detector_learns(learned):
    before, after, _ = learned
    assert before["auc"] < 0.7
    assert after["auc"] > 0.85
    assert after["loss"] < 0.5 * before["loss"]


def test_its_frames_say_when_the_call_was(learned):
    """Calls moved to the first or the second half of a clip twice as long."""
    model = learned[2].encoder().eval()
    data = calls(4, 10, seed=9)
    wave, classes = data["waveform"], data["labels"].argmax(1)
    noise = 0.1 * torch.randn(wave.shape, generator=torch.Generator().manual_seed(4))
    found = []
    for first in (True, False):
        pair = (wave, noise) if first else (noise, wave)
        with torch.no_grad():
            frames = model(torch.cat(pair, dim=1)).sed.frame_probabilities()
        half = frames.shape[1] // 2
        own = frames[torch.arange(len(classes)), :, classes]
        early, late = own[:, :half].amax(1), own[:, -half:].amax(1)
        found.append(((early > late) if first else (late > early)).float().mean().item())
    assert min(found) > 0.8


@pytest.mark.parametrize("kind", ["bce", "focal", "asymmetric", "soft_auc"])
def test_every_loss_trains_in_half_precision(data, kind):
    made = DetectorTask(
        detector(), CLASSES, DetectorConfig.model_validate({"loss": {"kind": kind}})
    ).train()
    batch = {name: value[:6] for name, value in data.items()}
    batch["valid"] = batch["valid"].clone()
    batch["valid"][0] = 500
    batch["labels"] = 0.9 * batch["labels"] + 0.01
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = made.training_loss(batch, 0, torch.Generator().manual_seed(0))["loss"]
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    gradients = [p.grad for p in made.parameters() if p.grad is not None]
    assert all(torch.isfinite(g).all() for g in gradients)
    assert sum(float(g.abs().sum()) for g in gradients) > 0
