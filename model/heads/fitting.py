"""Fitting linear heads: multinomial logistic regression, several weightings of the same rows at once.

Minimises  sum_i w_i · log loss_i + ||W - s · names||² / (2 C)  over W (d + 1, c), where the extra row is
the bias, s is the prior weight and `names` are the vectors of the class names (or zero). So C → 0 gives
the head that compares texts with class names, and C → ∞ the one that only believes the labels. The bias
is held back too: otherwise a class without a label would be pushed away for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from model.heads.single_label import LinearHead
from model.records import Embeddings, Floats, Labels

_KEEP = 1e-9  # directions of less than this share of the largest carry nothing but rounding


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """f fitted heads: what they learned beside the prior (r, f, c), and logits (n, f, c)."""

    learned: torch.Tensor
    logits: torch.Tensor


class HeadFitter:
    """Rows to learn from, prepared once: their basis, so that many fits are quick."""

    def __init__(self, embeddings: Embeddings, labels: Labels, *, name_vectors: Floats | None) -> None:
        """Take vectors (n, d), one-hot targets (n, c) and, if there are any, class names' vectors (c, d)."""
        self._space = labels.space
        self._targets = torch.from_numpy(np.ascontiguousarray(labels.targets)).unsqueeze(1)  # (n, 1, c)
        vectors = torch.from_numpy(np.ascontiguousarray(embeddings.vectors))
        rows = torch.nn.functional.pad(vectors, (0, 1), value=1.0)  # (n, d + 1), the last is for the bias
        self._values, self._basis = _principal_basis(rows)
        self._rows = rows @ self._basis  # (n, r)
        self._names = torch.zeros(rows.shape[1], len(labels.space))  # (d + 1, c)
        if name_vectors is not None:
            self._names[:-1] = torch.from_numpy(np.ascontiguousarray(name_vectors.T))
        self._name_logits = rows @ self._names  # (n, c)

    def fit(
        self,
        sample_weights: torch.Tensor,
        *,
        prior_weights: torch.Tensor,
        inverse_regularisation: float,
        start: Fit | None = None,
        targets: torch.Tensor | None = None,
        tolerance: float = 1e-2,
        max_iterations: int = 300,
    ) -> Fit:
        """Fit f heads in one go: sample weights (n, f), prior weights (f,), targets (n, f, c) if they differ.

        L-BFGS on axes stretched by an estimate of the curvature (after the bound of Böhning, 1992), which
        needs fewer steps. Deterministic. `tolerance` bounds the largest slope, in nats.
        """
        (directions, classes), heads = (len(self._values), self._targets.shape[2]), sample_weights.shape[1]
        held_back = 1.0 / inverse_regularisation
        stretch = torch.rsqrt(self._values / (4.0 * classes) + held_back)  # (r,)
        rows = self._rows * stretch
        offset = self._name_logits.unsqueeze(1) * prior_weights.view(1, heads, 1)  # (n, f, c)
        penalty = (stretch.square() * held_back).view(-1, 1, 1)
        unknown = torch.zeros(directions, heads, classes)
        if start is not None:
            unknown = start.learned / stretch.view(-1, 1, 1)
        unknown = unknown.contiguous().requires_grad_()
        objective = _Objective(
            rows, self._targets if targets is None else targets, offset, sample_weights, penalty
        )
        _minimise(unknown, objective, tolerance=tolerance, max_iterations=max_iterations)
        found = unknown.detach()
        return Fit(found * stretch.view(-1, 1, 1), objective.logits(found))

    def translate(self, fit: Fit, other: HeadFitter) -> Fit:
        """A fit of another fitter of the same dimensions as a place for this one to start from."""
        learned = torch.einsum("dr,ds,sfc->rfc", self._basis, other._basis, fit.learned)
        return Fit(learned, fit.logits)

    def head(self, fit: Fit, *, which: int, prior_weight: float, temperature: float) -> LinearHead:
        """Head number `which` of a fit, in the dimensions of the embeddings."""
        weights = (self._basis @ fit.learned[:, which] + prior_weight * self._names).numpy()  # (d + 1, c)
        return LinearHead(np.ascontiguousarray(weights[:-1]), weights[-1].copy(), temperature, self._space)


def fit_head(
    embeddings: Embeddings,
    labels: Labels,
    *,
    inverse_regularisation: float,
    sample_weights: Floats | None = None,
    name_vectors: Floats | None = None,
    prior_weight: float = 0.0,
) -> LinearHead:
    """One head from labelled rows, of temperature 1; sample weights (n,) are 1 by default."""
    fitter = HeadFitter(embeddings, labels, name_vectors=name_vectors)
    if sample_weights is None:
        sample_weights = np.ones(len(labels), dtype=np.float32)
    fit = fitter.fit(
        torch.from_numpy(sample_weights).float().view(-1, 1),
        prior_weights=torch.tensor([prior_weight]),
        inverse_regularisation=inverse_regularisation,
        tolerance=1e-3,
    )
    return fitter.head(fit, which=0, prior_weight=prior_weight, temperature=1.0)


class _Objective:
    """The loss of f heads and its slope, on stretched axes."""

    def __init__(
        self,
        rows: torch.Tensor,
        targets: torch.Tensor,
        offset: torch.Tensor,
        sample_weights: torch.Tensor,
        penalty: torch.Tensor,
    ) -> None:
        self._rows, self._offset, self._penalty = rows, offset, penalty
        self._targets = targets  # (n, 1, c) or (n, f, c)
        self._weights = sample_weights.unsqueeze(2)  # (n, f, 1)

    def logits(self, unknown: torch.Tensor) -> torch.Tensor:
        """(n, f, c), from one product for all heads."""
        return (self._rows @ unknown.flatten(1)).view(self._offset.shape) + self._offset

    def __call__(self, unknown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss in nats and its slope (r, f, c)."""
        log_p = torch.log_softmax(self.logits(unknown), dim=2)
        loss = -(self._weights * self._targets * log_p).sum() + 0.5 * (self._penalty * unknown.square()).sum()
        error = log_p.exp_().sub_(self._targets).mul_(self._weights)
        slope = (self._rows.T @ error.flatten(1)).view(unknown.shape) + self._penalty * unknown
        return loss, slope


def _minimise(unknown: torch.Tensor, objective: _Objective, *, tolerance: float, max_iterations: int) -> None:
    optimiser = torch.optim.LBFGS(
        [unknown],
        max_iter=max_iterations,
        max_eval=2 * max_iterations,
        tolerance_grad=tolerance,
        tolerance_change=0.0,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    def evaluate() -> torch.Tensor:
        with torch.no_grad():  # the slope is known in closed form
            loss, unknown.grad = objective(unknown)
        return loss

    optimiser.step(evaluate)  # type: ignore[no-untyped-call]
    if not torch.isfinite(unknown).all():
        raise ValueError("fit_head: the weights are not finite; look for embeddings that are not finite")


def _principal_basis(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Squared lengths (r,) and directions (d, r) of the space that rows (n, d) span; r is at most n and d."""
    precise = rows.double()
    count, width = precise.shape
    gram = precise @ precise.T if count < width else precise.T @ precise
    values, vectors = torch.linalg.eigh(gram)
    keep = values > _KEEP * values[-1]
    values, vectors = values[keep], vectors[:, keep]
    if count < width:
        vectors = precise.T @ vectors / values.sqrt()
    return values.float(), vectors.float()
