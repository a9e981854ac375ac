"""What every head offers, and what heads share: checks, class weights, labels without a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
ClassWeight = Literal["balanced"] | None


class Head(Protocol):
    """Embeddings in, one logit for each label out; small enough to train in seconds."""

    kind: ClassVar[str]
    """Short name that a saved detector gives, as in ``linear``."""

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        ...

    @property
    def dim(self) -> int:
        """Length of the embeddings that it takes."""
        ...

    @property
    def untrained(self) -> Mapping[int, str]:
        """Columns that could not be learnt, each with the reason; their logit is constant."""
        ...

    def untrained_reasons(self, labels: Sequence[str]) -> dict[str, str]:
        """Return :attr:`untrained` by label name."""
        ...

    def logits(self, X: Float32) -> Float32:
        """Return ``(n, n_labels)`` float32 logits of ``(n, dim)`` embeddings.

        Raises
        ------
        UserError
            If the embeddings have another length.
        """
        ...

    def to_tensors(self) -> dict[str, Float32]:
        """Return all that is needed to build the head again, as named float32 arrays."""
        ...

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Float32], untrained: Mapping[int, str] | None = None
    ) -> Self:
        """Build the head from :meth:`to_tensors`.

        Raises
        ------
        ValueError
            If a tensor is missing, of the wrong shape, or not finite.
        """
        ...


def check_embeddings(X: npt.ArrayLike, dim: int) -> Float32:
    """Return ``X`` as ``(n, dim)`` float32.

    Raises
    ------
    UserError
        If the shape does not fit.
    """
    array: Float32 = np.asarray(X, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != dim:
        raise UserError(
            f"The head takes embeddings of length {dim}, but got an array of shape {array.shape}. "
            "Use the encoder that it was trained with."
        )
    return array


def check_training_data(X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Float32, Float32]:
    """Return embeddings and labels as float32, checked.

    Parameters
    ----------
    X
        ``(n, dim)``, finite.
    Y
        ``(n, n_labels)``: 1 present, 0 absent, NaN unknown.

    Raises
    ------
    UserError
        If shapes do not fit, there is nothing in them, a label is another number, or an
        embedding is not finite; the message names the first bad row.
    """
    x: Float32 = np.asarray(X, dtype=np.float32)
    y: Float32 = np.asarray(Y, dtype=np.float32)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or 0 in x.shape or 0 in y.shape:
        raise UserError(
            f"Training needs (n, dim) embeddings and (n, labels) labels with n, dim and labels of "
            f"at least 1, but got shapes {x.shape} and {y.shape}."
        )
    odd = ~(np.isnan(y) | (y == 0.0) | (y == 1.0))
    if odd.any():
        row, column = np.argwhere(odd)[0]
        raise UserError(
            f"Label {column} of row {row} is {y[row, column]:g}. Labels are 1 (present), 0 "
            "(absent) or NaN (unknown)."
        )
    # The sum of a row with NaN or infinity is not finite, and costs no copy.
    bad = np.flatnonzero(~np.isfinite(x.sum(axis=1, dtype=np.float64)))
    if len(bad):
        raise UserError(
            f"{len(bad)} embeddings hold NaN or infinity; the first is row {bad[0]}. Embed those "
            "recordings again."
        )
    return x, y


def entry_weights(
    Y: Float32, class_weight: ClassWeight, sample_weight: npt.ArrayLike | None = None
) -> Float32:
    """Return the weight of each entry in the loss, ``(n_labels, n)`` float32, 0 where unknown.

    Parameters
    ----------
    Y
        ``(n, n_labels)``: 1, 0 or NaN.
    class_weight
        ``"balanced"``: positives and negatives of a label weigh half of its known entries each
        (King and Zeng 2001; the same as scikit-learn's ``class_weight="balanced"``).
    sample_weight
        ``(n,)``, at least 0.

    Raises
    ------
    UserError
        If the sample weights have another length, or one is negative or not finite.
    """
    known = ~np.isnan(Y.T)
    weight: Float32 = known.astype(np.float32)
    if sample_weight is not None:
        given = np.asarray(sample_weight, dtype=np.float32)
        if given.shape != (len(Y),) or not np.isfinite(given).all() or (given < 0).any():
            raise UserError(
                f"Sample weights must be {len(Y)} finite numbers of at least 0, one for each row."
            )
        weight *= given
    if class_weight == "balanced":
        positive = Y.T == 1.0
        total = weight.sum(axis=1, dtype=np.float64)
        of_positives = (weight * positive).sum(axis=1, dtype=np.float64)
        of_negatives = total - of_positives
        with np.errstate(divide="ignore", invalid="ignore"):
            factors = np.stack([total / (2.0 * of_negatives), total / (2.0 * of_positives)])
        factors = np.where(np.isfinite(factors), factors, 0.0).astype(np.float32)
        weight *= np.where(positive, factors[1][:, None], factors[0][:, None])
    elif class_weight is not None:
        raise UserError(f"class_weight is {class_weight!r}; it must be 'balanced' or None.")
    return weight


def untrainable(Y: Float32, weight: Float32) -> tuple[dict[int, str], Float64]:
    """Find labels that cannot be learnt, and the constant logit each gets.

    A label without positives or without negatives (of weight above 0) has no fit. Its logit is
    that of the share of positives smoothed by Jeffreys' prior, ``(k + 1/2) / (n + 1)``.

    Parameters
    ----------
    Y
        ``(n, n_labels)``.
    weight
        ``(n_labels, n)`` from :func:`entry_weights`.

    Returns
    -------
    reasons
        Column -> reason.
    prior
        ``(n_labels,)`` log-odds of the smoothed share of positives, for all labels.
    """
    used = weight > 0
    positives = (used & (Y.T == 1.0)).sum(axis=1)
    negatives = (used & (Y.T == 0.0)).sum(axis=1)
    reasons: dict[int, str] = {}
    for column, (k, m) in enumerate(zip(positives.tolist(), negatives.tolist(), strict=True)):
        if k == 0 and m == 0:
            reasons[column] = "no window is labelled for it"
        elif k == 0:
            reasons[column] = f"no positive window among {m} labelled ones"
        elif m == 0:
            reasons[column] = f"no negative window among {k} labelled ones; say where it is absent"
    return reasons, np.log((positives + 0.5) / (negatives + 0.5))


def standardisation(X: Float32) -> tuple[Float32, Float32]:
    """Return mean and standard deviation of the columns, ``(dim,)`` float32 each.

    A column whose deviation is no more than the rounding error of its values counts as constant
    and gets the scale 1, so that it is centred to zero and never blown up.
    """
    mean = X.mean(axis=0, dtype=np.float64)
    centre = mean.astype(np.float32)
    squares = np.zeros(X.shape[1])
    largest = np.abs(mean)
    # A second pass over centred values, by blocks: sums of raw squares would cancel in float32.
    for begin in range(0, len(X), 1024):
        block = X[begin : begin + 1024] - centre
        squares += np.einsum("ij,ij->j", block, block)
        np.maximum(largest, np.abs(X[begin : begin + 1024]).max(axis=0), out=largest)
    scale = np.sqrt(squares / len(X))
    scale[scale <= 1e-6 * largest] = 1.0
    return mean.astype(np.float32), scale.astype(np.float32)


def require(tensors: Mapping[str, Float32], name: str, shape: tuple[int | None, ...]) -> Float32:
    """Return a finite float32 tensor of the given shape (None: any length, at least 1).

    Raises
    ------
    ValueError
        If it is missing, of another shape, or holds NaN or infinity.
    """
    if name not in tensors:
        raise ValueError(f"the tensor {name!r} is missing")
    tensor = np.asarray(tensors[name])
    fits = tensor.ndim == len(shape) and all(
        have >= 1 and (want is None or have == want)
        for have, want in zip(tensor.shape, shape, strict=True)
    )
    if not fits or tensor.dtype != np.float32:
        wanted = "x".join("n" if n is None else str(n) for n in shape)
        raise ValueError(
            f"the tensor {name!r} is {tensor.dtype} of shape {tensor.shape}; "
            f"float32 of shape {wanted} was expected"
        )
    if not np.isfinite(tensor).all():
        raise ValueError(f"the tensor {name!r} holds NaN or infinity")
    return tensor


def name_reasons(untrained: Mapping[int, str], labels: Sequence[str]) -> dict[str, str]:
    """Return reasons by label name in place of column."""
    return {labels[column]: reason for column, reason in untrained.items()}
