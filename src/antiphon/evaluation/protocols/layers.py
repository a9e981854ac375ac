"""Layer sweep: the linear probe on every layer of one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.encoders.front_end import NetworkFrontEnd
from antiphon.encoders.manifest import Manifest, Output, load_manifest
from antiphon.encoders.modelfile import check_sha256, find_model
from antiphon.encoders.network import Network, usable_cores
from antiphon.errors import ModelError, UserError
from antiphon.evaluation.protocols.inputs import Float32, Int64
from antiphon.evaluation.protocols.pooling import masked_mean
from antiphon.evaluation.protocols.probe import linear_probe
from antiphon.evaluation.protocols.result import Measure, ProtocolResult, unique_notes


class LayerReader:
    """Read several tensors of a network in one pass, each pooled over its valid frames.

    TFLite files give any tensor of the graph; ONNX files those that they list as outputs, so the
    inner tensors have to be outputs of the exported graph.

    Parameters
    ----------
    manifest
        The encoder's manifest, or the file that holds it.
    layers
        Name -> where the tensor is and which axes it has. With ``pool: mean`` all axes but ``N``
        and ``D`` are averaged, padded steps of ``T`` left out.
    model
        The model file, where it is not where the manifest says.
    threads
        Windows computed side by side.

    Raises
    ------
    ModelError
        The file is missing, corrupt or holds no such tensor.
    UserError
        No layer is named.
    """

    def __init__(
        self,
        manifest: Manifest | Path,
        layers: Mapping[str, Output],
        *,
        model: Path | None = None,
        threads: int | None = None,
    ) -> None:
        if not layers:
            raise UserError("Name at least one layer to read.")
        if isinstance(manifest, Path):
            self._manifest, beside = load_manifest(manifest), manifest.parent
            model = find_model(self._manifest, beside, model)
        else:
            self._manifest = manifest
        if model is None:
            raise UserError("Give the model file, or the manifest as a file that names it.")
        check_sha256(model, self._manifest.sha256)
        self._layers, self._model = dict(layers), model
        self._front_end = NetworkFrontEnd(self._manifest)
        self._network = self._open(threads or usable_cores())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(self._layers)

    def _open(self, threads: int) -> Network:
        wanted = [layer.embedding for layer in self._layers.values()]
        if self._manifest.runtime == "tflite":
            from antiphon.encoders.tflite import TfliteNetwork

            return TfliteNetwork(self._model, self._manifest.input.tensor, wanted, threads)
        from antiphon.encoders.onnx import OnnxNetwork

        return OnnxNetwork(self._model, self._manifest.input.tensor, wanted, threads)

    def __call__(self, audio: Float32, valid: Int64) -> dict[str, Float32]:
        """Return layer -> ``(n, dim)`` float32 embeddings of ``n`` windows.

        Parameters
        ----------
        audio, valid
            ``(n, window_samples)`` and ``(n,)`` valid samples, as
            :meth:`antiphon.encoders.base.Encoder.prepare` takes them.
        """
        features = self._front_end(audio, valid)
        raw = self._network.run(features.tensor)
        return {
            name: self._pooled(name, layer, values, features.valid)
            for (name, layer), values in zip(self._layers.items(), raw, strict=True)
        }

    def _pooled(
        self, name: str, layer: Output, values: Float32, valid: npt.NDArray[np.float64]
    ) -> Float32:
        if layer.pool == "none":
            if values.ndim < 2 or max(values.shape[1:]) != int(np.prod(values.shape[1:])):
                raise ModelError(
                    self._model,
                    f"layer {name!r} has the shape {values.shape[1:]} per window, no single vector",
                    "Set pool: mean and a layout for it",
                )
            return np.ascontiguousarray(values.reshape(len(values), -1))
        if values.ndim != len(layer.layout):
            raise ModelError(
                self._model,
                f"layer {name!r} has {values.ndim} axes, its layout {layer.layout!r} names "
                f"{len(layer.layout)}",
                "Correct the layout",
            )
        others = [axis for axis in layer.layout if axis not in "NTD"]
        axes = ["N", *(["T"] if "T" in layer.layout else []), *others, "D"]
        ordered = values.transpose([layer.layout.index(axis) for axis in axes])
        if "T" not in layer.layout:
            return np.asarray(
                ordered.reshape(len(values), -1, ordered.shape[-1]).mean(axis=1), np.float32
            )
        timed = ordered[:, layer.skip :]
        # The mean over other axes first: each step holds as many of them as the next.
        steps = timed.reshape(*timed.shape[:2], -1, timed.shape[-1]).mean(axis=2)
        return masked_mean(steps, np.clip(valid, 1e-9, 1.0))


def layer_sweep(
    train: Mapping[str, npt.ArrayLike],
    train_y: npt.ArrayLike,
    test: Mapping[str, npt.ArrayLike],
    test_y: npt.ArrayLike,
    *,
    validation: tuple[Mapping[str, npt.ArrayLike], npt.ArrayLike] | None = None,
    groups: npt.ArrayLike | None = None,
    test_groups: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
    **options: Any,
) -> ProtocolResult:
    """Fit the linear probe to every layer; the best on validation is the result.

    Parameters
    ----------
    train, test
        Layer -> ``(n, dim)`` embeddings, as :class:`LayerReader` gives them; widths may differ.
    train_y, test_y, groups, test_groups, names, seed
        As in :func:`antiphon.evaluation.protocols.probe.linear_probe`.
    validation
        The same mapping and labels. Without it, folds of the training side choose.
    **options
        Further ones of the linear probe.

    Returns
    -------
    ProtocolResult
        Family ``layers``: first the measure of the chosen layer, then one for each layer, named
        ``accuracy[layer]`` or ``map[layer]``. The layer is chosen by validation loss, never by
        the test side. Details: ``chosen``, ``validation_loss`` and ``results`` by layer.

    Raises
    ------
    UserError
        If the sides have different layers, or none.
    """
    given = {"test": test} | ({} if validation is None else {"validation": validation[0]})
    for side, layers in given.items():
        if set(layers) != set(train) or not train:
            raise UserError(
                f"The training side has the layers {', '.join(train) or 'none'}, the {side} side "
                f"{', '.join(layers) or 'none'}."
            )
    results, loss = {}, {}
    for layer, x in train.items():
        results[layer] = linear_probe(
            x,
            train_y,
            test[layer],
            test_y,
            validation=None if validation is None else (validation[0][layer], validation[1]),
            groups=groups,
            test_groups=test_groups,
            names=names,
            seed=seed,
            **options,
        )
        loss[layer] = min(results[layer].details["validation_curve"].values(), default=np.nan)
    if any(np.isnan(value) for value in loss.values()):
        raise UserError("A layer cannot be chosen with a fixed L2; leave l2 to be chosen.")
    chosen = min(loss, key=lambda layer: loss[layer])
    best = results[chosen].measures[0]
    first = Measure(
        best.name, best.value, best.low, best.high, best.n, f"layer {chosen}; {best.note}"
    )
    each = []
    for layer, result in results.items():
        m = result.measures[0]
        each.append(Measure(f"{m.name}[{layer}]", m.value, m.low, m.high, m.n, m.note))
    return ProtocolResult(
        "layers",
        (first, *each),
        {"chosen": chosen, "validation_loss": loss, "results": results},
        unique_notes(
            [f"Chosen on validation among {len(results)} layers: {chosen}."],
            results[chosen].notes,
        ),
    )
