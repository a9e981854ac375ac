"""One solver for many logistic regressions on the same rows.

All labels share the design matrix, so each iteration is two matrix products for all of them, and
one Gram matrix preconditions them all. The pieces:

- limited-memory BFGS (Nocedal and Wright 2006, algorithm 7.4), one history for each label, kept
  as stacked arrays;
- as its initial inverse Hessian, Böhning's (1992) bound ``alpha X'X + l2 I`` with ``alpha`` the
  label's mean curvature at the present point in place of the bound's 1/4. ``alpha`` is rounded to
  a power of 16, so that a few Cholesky factors serve all labels and iterations;
- a Newton line search along each label's direction; it needs no further matrix product;
- with fewer rows than columns, the solution lies in the span of the rows (the L2 penalty is
  rotation invariant), so the problem is solved there after one thin QR.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve, qr

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_HISTORY = 10
_LINE_STEPS = 12
# The line search ends when the slope has fallen to this share of the slope at its start.
_LINE_TOLERANCE = 0.1
_REFRESH = 20


@dataclass(frozen=True, slots=True)
class Solution:
    """Weights of the labels that were solved.

    Parameters
    ----------
    weight, bias
        ``(n_labels, dim)`` and ``(n_labels,)`` float64, for the design's columns.
    converged
        ``(n_labels,)`` bool: the gradient fell below the tolerance.
    iterations
        Iterations run.
    """

    weight: Float64
    bias: Float64
    converged: Bool
    iterations: int


@dataclass(slots=True)
class _State:
    """All arrays of the labels still being solved; the first axis is the label."""

    index: npt.NDArray[np.intp]
    target: Float32
    cost: Float32
    total: Float64
    weight: Float64
    bias: Float64
    logit: Float32
    steps: Float64
    changes: Float64
    gradient: Float64

    def keep(self, chosen: Bool) -> None:
        """Drop the labels that are not chosen."""
        for name in ("index", "target", "cost", "total", "weight", "bias", "logit", "gradient"):
            setattr(self, name, getattr(self, name)[chosen])
        self.steps = self.steps[:, chosen]
        self.changes = self.changes[:, chosen]


class LogisticProblem:
    """Rows ready for fits with several strengths of L2.

    Parameters
    ----------
    X
        ``(n, dim)`` float32, columns centred and of comparable scale.
    """

    def __init__(self, X: Float32) -> None:
        self._rows, self._basis = X, None
        if len(X) < X.shape[1]:
            basis, triangle = qr(X.T, mode="economic", check_finite=False, overwrite_a=False)
            self._basis = basis
            self._rows = np.ascontiguousarray(triangle.T)
        self._gram: Float32 = self._rows.T @ self._rows
        # An upper bound of the largest eigenvalue, for the diagonal that rounding asks for.
        self._largest = float(np.linalg.norm(self._gram.astype(np.float64)))

    def solve(
        self,
        target: Float32,
        cost: Float32,
        l2: float,
        *,
        tol: float,
        max_iter: int,
        start: Solution | None = None,
    ) -> Solution:
        """Minimise ``sum_i cost_i loss(y_i, x_i w + b) + l2/2 |w|^2`` for each label.

        Parameters
        ----------
        target
            ``(n_labels, n)`` float32, 0 or 1 (any finite number where the cost is 0).
        cost
            ``(n_labels, n)`` float32, at least 0; each label needs a positive and a negative of
            cost above 0, else it has no finite minimum.
        tol
            A label is solved when the largest entry of its gradient, divided by its total cost,
            is at most this (scikit-learn's criterion).
        start
            A solution for other strengths to start from.
        """
        labels = len(target)
        factors = _Factors(self._gram, self._largest, l2)
        total = cost.sum(axis=1, dtype=np.float64)
        if start is None:
            share = np.einsum("ln,ln->l", cost, target).astype(np.float64) / total
            weight, bias = np.zeros((labels, self._rows.shape[1])), np.log(share / (1.0 - share))
        else:
            weight, bias = self._to_span(start.weight), start.bias.copy()
        size = self._rows.shape[1] + 1
        state = _State(
            index=np.arange(labels),
            target=target,
            cost=cost,
            total=total,
            weight=weight,
            bias=bias,
            logit=self._logits(weight, bias),
            steps=np.empty((0, labels, size)),
            changes=np.empty((0, labels, size)),
            gradient=np.empty((labels, size)),
        )
        done = Solution(weight.copy(), bias.copy(), np.zeros(labels, dtype=bool), 0)
        step = None
        for iteration in range(max_iter + 1):
            if iteration and iteration % _REFRESH == 0:
                # The logits are moved by steps; this keeps their rounding errors from adding up.
                state.logit = self._logits(state.weight, state.bias)
            probability = _sigmoid(state.logit)
            gradient = self._gradient(state, probability, l2)
            if step is not None:
                state.steps = np.concatenate([state.steps[-_HISTORY + 1 :], step[None]])
                change = gradient - state.gradient
                state.changes = np.concatenate([state.changes[-_HISTORY + 1 :], change[None]])
            state.gradient = gradient
            solved = np.abs(gradient).max(axis=1) <= tol * state.total
            done.weight[state.index] = state.weight
            done.bias[state.index] = state.bias
            done.converged[state.index] = solved
            if solved.all() or iteration == max_iter:
                break
            if solved.any():
                state.keep(~solved)
                probability = probability[~solved]
            curvature = state.cost * probability * (1.0 - probability)
            direction = _direction(state, curvature, factors)
            step = self._step(state, direction, l2)
            state.weight += step[:, :-1]
            state.bias += step[:, -1]
        return replace(done, weight=self._from_span(done.weight), iterations=iteration)

    def _logits(self, weight: Float64, bias: Float64) -> Float32:
        # This order and a copy take a quarter less time than the product the other way round.
        product: Float32 = np.ascontiguousarray((self._rows @ weight.astype(np.float32).T).T)
        product += bias.astype(np.float32)[:, None]
        return product

    def _gradient(self, state: _State, probability: Float32, l2: float) -> Float64:
        residual = state.cost * (probability - state.target)
        gradient = np.empty((len(residual), self._rows.shape[1] + 1))
        gradient[:, :-1] = residual @ self._rows
        gradient[:, :-1] += l2 * state.weight
        gradient[:, -1] = residual.sum(axis=1, dtype=np.float64)
        return gradient

    def _step(self, state: _State, direction: Float64, l2: float) -> Float64:
        """Return the step along each direction, and move the logits by it."""
        along = self._logits(direction[:, :-1], direction[:, -1])
        linear = l2 * np.einsum("ld,ld->l", state.weight, direction[:, :-1])
        square = l2 * np.einsum("ld,ld->l", direction[:, :-1], direction[:, :-1])
        weighted = state.cost * along
        weighted_square = weighted * along
        slope_0 = np.einsum("ld,ld->l", state.gradient, direction)
        length = np.ones(len(along))
        low, high = np.zeros(len(along)), np.full(len(along), np.inf)
        for _ in range(_LINE_STEPS):
            p = _sigmoid(state.logit + length.astype(np.float32)[:, None] * along)
            slope = np.einsum("ln,ln->l", weighted, p - state.target) + linear + length * square
            open_ = np.abs(slope) > _LINE_TOLERANCE * np.abs(slope_0)
            if not open_.any():
                break
            p *= 1.0 - p
            bend = np.einsum("ln,ln->l", weighted_square, p) + square
            low = np.where(slope < 0, length, low)
            high = np.where(slope >= 0, length, high)
            newton = length - slope / np.maximum(bend, 1e-30)
            inside = np.where(np.isinf(high), 4.0 * length, 0.5 * (low + high))
            good = (newton > low) & (newton < np.minimum(high, 10.0 * length))
            length = np.where(open_, np.where(good, newton, inside), length)
        state.logit = state.logit + length.astype(np.float32)[:, None] * along
        return length[:, None] * direction

    def _to_span(self, weight: Float64) -> Float64:
        return weight.copy() if self._basis is None else weight @ self._basis

    def _from_span(self, weight: Float64) -> Float64:
        return weight if self._basis is None else weight @ self._basis.T


class _Factors:
    """Cholesky factors of ``alpha G + l2 I`` for ``alpha`` in powers of 16, made when needed."""

    def __init__(self, gram: Float32, largest: float, l2: float) -> None:
        self._gram, self._largest, self._l2 = gram, largest, l2
        self._made: dict[int, tuple[Float32, bool]] = {}

    def solve(self, alpha: Float64, right: Float64) -> Float64:
        """Return ``(alpha_l G + l2 I)^-1 right_l`` for each row of ``right``, about."""
        # Below the ridge the data say nothing, so smaller values need no factors of their own.
        alpha = np.maximum(alpha, 0.25 * self._l2 / max(self._largest, 1e-30))
        exponents = np.round(0.25 * np.log2(alpha)).astype(int)
        out = np.empty_like(right)
        for exponent in np.unique(exponents):
            chosen = exponents == exponent
            factor = self._factor(int(exponent))
            out[chosen] = cho_solve(
                factor, right[chosen].T.astype(np.float32), check_finite=False
            ).T
        return out

    def _factor(self, exponent: int) -> tuple[Float32, bool]:
        if exponent not in self._made:
            scale = 16.0**exponent
            extra = 1e-6
            while True:
                matrix = self._gram * np.float32(scale)
                ridge = max(self._l2, extra * scale * self._largest, 1e-30)
                matrix.flat[:: len(matrix) + 1] += np.float32(ridge)
                try:
                    made = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
                except LinAlgError:
                    extra *= 10.0
                else:
                    break
            self._made[exponent] = made
        return self._made[exponent]


def _direction(state: _State, curvature: Float32, factors: _Factors) -> Float64:
    """Two-loop recursion for all labels; a label whose history is useless gets ``-H0 g``."""
    q = state.gradient.copy()
    kept: list[tuple[Float64, Float64]] = []
    for step, change in zip(state.steps[::-1], state.changes[::-1], strict=True):
        product = np.einsum("ld,ld->l", step, change)
        usable = (
            product
            > 1e-12
            * np.einsum("ld,ld->l", change, change) ** 0.5
            * np.einsum("ld,ld->l", step, step) ** 0.5
        )
        rho = np.where(usable, 1.0 / np.where(usable, product, 1.0), 0.0)
        a = rho * np.einsum("ld,ld->l", step, q)
        q -= a[:, None] * change
        kept.append((rho, a))
    total = curvature.sum(axis=1, dtype=np.float64)
    q[:, :-1] = factors.solve(total / curvature.shape[1], q[:, :-1])
    q[:, -1] /= np.maximum(total, 1e-8 * state.total)
    for step, change, (rho, a) in zip(state.steps, state.changes, reversed(kept), strict=True):
        b = rho * np.einsum("ld,ld->l", change, q)
        q += step * (a - b)[:, None]
    direction = -q
    uphill = np.einsum("ld,ld->l", direction, state.gradient) >= 0
    direction[uphill] = -state.gradient[uphill] / state.total[uphill, None]
    return direction


def _sigmoid(x: Float32) -> Float32:
    """``1 / (1 + exp(-x))`` through tanh, which NumPy vectorises and which never overflows."""
    out: Float32 = np.tanh(np.float32(0.5) * x)
    out += np.float32(1.0)
    out *= np.float32(0.5)
    return out
