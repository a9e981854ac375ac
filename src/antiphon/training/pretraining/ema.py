"""A teacher that is the moving average of its student."""

from __future__ import annotations

import copy

import torch
from torch import nn


def decay_at(step: int, start: float, end: float, steps: int) -> float:
    """Return the decay after ``step`` updates: linear from start to end, then constant.

    As in data2vec 2.0 (Baevski et al. 2023, section 3.1).
    """
    return end if step >= steps else start + (end - start) * step / steps


def make_teacher(student: nn.Module) -> nn.Module:
    """Return a copy without gradient and in evaluation mode."""
    teacher: nn.Module = copy.deepcopy(student)
    teacher.requires_grad_(False)
    return teacher.eval()


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, decay: float) -> None:
    """Move the teacher: ``teacher = decay * teacher + (1 - decay) * student``.

    Buffers, such as running statistics, are copied. Weights are kept in the teacher's own
    precision; float32 is needed, as steps are below the resolution of half precision.
    """
    theirs = list(teacher.parameters())
    mine = [p.detach().to(t.dtype) for p, t in zip(student.parameters(), theirs, strict=True)]
    if theirs:
        torch._foreach_lerp_(theirs, mine, 1.0 - decay)
    for held, given in zip(teacher.buffers(), student.buffers(), strict=True):
        held.copy_(given)
