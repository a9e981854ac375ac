"""The same head on torch, for a GPU; torch is imported only when one is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.learner.head import Draws, Head
from antiphon.errors import MissingExtraError, UserError

Float32 = npt.NDArray[np.float32]

# Large arrays kept on the device between calls: those of the pool and of the judging rows.
_KEPT = 2


class TorchHead(Head):
    """A :class:`~antiphon.active.learner.head.Head` whose numbers live on a device of torch.

    All that is random is drawn as there, so both heads agree up to rounding.

    Parameters
    ----------
    device
        As torch names it: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises
    ------
    MissingExtraError
        If torch is not installed.
    UserError
        If there is no such device.
    """

    def __init__(
        self,
        dim: int,
        hidden: int,
        n_labels: int,
        draws: Draws,
        *,
        device: str,
        learning_rate: float = 1e-3,
        dropout: float = 0.0,
        multilabel: bool = True,
    ) -> None:
        try:
            import torch
        except ImportError as error:
            raise MissingExtraError("train", f"train the head on {device}") from error
        self._torch = torch
        self.draws, self.dropout, self.multilabel = draws, dropout, multilabel
        try:
            self._device = torch.device(device)
            weights = (draws.weight(hidden, dim), draws.weight(n_labels, hidden))
            starts = (weights[0], np.zeros(hidden), weights[1], np.zeros(n_labels))
            self._tensors = [
                torch.tensor(a, dtype=torch.float32, device=self._device, requires_grad=True)
                for a in starts
            ]
        except (RuntimeError, AssertionError) as error:
            raise UserError(
                f"The device {device!r} cannot be used: {str(error).splitlines()[0]}"
            ) from error
        self._adam = torch.optim.Adam(self._tensors, lr=learning_rate)
        self._kept: list[tuple[Float32, Any]] = []

    @property
    def n_parameters(self) -> int:
        """Weights and biases."""
        return sum(tensor.numel() for tensor in self._tensors)

    def weights(self) -> tuple[Float32, Float32, Float32, Float32]:
        """Return copies: ``(hidden, dim)``, ``(hidden,)``, ``(n_labels, hidden)``, ``(n_labels,)``.

        They do not follow later training.
        """
        w1, b1, w2, b2 = (tensor.detach().cpu().numpy().copy() for tensor in self._tensors)
        return w1, b1, w2, b2

    def hidden(self, x: Float32) -> Float32:
        """Return ``(n, hidden)`` inputs of the last layer."""
        with self._torch.no_grad():
            found: Float32 = self._hidden(self._resident(x)).cpu().numpy()
        return found

    def logits(self, x: Float32) -> Float32:
        """Return ``(n, n_labels)``."""
        with self._torch.no_grad():
            found: Float32 = self._last(self._hidden(self._resident(x))).cpu().numpy()
        return found

    def dropout_probabilities(self, x: Float32, passes: int, rate: float, draws: Draws) -> Float32:
        """Return ``(passes, n, n_labels)``, each pass with other hidden units left out."""
        with self._torch.no_grad():
            hidden = self._hidden(self._resident(x)) / (1.0 - rate)
            found = [
                self._last(hidden * self._mask(draws, hidden, rate)).cpu().numpy()
                for _ in range(passes)
            ]
        return np.stack([self.link(logits) for logits in found])

    def step(self, x: Float32, y: Float32, *, want_loss: bool = False) -> float:
        """Take one step of Adam on a mini-batch; return its loss, or 0 if it is not wanted."""
        functional = self._torch.nn.functional
        inputs, targets = (self._torch.from_numpy(a).to(self._device) for a in (x, y))
        hidden = self._hidden(inputs)
        if self.dropout:
            kept = self._mask(self.draws, hidden, self.dropout)
            hidden = hidden * kept / (1.0 - self.dropout)
        logits = self._last(hidden)
        if self.multilabel:
            loss = functional.binary_cross_entropy_with_logits(logits, targets)
        else:
            loss = functional.cross_entropy(logits, targets.argmax(dim=1))
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()
        return float(loss.detach()) if want_loss else 0.0

    def _hidden(self, x: Any) -> Any:
        return self._torch.relu(self._torch.nn.functional.linear(x, *self._tensors[:2]))

    def _last(self, hidden: Any) -> Any:
        return self._torch.nn.functional.linear(hidden, *self._tensors[2:])

    def _mask(self, draws: Draws, hidden: Any, rate: float) -> Any:
        return self._torch.from_numpy(draws.kept(tuple(hidden.shape), rate)).to(self._device)

    def _resident(self, x: Float32) -> Any:
        """Return the array on the device; those used last stay there."""
        for array, tensor in self._kept:
            if array is x:
                return tensor
        tensor = self._torch.tensor(x, device=self._device)
        self._kept = [*self._kept[-(_KEPT - 1) :], (x, tensor)]
        return tensor
