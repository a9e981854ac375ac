from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.encoders.manifest import KaldiFrontEnd  # noqa: E402
from antiphon.errors import UserError  # noqa: E402
from antiphon.training.backbones.config import PatchSize, ViTConfig  # noqa: E402
from antiphon.training.model import EncoderModel  # noqa: E402
from antiphon.training.pretraining.beats import BEATsPretraining, CodePredictor  # noqa: E402
from antiphon.training.pretraining.config import BEATsConfig  # noqa: E402
from antiphon.training.pretraining.masks import Masks  # noqa: E402
from antiphon.training.pretraining.tokenizer import RandomProjectionTokenizer  # noqa: E402
from tests.training.pretraining.sounds import RATE, batch_of, sounds, tiny_model  # noqa: E402


def small(seed=0, **changes):
    return tiny_model(seed, dim=16, depth=2, **changes)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def batch():
    waves, _ = sounds(4, seed=0)
    return batch_of(waves)


def first():
    return BEATsPretraining(small(), BEATsConfig.tiny()).train()


def second(steps=3, folder="first"):
    config = BEATsConfig.tiny(teacher=folder, tokenizer_steps=steps)
    return BEATsPretraining(small(1), config, teacher=small(2)).train()


def train(task, batch, first, last, total=8):
    optimiser = torch.optim.AdamW(task.parameter_groups(1e-2, 0.05))
    results = []
    for step in range(first, last):
        task.before_step(step, total)
        result = task.training_loss(batch, step, generator(step))
        optimiser.zero_grad(set_to_none=True)
        result["loss"].backward()
        optimiser.step()
        task.after_step(step, total)
        results.append({k: v.item() for k, v in result.items()})
    return results


def snapshot(module):
    return {k: v.clone() for k, v in module.state_dict().items()}


def same(module, before):
    return all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def test_loss_is_the_cross_entropy_of_hidden_patches_by_hand(batch, monkeypatch):
    task = first()
    logits = []
    forward = task.predictor.forward

    def keep(*given):
        logits.append((forward(*given), given[1]))
        return logits[-1][0]

    monkeypatch.setattr(task.predictor, "forward", keep)
    result = task.training_loss(batch, 0, generator())
    features, audio = task.model.front_end(batch["waveform"], batch["valid"])
    codes = task.tokenizer.codes(features, audio)
    scores, masks = logits[0]
    places = masks.predicted.nonzero().tolist()
    # 13 times 4 patches, a quarter of which is kept.
    assert len(places) == 4 * (52 - 13)
    terms, right = [], 0
    for row, (clip, place) in zip(scores.detach().double(), places, strict=True):
        code = int(codes[clip, place])
        terms.append(math.log(float(row.exp().sum())) - float(row[code]))
        right += int(row.argmax()) == code
    assert result["loss"].item() == pytest.approx(sum(terms) / len(terms), abs=1e-5)
    assert result["accuracy"].item() == pytest.approx(right / len(terms), abs=1e-6)


def test_two_patch_example_of_the_loss():
    # Of two patches the first is seen. Two codes, logits (0, ln 3) of the second: a code of 1
    # has the probability 3/4.
    predictor = CodePredictor(4, 4, layers=1, codes=2)
    torch.nn.init.zeros_(predictor.out.weight)
    predictor.out.bias.data.copy_(torch.tensor([0.0, math.log(3)]))
    masks = Masks(torch.tensor([[0]]), torch.tensor([[True]]), torch.tensor([[False, True]]))
    logits = predictor(torch.randn(1, 1, 4), masks, torch.ones(1, 2).bool(), (2, 1))
    assert logits.shape == (1, 2)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor([1]))
    assert loss.item() == pytest.approx(math.log(4 / 3))


