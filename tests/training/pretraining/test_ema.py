from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.pretraining.ema import (  # noqa: E402
    decay_at,
    make_teacher,
    update_teacher,
)


def test_decay_grows_linearly_to_its_end():
    assert decay_at(0, 0.9, 1.0, 4) == pytest.approx(0.9)
    assert decay_at(1, 0.9, 1.0, 4) == pytest.approx(0.925)
    assert decay_at(4, 0.9, 1.0, 4) == 1.0
    assert decay_at(99, 0.9, 1.0, 4) == 1.0
    assert decay_at(50_000, 0.9998, 0.99999, 100_000) == pytest.approx(0.999895)


def test_three_updates_by_hand():
    student = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(student.weight, 8.0)
    teacher = make_teacher(student)
    for value, decay in ((0.0, 0.5), (2.0, 0.75), (4.0, 0.0)):
        torch.nn.init.constant_(student.weight, value)
        update_teacher(teacher, student, decay)
        if decay == 0.5:
            assert teacher.weight.item() == 4.0  # 0.5 * 8 + 0.5 * 0
        if decay == 0.75:
            assert teacher.weight.item() == 3.5  # 0.75 * 4 + 0.25 * 2
    assert teacher.weight.item() == 4.0


def test_teacher_has_no_gradient_its_own_weights_and_the_buffers_of_the_student():
    student = torch.nn.BatchNorm1d(2).train()
    teacher = make_teacher(student)
    assert not teacher.training
    assert not any(p.requires_grad for p in teacher.parameters())
    assert all(p.requires_grad for p in student.parameters())
    student(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert teacher.running_mean.tolist() == [0, 0]
    update_teacher(teacher, student, 1.0)
    assert torch.allclose(teacher.running_mean, torch.tensor([0.2, 0.4]))
    assert int(teacher.num_batches_tracked) == 1
