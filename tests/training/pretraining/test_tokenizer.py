from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
from torch.nn import functional  # noqa: E402

from antiphon.training.backbones.config import PatchSize, ViTConfig  # noqa: E402
from antiphon.training.backbones.vit import ViT, sine_positions  # noqa: E402
from antiphon.training.pretraining.tokenizer import (  # noqa: E402
    DistilledTokenizer,
    RandomProjectionTokenizer,
    cut_patches,
)

PATCH = PatchSize(time=3, mel=2)
CONFIG = ViTConfig(dim=16, depth=1, heads=2, patch=PATCH)


def features(batch=2, frames=7, bands=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, frames, bands, generator=generator)


def all_audio(x):
    return torch.ones(x.shape[:2], dtype=torch.bool)


def distilled(codes=8):
    torch.manual_seed(0)
    return DistilledTokenizer(
        CONFIG, 6, codes=codes, dim=4, decay=0.5, revive_below=0.01, layers=1, commitment=1.0
    )


def test_patches_are_those_of_the_transformer_in_its_order():
    torch.manual_seed(0)
    vit = ViT(CONFIG)
    x = features()
    mask = all_audio(x)
    mask[1, 4:] = False
    tokens, _, grid = vit.patches(x, mask)
    assert grid == (3, 3)
    weight = vit.patch_embed.weight.flatten(1)
    by_hand = cut_patches(x, mask, PATCH) @ weight.T + vit.patch_embed.bias
    assert torch.allclose(by_hand + sine_positions(*grid, 16), tokens, atol=1e-5)


def test_random_projection_codes_by_brute_force():
    tokenizer = RandomProjectionTokenizer(PATCH, codes=11, dim=4, seed=3)
    x = features()
    codes = tokenizer.codes(x, all_audio(x))
    assert torch.allclose(tokenizer.codebook.norm(dim=1), torch.ones(11))
    for clip in range(2):
        for time in range(2):
            for band in range(2):
                part = x[clip, 3 * time : 3 * time + 3, 2 * band : 2 * band + 2]
                vector = functional.normalize(part.flatten() @ tokenizer.projection, dim=0)
                squares = [float(((vector - c) ** 2).sum()) for c in tokenizer.codebook]
                assert codes[clip, 3 * time + band] == squares.index(min(squares))


def test_random_projection_follows_from_its_seed_and_is_not_trained():
    one, same, other = (RandomProjectionTokenizer(PATCH, codes=5, dim=4, seed=s) for s in (1, 1, 2))
    assert torch.equal(one.projection, same.projection)
    assert torch.equal(one.codebook, same.codebook)
    assert not torch.equal(one.projection, other.projection)
    assert not list(one.parameters())


def test_level_of_a_patch_does_not_change_its_code():
    tokenizer = RandomProjectionTokenizer(PATCH, codes=50, dim=4, seed=0)
    x = features()
    assert torch.equal(tokenizer.codes(x, all_audio(x)), tokenizer.codes(3 * x, all_audio(x)))


def test_padding_changes_neither_codes_nor_losses_of_the_distilled_tokenizer():
    tokenizer = distilled()
    x, target = features(frames=6), features(frames=6, bands=6, seed=1)
    tokenizer.losses(x, all_audio(x), torch.randn(2, 6, 6), torch.Generator().manual_seed(0))
    padded = torch.cat([x, torch.full((2, 6, 5), 30.0)], dim=1)
    mask = torch.arange(12).expand(2, -1) < 6
    short = tokenizer.codes(x, all_audio(x))
    assert torch.equal(tokenizer.codes(padded, mask)[:, :6], short)
    long_target = torch.cat([target, torch.full((2, 6, 6), 30.0)], dim=1)
    short_loss = tokenizer.losses(x, all_audio(x), target, None)
    long_loss = tokenizer.losses(padded, mask, long_target, None)
    assert short_loss["loss"].item() == pytest.approx(long_loss["loss"].item(), abs=1e-5)


def test_loss_is_cosine_and_commitment_by_hand():
    tokenizer = distilled()
    x = features(frames=3, bands=2, batch=1)
    target = torch.randn(1, 1, 6)
    found = tokenizer.losses(x, all_audio(x), target, torch.Generator().manual_seed(0))
    # One patch: all codes are revived to its vector, so its distance to its code is zero.
    assert found["commitment"].item() == pytest.approx(0, abs=1e-6)
    assert found["codes_revived"].item() == 8
    vector, valid, grid = tokenizer._vectors(x, all_audio(x))
    estimate = tokenizer.out(tokenizer.estimator(tokenizer.up(vector), valid, grid))
    cosine = (estimate * target).sum() / estimate.norm() / target.norm()
    assert found["loss"].item() == pytest.approx(1 - cosine.item(), abs=1e-5)


def test_gradient_passes_the_codebook():
    tokenizer = distilled()
    tokenizer.commitment = 0.0
    x = features()
    target = torch.randn(2, 9, 6)
    loss = tokenizer.losses(x, all_audio(x), target, torch.Generator().manual_seed(0))["loss"]
    loss.backward()
    assert tokenizer.down.weight.grad.abs().sum() > 0
    assert tokenizer.encoder.patch_embed.weight.grad.abs().sum() > 0


def test_without_a_generator_the_codebook_stays():
    tokenizer = distilled()
    x = features()
    target = torch.randn(2, 9, 6)
    tokenizer.losses(x, all_audio(x), target, torch.Generator().manual_seed(0))
    before = {k: v.clone() for k, v in tokenizer.quantiser.state_dict().items()}
    tokenizer.losses(features(seed=5), all_audio(x), target, None)
    after = tokenizer.quantiser.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_distillation_learns_to_estimate_the_teacher():
    tokenizer = distilled(codes=16)
    # The teacher tells apart four kinds of patches.
    kinds = torch.randint(4, (8, 6), generator=torch.Generator().manual_seed(0))
    shapes = 2 * torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    x = shapes[kinds].view(8, 2, 3, 3, 2).transpose(2, 3).reshape(8, 6, 6)
    target = functional.one_hot(kinds, 6).float()
    optimiser = torch.optim.Adam(tokenizer.parameters(), 3e-3)
    cosines = []
    for step in range(80):
        generator = torch.Generator().manual_seed(step)
        result = tokenizer.losses(x, all_audio(x), target, generator)
        optimiser.zero_grad()
        result["loss"].backward()
        optimiser.step()
        cosines.append(result["tokenizer_cosine"].item())
    assert cosines[-1] > 0.95 > 0.6 > cosines[0]
    codes = tokenizer.codes(x, all_audio(x))
    # A code stands for one kind of patch only.
    for code in codes.unique():
        assert len(kinds[codes == code].unique()) == 1
