"""Lightning's trainer for a stage: device, precision, processes; and no files of its own."""

from __future__ import annotations

import datetime
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from antiphon.errors import UserError
from antiphon.training.loop.config import LoopConfig
from antiphon.training.needs import need

# While the first process validates, the others wait for it.
_PATIENCE = datetime.timedelta(hours=4)
_NAMES = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def device_of(loop: LoopConfig) -> str:
    """Return ``cpu``, ``cuda`` or ``mps``.

    Raises
    ------
    UserError
        A GPU is asked for and there is none.
    """
    found = "cpu"
    if torch.cuda.is_available():
        found = "cuda"
    elif torch.backends.mps.is_available():
        found = "mps"
    if loop.device == "gpu" and found == "cpu":
        raise UserError(
            "loop.device is gpu, but torch finds none. Install a torch built for it, or give "
            "--device cpu."
        )
    return "cpu" if loop.device == "cpu" else found


def processes_of(loop: LoopConfig) -> int:
    """Return over how many processes each step is shared.

    Raises
    ------
    UserError
        More are asked for than there are GPUs.
    """
    device = device_of(loop)
    gpus = torch.cuda.device_count() if device == "cuda" else 1
    if loop.processes == "auto":
        return gpus
    if device != "cpu" and loop.processes > gpus:
        raise UserError(f"loop.processes is {loop.processes}, but there are {gpus} GPUs.")
    return loop.processes


def precision_of(loop: LoopConfig) -> str:
    """Return Lightning's name of the precision."""
    if loop.precision != "auto":
        return _NAMES[loop.precision]
    device = device_of(loop)
    if device == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    return "32-true"


def process_rank() -> int:
    """Return the number of this process among those of one run, before they know each other."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


def make_trainer(loop: LoopConfig, *, unused: bool = False, plugins: Any = None) -> Any:
    """Return a trainer whose only epoch is all that the loader gives.

    Steps, checkpoints, logs and validation are the run's own; Lightning brings devices,
    precision, accumulation and the exchange between processes.

    Parameters
    ----------
    loop
        Settings.
    unused
        Whether some trainable parameters get no gradient in some steps, as a frozen backbone's;
        DDP then looks for them in each step.
    plugins
        Handed to Lightning.
    """
    lightning = need("lightning").pytorch
    device, processes = device_of(loop), processes_of(loop)
    strategy: Any = "auto"
    if processes > 1:
        from lightning.pytorch.strategies import DDPStrategy

        strategy = DDPStrategy(
            find_unused_parameters=unused,
            timeout=_PATIENCE,
            process_group_backend="nccl" if device == "cuda" else "gloo",
        )
    return lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device, device),
        devices=processes,
        strategy=strategy,
        precision=precision_of(loop),
        accumulate_grad_batches=loop.accumulate,
        min_epochs=0,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        use_distributed_sampler=False,
        plugins=plugins,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning's remarks on devices, workers and its own products from the terminal."""
    names = ("lightning", "lightning.pytorch", "lightning.fabric", "torch.distributed")
    before = {name: logging.getLogger(name).level for name in names}
    # Lightning sets the level of its loggers when it is imported.
    need("lightning.pytorch")
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")
            warnings.filterwarnings("ignore", message=".*litlogger.*")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
