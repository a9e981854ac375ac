# ruff: noqa: E402
"""Validation while training: against the protocols themselves, and without side effects."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.evaluation.metrics.retrieval import retrieval_scores
from antiphon.training.loop import validate as validating
from antiphon.training.loop.config import ValidationConfig
from antiphon.training.loop.validate import validate
from tests.training.loop import tiny

CPU = torch.device("cpu")


@pytest.fixture
def task(tmp_path):
    torch.manual_seed(0)
    return tiny.prepare(tiny.config(tmp_path)).task


def batches(n=40, **more):
    for begin in range(0, n, 7):
        batch = tiny.examples(list(range(begin, min(n, begin + 7))))
        for name, make in more.items():
            batch[name] = make(batch["index"])
        yield batch


def test_loss_and_retrieval_are_those_of_all_clips_at_once(task):
    found = validate(task, batches(), ValidationConfig(), CPU)
    whole = tiny.examples(list(range(40)))
    task.eval()
    loss = float(task.validation_loss(whole)["loss"].detach())
    assert found.values["loss"] == pytest.approx(loss, rel=1e-5)
    x = task.encoder().embed(whole["waveform"], whole["valid"]).numpy()
    scores = retrieval_scores(x, whole["labels"].argmax(1).numpy())
    assert found.values["r_auc"] == pytest.approx(scores.roc_auc, rel=1e-6)
    assert found.values["p_at_1"] == pytest.approx(scores.precision_at[1])
    assert found.intervals["r_auc"][0] < scores.roc_auc < found.intervals["r_auc"][1]
    assert (found.clips, found.labelled) == (40, 40)


def test_every_part_gets_its_mode_back_and_nothing_is_random(task):
    task.train()
    task.teacher.eval()
    before = [(name, part.training) for name, part in task.named_modules()]
    rng = torch.get_rng_state()
    first = validate(task, batches(), ValidationConfig(), CPU)
    assert [(name, part.training) for name, part in task.named_modules()] == before
    assert torch.equal(torch.get_rng_state(), rng)
    assert validate(task, batches(), ValidationConfig(), CPU).values == first.values


def test_no_more_clips_than_asked_for(task):
    found = validate(task, batches(), ValidationConfig(clips=18), CPU)
    assert found.clips == 18
    fewer = validate(task, batches(18), ValidationConfig(), CPU)
    assert found.values == fewer.values


def test_groups_are_not_split_by_the_probe(task, monkeypatch):
    from antiphon.training.loop import validate as module

    seen = {}

    def probe(train_x, train_y, test_x, test_y, **more):
        seen["train"], seen["test"] = len(train_x), set(more["test_groups"].tolist())
        return original(train_x, train_y, test_x, test_y, **more)

    original = module.linear_probe
    monkeypatch.setattr(module, "linear_probe", probe)
    found = validate(task, batches(group=lambda i: i // 4), ValidationConfig(), CPU)
    assert "probe_accuracy" in found.values
    # Ten groups of four: each lies on one side as a whole.
    assert seen["train"] % 4 == 0
    assert seen["train"] + 4 * len(seen["test"]) == 40


def test_clips_without_a_known_label_take_no_part(task):
    def known(index):
        rows = torch.ones(len(index), 4)
        rows[index >= 30] = 0.0
        return rows

    found = validate(task, batches(known=known), ValidationConfig(), CPU)
    assert (found.clips, found.labelled) == (40, 30)
    assert found.values["r_auc"] == pytest.approx(
        validate(task, batches(30), ValidationConfig(), CPU).values["r_auc"]
    )


def test_what_cannot_be_measured_is_said(task):
    def unlabelled():
        for batch in batches(8):
            yield {k: v for k, v in batch.items() if k not in ("labels", "known")}

    task.validation_loss = lambda batch: {"loss": batch["waveform"].square().mean()}
    found = validate(task, unlabelled(), ValidationConfig(), CPU)
    assert set(found.values) == {"loss"}
    assert found.notes == ("The held-out clips have no labels: no retrieval, no probe.",)
    one = ({**b, "labels": torch.eye(4)[[0] * len(b["index"])]} for b in batches(8))
    found = validate(task, one, ValidationConfig(), CPU)
    assert any("No probe" in note for note in found.notes)
    assert np.isnan(found.values.get("probe_accuracy", np.nan))
    assert validate(task, [], ValidationConfig(), CPU).notes == ("No clip is held out.",)


def test_clips_of_one_recording_do_not_look_for_each_other():
    rng = np.random.default_rng(0)
    number = np.repeat(np.arange(16), 10)
    found, with_own = [], []
    for _ in range(6):
        kind = rng.permutation(np.repeat(np.arange(4), 4))[number]
        # Embeddings that know the recording, and nothing of the class.
        x = rng.normal(size=(16, 32))[number] + 0.3 * rng.normal(size=(160, 32))
        y = np.eye(4, dtype=bool)[kind]
        found.append(validating._retrieval(x, y, number, recordings=number)["r_auc"].value)
        with_own.append(retrieval_scores(x, kind).roc_auc)
    assert np.mean(with_own) > 0.58
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)
    alone = validating._retrieval(x, y, number, recordings=np.arange(160))
    assert alone["r_auc"].value == pytest.approx(with_own[-1])
    with pytest.raises(UserError, match="one recording"):
        validating._retrieval(x, y, number, recordings=np.zeros(160))
