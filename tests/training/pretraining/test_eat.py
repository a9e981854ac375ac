from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.encoders.manifest import KaldiFrontEnd  # noqa: E402
from antiphon.errors import UserError  # noqa: E402
from antiphon.training.backbones.config import ConvConfig, ViTConfig  # noqa: E402
from antiphon.training.model import EncoderModel  # noqa: E402
from antiphon.training.pretraining.config import EATConfig  # noqa: E402
from antiphon.training.pretraining.eat import EATPretraining  # noqa: E402
from antiphon.training.pretraining.masks import random_masks  # noqa: E402
from antiphon.training.pretraining.visible import encode_kept  # noqa: E402
from tests.training.pretraining.sounds import RATE, batch_of, sounds, tiny_model  # noqa: E402


def config(**changes):
    return EATConfig(**(EATConfig.tiny().model_dump() | {"target": "mlp"} | changes))


def make(**changes):
    return EATPretraining(tiny_model(dim=16, depth=2), config(**changes)).train()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def batch():
    waves, _ = sounds(4, seed=0)
    return batch_of(waves)


def short(batch, seconds=0.4):
    """Return the batch with its second clip cut short, and zeros after."""
    valid = batch["valid"].clone()
    valid[1] = round(seconds * RATE)
    waves = batch["waveform"].clone()
    waves[1, valid[1] :] = 0
    return batch | {"waveform": waves, "valid": valid}


def test_loss_reaches_the_student_and_the_decoder_but_not_the_teacher(batch):
    task = make()
    result = task.training_loss(batch, 0, generator())
    result["loss"].backward()
    assert result["loss"].item() == pytest.approx(
        result["patch_loss"].item() + result["utterance_loss"].item()
    )
    assert all(p.grad is not None for p in task.model.backbone.parameters())
    assert all(p.grad is not None for p in task.decoder.parameters())
    assert all(p.grad is None and not p.requires_grad for p in task.teacher.parameters())
    held = {id(p) for group in task.parameter_groups(1e-3, 0.1) for p in group["params"]}
    assert not held & {id(p) for p in task.teacher.parameters()}
    assert {k for k, v in result.items() if v.requires_grad} == {"loss"}


def test_teacher_stays_in_evaluation_mode():
    task = make()
    assert task.training
    assert task.model.training
    assert not any(part.training for part in task.teacher.modules())


def test_everything_follows_from_the_generator(batch):
    task = make()
    one, same, other = (task.training_loss(batch, 0, generator(s))["loss"] for s in (1, 1, 2))
    assert one.item() == same.item()
    assert one.item() != other.item()


def test_validation_repeats_itself_and_restores_the_mode(batch):
    task = make()
    first, second = (task.validation_loss(batch) for _ in range(2))
    assert first["loss"].item() == second["loss"].item()
    assert not first["loss"].requires_grad
    assert task.training
    assert not task.teacher.training


def test_what_lies_in_the_padding_changes_nothing(batch):
    task = make()
    clean = short(batch)
    dirty = clean | {"waveform": clean["waveform"].clone()}
    dirty["waveform"][1, clean["valid"][1] :] = 0.7
    one, two = (task.training_loss(b, 0, generator()) for b in (clean, dirty))
    assert one["loss"].item() == pytest.approx(two["loss"].item(), abs=1e-6)


def test_targets_of_a_padded_clip_are_those_of_the_clip_alone(batch):
    task = make()
    padded = short(batch)
    length = int(padded["valid"][1])
    with torch.no_grad():
        features, audio = task.model.front_end(padded["waveform"], padded["valid"])
        targets, _ = task._targets(features, audio)
        features, audio = task.model.front_end(
            padded["waveform"][1:2, :length], torch.tensor([length])
        )
        alone, _ = task._targets(features, audio)
    count = alone.shape[1]
    assert count < targets.shape[1]
    assert torch.allclose(targets[1, :count], alone[0], atol=1e-3)
    assert not targets[1, count:].any()


def test_a_clip_without_audio_leaves_the_loss_finite(batch):
    task = make()
    valid = batch["valid"].clone()
    valid[2] = 0
    result = task.training_loss(batch | {"valid": valid}, 0, generator())
    result["loss"].backward()
    assert torch.isfinite(result["loss"])
    assert all(torch.isfinite(p.grad).all() for p in task.model.backbone.parameters())


def test_the_student_does_not_see_hidden_patches():
    vit = tiny_model(dim=16, depth=2).backbone
    tokens = torch.randn(2, 12, 16)
    masks = random_masks(torch.ones(2, 12, dtype=torch.bool), ratio=0.5, generator=generator())
    changed = torch.where(masks.predicted.unsqueeze(2), torch.tensor(99.0), tokens)
    assert torch.equal(encode_kept(vit, tokens, masks), encode_kept(vit, changed, masks))
    assert encode_kept(vit, tokens, masks).shape == (2, 1 + 6, 16)