def test_predictor_ignores_padding():
    torch.manual_seed(0)
    predictor = CodePredictor(8, 8, layers=2, codes=5)
    tokens = torch.randn(1, 2, 8)
    hidden = torch.tensor([[False, True, True, False]])
    alone = Masks(torch.tensor([[0, 3]]), torch.ones(1, 2).bool(), hidden)
    one = predictor(tokens, alone, torch.ones(1, 4).bool(), (2, 2))
    padded = Masks(
        torch.tensor([[0, 3, 5]]),
        torch.tensor([[True, True, False]]),
        torch.cat([hidden, torch.zeros(1, 4).bool()], dim=1),
    )
    tokens = torch.cat([tokens, torch.full((1, 1, 8), 50.0)], dim=1)
    two = predictor(tokens, padded, torch.arange(8).view(1, 8) < 4, (4, 2))
    assert torch.allclose(one, two, atol=1e-5)


def test_what_lies_in_the_padding_changes_nothing(batch):
    valid = batch["valid"].clone()
    valid[1] = 3000
    dirty = batch["waveform"].clone()
    dirty[1, 3000:] = 0.7
    for make in (first, second):
        one, two = (
            make().training_loss(batch | {"waveform": w, "valid": valid}, 0, generator())["loss"]
            for w in (batch["waveform"], dirty)
        )
        assert one.item() == pytest.approx(two.item(), abs=1e-5)


def test_a_clip_without_audio_leaves_the_loss_finite(batch):
    valid = batch["valid"].clone()
    valid[2] = 0
    for task in (first(), second()):
        loss = task.training_loss(batch | {"valid": valid}, 0, generator())["loss"]
        loss.backward()
        assert torch.isfinite(loss)
        grads = [p.grad for p in task.parameters() if p.grad is not None]
        assert all(torch.isfinite(g).all() for g in grads)


def test_the_first_iteration_trains_encoder_and_predictor(batch):
    task = first()
    assert isinstance(task.tokenizer, RandomProjectionTokenizer)
    task.training_loss(batch, 0, generator())["loss"].backward()
    assert all(p.grad is not None for p in task.model.parameters())
    assert all(p.grad is not None for p in task.predictor.parameters())
    assert not task.unused_parameters
    assert task.rate_factor(0, 10) == 1.0


def test_a_later_iteration_trains_the_tokenizer_and_then_the_model(batch):
    task = second(steps=3)
    assert task.unused_parameters
    model, teacher = snapshot(task.model), snapshot(task.teacher)
    results = train(task, batch, 0, 2)
    assert "tokenizer_cosine" in task.validation_loss(batch)
    results += train(task, batch, 2, 3)
    assert all("tokenizer_cosine" in result for result in results)
    assert same(task.model, model)
    tokenizer = snapshot(task.tokenizer)
    results = train(task, batch, 3, 6)
    assert "accuracy" in results[0]
    assert "accuracy" in task.validation_loss(batch)
    assert same(task.tokenizer, tokenizer)
    assert same(task.teacher, teacher)
    assert not same(task.model, model)


def test_the_model_warms_up_where_it_begins():
    task = second(steps=100)
    factors = [task.rate_factor(step, 200) for step in (0, 99, 100, 104, 109, 150)]
    assert factors == pytest.approx([1, 1, 0.1, 0.5, 1, 1])


def test_a_resumed_run_is_the_uninterrupted_one_across_the_change(batch):
    def run(task, first, last, optimiser):
        for step in range(first, last):
            result = task.training_loss(batch, step, generator(step))
            optimiser.zero_grad(set_to_none=True)
            result["loss"].backward()
            optimiser.step()
            task.after_step(step, 6)
        return result["loss"].item()

    whole = second()
    uninterrupted = run(whole, 0, 6, torch.optim.AdamW(whole.parameter_groups(1e-2, 0.1)))
    begun = second()
    optimiser = torch.optim.AdamW(begun.parameter_groups(1e-2, 0.1))
    run(begun, 0, 2, optimiser)
    resumed = second()
    for p in resumed.parameters():
        p.data.add_(1.0)
    resumed.load_state_dict(begun.state_dict())
    again = torch.optim.AdamW(resumed.parameter_groups(1e-2, 0.1))
    again.load_state_dict(optimiser.state_dict())
    assert run(resumed, 2, 6, again) == uninterrupted


