"""The randomness of a step as a function of (seed, step), so that a resumed run goes on alike."""

from __future__ import annotations

import random

import numpy as np
import torch


def step_seed(seed: int, step: int, part: int = 0, rank: int = 0) -> int:
    """Return a 63-bit seed for one step.

    Parameters
    ----------
    seed
        Of the run.
    step
        Counted from 0.
    part
        Which batch of a step that accumulates several.
    rank
        Which process of several; each draws its own masks.
    """
    state = np.random.SeedSequence([seed, step, part, rank]).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def seed_everything(seed: int) -> None:
    """Seed the global generators of torch (all devices), NumPy and Python.

    NumPy's and Python's are seeded because libraries use them within their networks, such as
    transformers for the masks of wav2vec 2.0.
    """
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