def test_after_a_step_the_teacher_moves_by_the_decay_of_that_step():
    task = make(ema_start=0.5, ema_end=0.75, ema_steps=2)
    weight = task.teacher.cls_token
    weight.data.fill_(8.0)
    task.model.backbone.cls_token.data.fill_(0.0)
    for step, wanted in ((0, 4.0), (1, 2.5), (2, 1.875)):  # times 0.5, 0.625, 0.75
        task.after_step(step, 10)
        assert torch.allclose(weight, torch.tensor(wanted))


def test_encoder_is_the_student_or_the_teacher():
    task = make()
    assert task.encoder() is task.model
    task = make(keep="teacher")
    task.teacher.cls_token.data.fill_(3.0)
    kept = task.encoder()
    assert (kept.backbone.cls_token == 3).all()
    assert not (task.model.backbone.cls_token == 3).any()
    assert all(p.requires_grad for p in kept.parameters())


def test_fewer_layers_and_whole_blocks_give_other_targets(batch):
    losses = {
        (target, layers): make(target=target, target_layers=layers)
        .validation_loss(batch)["patch_loss"]
        .item()
        for target in ("mlp", "block")
        for layers in (None, 1)
    }
    assert len(set(losses.values())) == 4


def test_a_state_dict_carries_the_teacher_to_a_resumed_run(batch):
    def steps(task, first, last):
        optimiser = torch.optim.SGD(task.parameter_groups(0.05, 0.0))
        for step in range(first, last):
            result = task.training_loss(batch, step, generator(step))
            optimiser.zero_grad()
            result["loss"].backward()
            optimiser.step()
            task.after_step(step, 4)
        return result["loss"].item()

    whole = make()
    uninterrupted = steps(whole, 0, 4)
    first = make()
    steps(first, 0, 2)
    resumed = EATPretraining(tiny_model(seed=5, dim=16, depth=2), config()).train()
    resumed.load_state_dict(first.state_dict())
    assert steps(resumed, 2, 4) == uninterrupted


def test_collapse_shows_in_the_log(batch):
    task = make()
    healthy = task.validation_loss(batch)
    # A teacher that ignores its input: the patches of all clips look alike.
    task.teacher.patch_embed.weight.data.zero_()
    # A decoder that says the same of every patch.
    task.decoder.out.weight.data.zero_()
    collapsed = task.validation_loss(batch)
    assert healthy["spread"] > 1e-3 > 1e-5 > collapsed["spread"]
    assert healthy["prediction_std"] > 1e-2 > 1e-5 > collapsed["prediction_std"]


def test_half_precision_gives_nearly_the_same_loss_and_all_gradients(batch):
    task = make()
    wanted = task.training_loss(batch, 0, generator())["loss"].item()
    with torch.autocast("cpu", torch.bfloat16):
        loss = task.training_loss(batch, 0, generator())["loss"]
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(wanted, rel=0.03)
    assert all(p.grad is not None for p in task.model.backbone.parameters())


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"target_layers": 3}, "target_layers"), ({"decoder_groups": 5}, "decoder_groups")],
)
def test_settings_that_do_not_fit_the_backbone(changes, word):
    with pytest.raises(UserError, match=word):
        make(**changes)


def test_a_network_without_patches_is_refused():
    model = EncoderModel(
        KaldiFrontEnd(kind="kaldi_fbank", n_mels=32), RATE, 1.0, ConvConfig(width=4, dim=16)
    )
    with pytest.raises(UserError, match=r"backbone\.kind"):
        EATPretraining(model, config())


def test_what_the_loss_does_not_reach_is_taken_off_or_told_of(batch):
    model = EncoderModel(
        KaldiFrontEnd(kind="kaldi_fbank", n_mels=32, normalise="mean_std"),
        RATE,
        1.0,
        ViTConfig(dim=16, depth=2, heads=2),
        ("a", "b"),
        pooling="attention",
    )
    task = EATPretraining(model, config())
    # A classifier of the encoder before would give scores that mean nothing.
    assert task.encoder().classes == ()
    assert task.encoder().head is None
    task.training_loss(batch, 0, generator())["loss"].backward()
    unreached = {n for n, p in task.named_parameters() if p.requires_grad and p.grad is None}
    assert {name.split(".")[1] for name in unreached} == {"pooling"}
    assert task.unused_parameters
    mean = EATPretraining(tiny_model(dim=16, depth=2), config())
    assert not mean.unused_parameters
