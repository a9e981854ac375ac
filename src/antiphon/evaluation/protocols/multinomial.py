"""Multinomial logistic regression with L2: a whole path of strengths on the same rows.

One limited-memory BFGS (Nocedal and Wright 2006, algorithm 7.4) over all classes. Its initial
inverse Hessian is that of Böhning's (1992, Ann. Inst. Stat. Math. 44: 197-200) bound: the Hessian
of the loss is at most ``1/2 (I - 11'/K) (x) X'X``. The 1/2 is replaced by the mean curvature at
the start of each strength, and ``X'X`` by its leading directions and a multiple of the identity, so
that one small decomposition serves all classes, strengths and iterations. With fewer rows than
columns the solution lies in the span of the rows, since the penalty is rotation invariant, and is
found there after one thin QR. A step costs one product of the design with the direction, and each
try of its length none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import qr

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_HISTORY = 10
_LINE_STEPS = 20
# Sufficient decrease and curvature (Nocedal and Wright 2006, equation 3.6).
_DECREASE, _CURVATURE = 1e-4, 0.5
# Directions in which the curvature is known; the others share its mean.
_DIRECTIONS = 128


@dataclass(frozen=True, slots=True)
class Solution:
    """Weights at one strength.

    Parameters
    ----------
    weight, bias
        ``(K, dim)`` and ``(K,)`` float32; each column of the weights sums to 0 over the classes.
    converged
        Whether the gradient fell below the tolerance.
    iterations
        Steps taken.
    """

    weight: Float32
    bias: Float32
    converged: bool
    iterations: int


class MultinomialProblem:
    """Rows and labels ready for fits with several strengths of L2.

    Parameters
    ----------
    x
        ``(n, dim)`` float32, columns centred and of comparable scale.
    labels
        ``(n,)`` int64, 0 to ``n_classes - 1``; a class without rows is never predicted first,
        its bias falls as far as the tolerance lets it.
    n_classes
        K, at least 2.

    Attributes
    ----------
    state
        Where the next solve starts; set it to an earlier value to go back there.
    """

    def __init__(self, x: Float32, labels: Int64, n_classes: int) -> None:
        self._rows, self._basis = x, None
        if len(x) < x.shape[1]:
            basis, triangle = qr(x.T, mode="economic", check_finite=False)
            self._basis, self._rows = basis, np.ascontiguousarray(triangle.T)
        self._labels, self._k = labels, n_classes
        self._at = np.arange(len(x))
        self._curvature = _Curvature(self._rows)
        self.state = self._start()

    def _start(self) -> tuple[Float64, Float32]:
        n, d = self._rows.shape
        counts = np.bincount(self._labels, minlength=self._k)
        theta = np.zeros((self._k, d + 1))
        theta[:, -1] = np.log((counts + 0.5) / (n + 0.5 * self._k))
        theta[:, -1] -= theta[:, -1].mean()
        return theta, self._logits(theta)

    def solve(self, l2: float, *, tol: float = 1e-4, max_iter: int = 200) -> Solution:
        """Minimise ``sum_i -log p(y_i | x_i) + l2/2 |W|^2`` from where the last solve ended.

        Parameters
        ----------
        l2
            Above 0; ``1 / C`` of scikit-learn from three classes on, ``2 / C`` with two, where
            it has one weight vector for both. The biases are free.
        tol
            The largest entry of the gradient, divided by the number of rows, at the end.
        """
        theta, logits = self.state
        n = len(self._rows)
        value, gradient, probability = self._evaluate(theta, logits, l2)
        apply = self._preconditioner(probability, l2)
        history: list[tuple[Float32, Float32, float]] = []
        iteration, converged = 0, False
        while True:
            converged = float(np.abs(gradient).max()) <= tol * n
            if converged or iteration == max_iter:
                break
            direction = -_two_loop(gradient, history, apply)
            slope = float(np.vdot(direction, gradient))
            if slope >= 0:
                history.clear()
                direction = -apply(gradient.astype(np.float32)).astype(np.float64)
                slope = float(np.vdot(direction, gradient))
            found = self._line(theta, logits, direction, value, slope, l2)
            if found is None:
                if not history:
                    # No step lowers the loss beyond rounding: this is the minimum in float32.
                    break
                history.clear()
                continue
            length, logits, value, after = found
            step = length * direction
            theta = theta + step
            change = after - gradient
            product = float(np.vdot(step, change))
            if product > 1e-12 * float(np.linalg.norm(step) * np.linalg.norm(change)):
                history.append((step.astype(np.float32), change.astype(np.float32), 1.0 / product))
                del history[:-_HISTORY]
            gradient = after
            iteration += 1
            if iteration % 20 == 0:
                # Logits are moved by steps; this keeps their rounding from adding up.
                logits = self._logits(theta)
        self.state = theta, logits
        weight = theta[:, :-1].astype(np.float32)
        if self._basis is not None:
            weight = np.matmul(weight, self._basis.T, dtype=np.float32)
        return Solution(weight, theta[:, -1].astype(np.float32), converged, iteration)

    def _logits(self, theta: Float64) -> Float32:
        out: Float32 = np.matmul(self._rows, theta[:, :-1].T.astype(np.float32))
        out += theta[:, -1].astype(np.float32)
        return out

    def _loss(self, logits: Float32) -> tuple[float, Float32]:
        top = logits.max(axis=1)
        probability = np.exp(logits - top[:, None])
        total = probability.sum(axis=1)
        own = logits[self._at, self._labels] - top
        value = float((np.log(total) - own).sum(dtype=np.float64))
        probability /= total[:, None]
        return value, probability

    def _evaluate(
        self, theta: Float64, logits: Float32, l2: float
    ) -> tuple[float, Float64, Float32]:
        value, probability = self._loss(logits)
        square = float(np.vdot(theta[:, :-1], theta[:, :-1]))
        return value + 0.5 * l2 * square, self._gradient(theta, probability, l2), probability

    def _gradient(self, theta: Float64, probability: Float32, l2: float) -> Float64:
        residual = probability.copy()
        residual[self._at, self._labels] -= 1.0
        gradient = np.empty_like(theta)
        gradient[:, :-1] = residual.T @ self._rows
        gradient[:, :-1] += l2 * theta[:, :-1]
        gradient[:, -1] = residual.sum(axis=0, dtype=np.float64)
        return gradient

    def _line(
        self,
        theta: Float64,
        logits: Float32,
        direction: Float64,
        value: float,
        slope: float,
        l2: float,
    ) -> tuple[float, Float32, float, Float64] | None:
        """Return a length that meets the Wolfe conditions: length, logits, loss, gradient.

        The slope along the line needs the probabilities alone, so the gradient is computed once,
        at the end.
        """
        along = self._logits(direction)
        own_along = float(along[self._at, self._labels].sum(dtype=np.float64))
        weight, move = theta[:, :-1], direction[:, :-1]
        square = float(np.vdot(weight, weight))
        cross, across = float(np.vdot(weight, move)), float(np.vdot(move, move))
        low, high, length = 0.0, np.inf, 1.0
        for _ in range(_LINE_STEPS):
            moved = logits + np.float32(length) * along
            loss, probability = self._loss(moved)
            loss += 0.5 * l2 * (square + length * (2.0 * cross + length * across))
            now = float(np.vdot(probability, along)) - own_along + l2 * (cross + length * across)
            # The slope decides where differences of the loss drown in rounding.
            rounding = 1e-6 * abs(value)
            if loss > value + _DECREASE * length * slope + rounding or now > -_CURVATURE * slope:
                high = length
            elif now < _CURVATURE * slope:
                low = length
            else:
                return (
                    length,
                    moved,
                    loss,
                    self._gradient(theta + length * direction, probability, l2),
                )
            # The secant through the slopes at 0 and here, kept inside the bracket.
            guess = length * slope / (slope - now) if slope != now else np.nan
            if np.isinf(high):
                length = min(max(guess, 1.5 * length), 5.0 * length) if guess > low else 3 * length
            else:
                width = high - low
                inside = low + 0.1 * width < guess < high - 0.1 * width
                length = guess if inside else 0.5 * (low + high)
        return None

    def _preconditioner(self, probability: Float32, l2: float) -> _Preconditioner:
        # Mean over rows and classes of p (1 - p), the diagonal of the softmax's Hessian.
        alpha = float((probability * (1.0 - probability)).mean(dtype=np.float64))
        return _Preconditioner(self._curvature, max(1e-6, alpha), l2, len(self._rows))


class _Curvature:
    """``X'X``, about: its leading directions, and one mean eigenvalue for all others.

    The directions are found by subspace iteration (Halko, Martinsson and Tropp 2011, algorithm
    4.4), at the cost of a few products.
    """

    def __init__(self, x: Float32) -> None:
        dim = x.shape[1]
        p = min(_DIRECTIONS, dim)
        q = np.random.default_rng(0).standard_normal((dim, p), np.float32)
        for _ in range(2):
            q = np.linalg.qr(x.T @ (x @ q))[0]
        inside = x @ q
        self.values, turn = np.linalg.eigh(inside.T @ inside)
        self.directions: Float32 = np.matmul(q, turn)
        left = float(np.einsum("ij,ij->", x, x, dtype=np.float64)) - float(self.values.sum())
        self.rest = max(0.0, left) / max(1, dim - p)


class _Preconditioner:
    """``(alpha X'X + l2 I)^-1`` on the weights of each class, ``1 / (alpha n)`` on biases."""

    def __init__(self, curvature: _Curvature, alpha: float, l2: float, n: int) -> None:
        self._directions = curvature.directions
        rest = 1.0 / (alpha * curvature.rest + l2)
        self._rest = np.float32(rest)
        leading = 1.0 / (alpha * np.maximum(curvature.values, 0.0) + l2)
        self._leading = (leading - rest).astype(np.float32)
        self._bias = np.float32(1.0 / (alpha * n))

    def __call__(self, gradient: Float32) -> Float32:
        out = np.empty_like(gradient)
        weights = gradient[:, :-1]
        inside = weights @ self._directions
        inside *= self._leading
        np.matmul(inside, self._directions.T, out=out[:, :-1])
        out[:, :-1] += self._rest * weights
        out[:, -1] = self._bias * gradient[:, -1]
        return out


def _two_loop(
    gradient: Float64, history: list[tuple[Float32, Float32, float]], apply: _Preconditioner
) -> Float64:
    """Return the inverse Hessian times the gradient, about; a direction needs no more digits."""
    q = gradient.astype(np.float32)
    work = np.empty_like(q)
    kept = []
    for step, change, rho in reversed(history):
        a = rho * float(np.vdot(step, q))
        q -= np.multiply(change, np.float32(a), out=work)
        kept.append(a)
    out = apply(q)
    for (step, change, rho), a in zip(history, reversed(kept), strict=True):
        b = rho * float(np.vdot(change, out))
        out += np.multiply(step, np.float32(a - b), out=work)
    return out.astype(np.float64)
