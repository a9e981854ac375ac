"""A head as participants' code knows it: the attributes of BaseAL's ``EmbeddingClassifier``."""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt
import scipy.special

Float32 = npt.NDArray[np.float32]


@runtime_checkable
class HasWeights(Protocol):
    """A head that shows its weights."""

    def weights(self) -> tuple[Float32, Float32, Float32, Float32]:
        """Return ``(hidden, dim)``, ``(hidden,)``, ``(n_labels, hidden)`` and ``(n_labels,)``."""
        ...


class Parameter(np.ndarray[Any, Any]):
    """An array that answers to the calls by which a tensor of torch is made an array."""

    def detach(self) -> Parameter:
        """Return itself."""
        return self

    def cpu(self) -> Parameter:
        """Return itself."""
        return self

    def numpy(self) -> Float32:
        """Return a plain array."""
        return np.asarray(self)


class Linear:
    """``x @ weight.T + bias`` with ``weight`` ``(out, in)`` and ``bias`` ``(out,)``."""

    def __init__(self, weight: Float32, bias: Float32) -> None:
        self.weight = weight.view(Parameter)
        self.bias = bias.view(Parameter)
        self.out_features, self.in_features = weight.shape

    def __call__(self, x: Float32) -> Float32:
        """Return ``(n, out)``."""
        out: Float32 = np.asarray(x) @ np.asarray(self.weight).T + np.asarray(self.bias)
        return out


class Dropout:
    """The share of hidden units that are left out in training."""

    def __init__(self, p: float) -> None:
        self.p = p


class ArrayClassifier:
    """A stand-in for BaseAL's ``EmbeddingClassifier`` where torch is not installed.

    It has ``input_dim``, ``hidden_dim``, ``num_classes``, ``projection``, ``classifier`` (with
    ``weight`` and ``bias``), ``dropout.p``, ``get_embedding(x)``, ``eval()``, ``train()``,
    ``parameters()``, and gives logits when called; all on arrays. There are no gradients.
    """

    def __init__(self, projection: Linear, classifier: Linear, dropout: float = 0.0) -> None:
        self.projection = projection
        self.classifier = classifier
        self.dropout = Dropout(dropout)
        self.input_dim = projection.in_features
        self.hidden_dim = projection.out_features
        self.num_classes = classifier.out_features
        self.training = False

    def get_embedding(self, x: Float32) -> Float32:
        """Return ``(n, hidden_dim)`` inputs of the last layer."""
        return np.maximum(self.projection(x), 0.0)

    def forward(self, x: Float32, return_embedding: bool = False) -> Any:
        """Return ``(n, num_classes)`` logits, with the inputs of the last layer if asked for."""
        embedding = self.get_embedding(x)
        logits = self.classifier(embedding)
        return (logits, embedding) if return_embedding else logits

    __call__ = forward

    def eval(self) -> ArrayClassifier:
        """Return itself."""
        return self

    def train(self, mode: bool = True) -> ArrayClassifier:
        """Return itself; dropout is never applied."""
        return self

    def parameters(self) -> list[Parameter]:
        """Return the weights and biases."""
        return [
            self.projection.weight,
            self.projection.bias,
            self.classifier.weight,
            self.classifier.bias,
        ]


def classifier_of(head: object, dropout: float = 0.0) -> Any:
    """Return a copy of a head for participants' code.

    Parameters
    ----------
    head
        A head of the loop. One that does not show its weights gives None.
    dropout
        Share of hidden units left out in training.

    Returns
    -------
    model
        A ``torch.nn.Module`` with BaseAL's attributes if torch is installed, else an
        :class:`ArrayClassifier`; None without weights.
    """
    if not isinstance(head, HasWeights):
        return None
    arrays = [np.array(a, np.float32) for a in head.weights()]
    if importlib.util.find_spec("torch") is not None:
        return _torch_classifier(arrays, dropout)
    return ArrayClassifier(Linear(arrays[0], arrays[1]), Linear(arrays[2], arrays[3]), dropout)


def predict(head: object, x: Float32, multilabel: bool) -> Float32:
    """Return ``(n, n_labels)`` probabilities of other rows, from the weights of a head.

    They are 0.5 where the head does not show its weights.
    """
    if not isinstance(head, HasWeights):
        return np.full((len(x), 1), 0.5, np.float32)
    w1, b1, w2, b2 = head.weights()
    logits = ArrayClassifier(Linear(w1, b1), Linear(w2, b2))(x)
    if multilabel:
        return np.asarray(scipy.special.expit(logits), np.float32)
    return np.asarray(scipy.special.softmax(logits, axis=1), np.float32)


def _torch_classifier(arrays: list[Float32], dropout: float) -> Any:
    import torch

    class EmbeddingClassifier(torch.nn.Module):  # type: ignore[misc]
        """Linear, ReLU, dropout, linear."""

        def __init__(self) -> None:
            super().__init__()
            self.hidden_dim, self.input_dim = arrays[0].shape
            self.num_classes = len(arrays[2])
            self.dropout = torch.nn.Dropout(p=dropout)
            # Weights are filled in below, so no random numbers are spent on them.
            linear = partial(torch.nn.utils.skip_init, torch.nn.Linear)
            self.projection = linear(self.input_dim, self.hidden_dim)
            self.classifier = linear(self.hidden_dim, self.num_classes)

        def forward(self, x: Any, return_embedding: bool = False) -> Any:
            embedding = self.dropout(torch.relu(self.projection(x)))
            logits = self.classifier(embedding)
            return (logits, embedding) if return_embedding else logits

        def get_embedding(self, x: Any) -> Any:
            with torch.no_grad():
                return torch.relu(self.projection(x))

    model = EmbeddingClassifier()
    with torch.no_grad():
        for parameter, array in zip(
            (
                model.projection.weight,
                model.projection.bias,
                model.classifier.weight,
                model.classifier.bias,
            ),
            arrays,
            strict=True,
        ):
            parameter.copy_(torch.from_numpy(array))
    return cast(Any, model).eval()