def test_validation_repeats_itself_and_leaves_the_codebook(batch):
    task = second()
    train(task, batch, 0, 1)
    before = snapshot(task.tokenizer)
    one, two = (task.validation_loss(batch)["loss"].item() for _ in range(2))
    assert one == two
    assert same(task.tokenizer, before)
    assert task.training
    assert not task.teacher.training


def test_half_precision_gives_nearly_the_same_loss_and_the_same_codes(batch):
    for make in (first, second):
        wanted = make().training_loss(batch, 0, generator())["loss"].item()
        with torch.autocast("cpu", torch.bfloat16):
            loss = make().training_loss(batch, 0, generator())["loss"]
        loss.backward()
        assert loss.item() == pytest.approx(wanted, rel=0.05)
    task = first()
    features, audio = task.model.front_end(batch["waveform"], batch["valid"])
    codes = task.tokenizer.codes(features, audio)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(task.tokenizer.codes(features, audio), codes)


def test_collapse_shows_in_the_log(batch):
    task = first()
    healthy = task.validation_loss(batch)
    task.tokenizer.codebook[:] = task.tokenizer.codebook[0]
    collapsed = task.validation_loss(batch)
    assert healthy["code_perplexity"] > 2
    assert collapsed["code_perplexity"] == pytest.approx(1.0)
    assert collapsed["majority"] == 1.0
    assert collapsed["codes_used"] == pytest.approx(1 / 256)


def test_the_second_iteration_starts_from_a_folder(batch, tmp_path):
    from antiphon.training.checkpoints.models import save_model

    model = small(2)
    save_model(model, tmp_path / "run" / "model")
    losses = []
    for folder in (tmp_path / "run", tmp_path / "run" / "model"):
        config = BEATsConfig.tiny(teacher=folder, tokenizer_steps=2)
        task = BEATsPretraining(small(1), config)
        waves = batch["waveform"]
        assert torch.allclose(task.teacher.embed(waves), model.embed(waves), atol=1e-6)
        losses.append(task.training_loss(batch, 0, generator())["loss"].item())
    assert losses[0] == losses[1]


def test_a_teacher_with_other_patches_is_refused():
    config = BEATsConfig.tiny(teacher="first", tokenizer_steps=2)
    other = small(patch=PatchSize(time=4, mel=8))
    with pytest.raises(UserError, match="patch"):
        BEATsPretraining(small(), config, teacher=other)


def test_a_class_token_that_nothing_trains_is_refused():
    model = small()
    model.pooling_kind = "cls"
    with pytest.raises(UserError, match="pooling"):
        BEATsPretraining(model, BEATsConfig.tiny())


def test_what_the_loss_does_not_reach_is_taken_off_or_told_of(batch):
    model = EncoderModel(
        KaldiFrontEnd(kind="kaldi_fbank", n_mels=32, normalise="mean_std"),
        RATE,
        1.0,
        ViTConfig(dim=16, depth=2, heads=2),
        ("a", "b"),
        pooling="attention",
    )
    task = BEATsPretraining(model, BEATsConfig.tiny())
    # A classifier of the encoder before would give scores that mean nothing.
    assert task.encoder().classes == ()
    assert task.encoder().head is None
    task.training_loss(batch, 0, generator())["loss"].backward()
    unreached = {n for n, p in task.named_parameters() if p.requires_grad and p.grad is None}
    assert {name.split(".")[1] for name in unreached} == {"pooling"}
    assert task.unused_parameters
    mean = BEATsPretraining(tiny_model(dim=16, depth=2), BEATsConfig.tiny())
    assert not mean.unused_parameters
