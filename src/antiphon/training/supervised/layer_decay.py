"""Learning rates that fall from the head to the input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from antiphon.training.task import is_vector


def layer_numbers(names: Sequence[str], prefixes: Sequence[Sequence[str]]) -> list[int]:
    """Return the depth of each parameter of a backbone.

    Parameters
    ----------
    names
        Of its parameters.
    prefixes
        For each depth from the input on, how the names of its parameters begin. The longest that
        fits decides.

    Raises
    ------
    ValueError
        A name fits no prefix.
    """
    numbers = []
    for name in names:
        fitting = [
            (len(prefix), depth)
            for depth, group in enumerate(prefixes)
            for prefix in group
            if name.startswith(prefix)
        ]
        if not fitting:
            raise ValueError(f"parameter {name!r} is in none of the backbone's layers")
        numbers.append(max(fitting)[1])
    return numbers


def layer_decay_groups(
    backbone: nn.Module,
    others: Iterable[nn.Module],
    lr: float,
    weight_decay: float,
    decay: float,
) -> list[dict[str, Any]]:
    """Return an optimiser's groups whose rate falls by ``decay`` per layer, from the head down.

    Layer ``d`` of ``n`` layers of a backbone has ``lr * decay ** (n - d)`` and a head has ``lr``,
    as for ELECTRA and BEiT (Clark et al. 2020; Bao et al. 2022). Layers are the patches or the
    stem, then each block of a transformer or each stage of a convolutional network.

    Parameters
    ----------
    backbone
        Its ``layer_prefixes()`` say which layer a parameter is of.
    others
        Modules with the full rate, as heads.
    lr, weight_decay
        Of the run. Biases, norms, class tokens and other vectors do not decay.
    decay
        In (0, 1]; 1 gives all one rate.

    Returns
    -------
    list
        Groups with ``params``, ``lr``, ``weight_decay`` and ``name``, from the input on. Each
        trainable parameter is in one of them, once.
    """
    named = [(n, p) for n, p in backbone.named_parameters() if p.requires_grad]
    prefixes = backbone.layer_prefixes() if decay != 1.0 else [[""]]
    top = len(prefixes)
    depths = layer_numbers([name for name, _ in named], prefixes)
    placed = [(p, depth) for (_, p), depth in zip(named, depths, strict=True)]
    placed += [(p, top) for module in others for p in module.parameters() if p.requires_grad]
    groups: dict[tuple[int, bool], dict[str, Any]] = {}
    taken: set[int] = set()
    for parameter, depth in placed:
        if id(parameter) in taken:
            continue
        taken.add(id(parameter))
        vector = is_vector(parameter)
        rate = lr if decay == 1.0 else lr * decay ** (top - depth)
        where = "head" if depth == top else "backbone" if decay == 1.0 else f"layer {depth}"
        group = groups.setdefault(
            (depth, vector),
            {
                "params": [],
                "lr": rate,
                "weight_decay": 0.0 if vector else weight_decay,
                "name": f"{where}, vectors" if vector else where,
            },
        )
        group["params"].append(parameter)
    return [groups[key] for key in sorted(groups)]
