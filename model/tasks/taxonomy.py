"""The learner of a taxonomy: paths in a tree of labels, one or several an item, as deep as it is sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.heads.single_label import NAME_SCALE
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.task_type import OUT_OF_FOLD, Beliefs, Figure, Head, Tensors, Trained
from model.tasks.f1_interval import Triple, micro_f1, micro_f1_interval, subset_accuracy_interval
from model.tasks.label_calibration import fit_power, label_calibration_error
from model.tasks.label_folds import assign_label_folds
from model.tasks.path_fits import fit_paths, shared_nodes
from model.tasks.path_links import ONE_PATH, SEVERAL_PATHS
from model.tasks.paths import Tree, tree_of
from model.tasks.rows import order_by_id, require_blind, require_trainable
from model.tasks.taxonomy_head import Depth, Ends, TaxonomyHead, load_head, names_head, scaled

INVERSE_REGULARISATION = 10.0
_THRESHOLDS = tuple(step / 20.0 for step in range(2, 13))  # .1 to .6
_USUAL, _CAUTION = 0.3, 20.0  # as if so many rows had asked for the usual threshold
_CLEARLY = 2.0  # nats by which heads without names must foresee the answers better, to be taken


class Taxonomy:
    """Logistic regression over the ends of paths, calibrated; a node is as likely as the ends below it.

    Columns are nodes, named by `model.tasks.paths.join_path`; answers are the nodes where paths end. Where
    every answer has one path, chances of ends sum to 1. Everything that is chosen is chosen out of fold.
    Raises as `Learner` says.
    """

    kind = "taxonomy"

    def cold_start(self, names: Floats | None, space: LabelSpace) -> Trained | None:
        """The head of the paths' names; None without them. It has no beliefs out of fold."""
        if names is None:
            return None
        head = names_head(names, space)
        nothing = Embeddings(np.zeros(0, np.int64), np.zeros((0, names.shape[1]), np.float32), "")
        return Trained(head, head.believe(nothing, OUT_OF_FOLD), {})

    def train(
        self,
        items: Embeddings,
        labels: Labels,
        *,
        names: Floats | None,
        audit: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Trained:
        """A head from one label on. All rows choose depth and calibration, audit rows among them."""
        _require(items, labels, names, audit)
        there, back = order_by_id(items)
        tree = tree_of(labels.space)
        deepest = tree.ends(tree.close(labels.targets[there]))
        is_one = bool((deepest.sum(axis=1) == 1).all())
        columns = np.flatnonzero(tree.leaves | deepest.any(axis=0))
        ends = Ends(columns, tree, ONE_PATH if is_one else SEVERAL_PATHS)
        vectors = np.ascontiguousarray(items.vectors[there], dtype=np.float32)
        folds = assign_label_folds(deepest[:, columns], rng)
        found = _fit(vectors, deepest, folds, ends, None)
        if names is not None:
            named = _fit(vectors, deepest, folds, ends, names[columns])
            found = named if named.loss < found.loss + _CLEARLY else found
        depth = _choose_depth(found.chances, deepest, ends)
        weights, bias = np.ascontiguousarray(found.weights[:-1]), found.weights[-1].copy()
        head = TaxonomyHead(weights, bias, found.slope, found.shift, ends, depth, labels.space)
        out_of_fold = ends.beliefs(items.ids[there], found.chances, depth, OUT_OF_FOLD)
        return Trained(head, out_of_fold.take(back), _measure(out_of_fold, deepest, tree) | found.metrics)

    def load(self, tensors: Tensors, space: LabelSpace) -> Head:
        """The head that gave these tensors; raises ValueError or KeyError where they are not its own."""
        return load_head(tensors, space)

    def agree(self, given: Floats, answers: Floats) -> Floats:
        """Ends in both over ends in either (Jaccard, 1912), (n,); two empty answers agree fully."""
        if given.shape != answers.shape:
            raise ValueError(f"agree: answers {given.shape} and {answers.shape}")
        union = ((given > 0) | (answers > 0)).sum(axis=1)
        shared = ((given > 0) & (answers > 0)).sum(axis=1) / np.maximum(union, 1)
        return np.where(union > 0, shared, 1.0).astype(np.float32)

    def figures(
        self, labels: Labels, out_of_fold: Beliefs, *, blind: NDArray[np.bool_], rng: np.random.Generator
    ) -> Sequence[Figure]:
        """Hierarchical F1 (Kiritchenko et al., 2005), exact paths, and the first level, by the blind rows.

        The hierarchical F1 is the micro F1 of all nodes that paths go through.
        """
        require_blind(self.kind, labels, len(out_of_fold), blind)
        tree = tree_of(labels.space)
        answers, targets = tree.close(out_of_fold.answers[blind]), tree.close(labels.targets[blind])
        roots = tree.parents < 0
        return (
            _figure("hierarchical F1", micro_f1_interval(answers, targets), len(answers)),
            _figure("exact paths", subset_accuracy_interval(answers, targets), len(answers)),
            _figure(
                "first level right",
                subset_accuracy_interval(answers[:, roots], targets[:, roots]),
                len(answers),
            ),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Weights (d + 1, e), their calibration, and chances (n, e) out of fold with their log loss in nats."""

    weights: Floats
    slope: float
    shift: float
    chances: Floats
    loss: float
    prior_weight: float

    @property
    def metrics(self) -> dict[str, float | None]:
        """What was chosen, as numbers."""
        return {"slope": self.slope, "shift": self.shift, "prior_weight": self.prior_weight}


def _fit(
    vectors: Floats, deepest: Floats, folds: NDArray[np.intp], ends: Ends, names: Floats | None
) -> _Found:
    """One fit without each fold and one that misses none; the former calibrate the latter."""
    targets = deepest[:, ends.columns]
    prior = np.zeros((vectors.shape[1] + 1, len(ends.columns)), dtype=np.float32)
    if names is not None:
        prior[:-1] = NAME_SCALE * names.T
    prior[-1] = ends.link.bias(len(ends.columns))
    fits = fit_paths(
        vectors,
        targets,
        folds=folds,
        prior=prior,
        shares=shared_nodes(ends.tree, ends.columns, deepest),
        link=ends.link,
        inverse_regularisation=INVERSE_REGULARISATION,
    )
    slope, shift = ends.link.scaling(fits.scores, targets)
    scores = scaled(fits.scores, slope, shift)
    loss = float(ends.link.loss(scores, targets).sum(dtype=np.float64))
    return _Found(fits.weights, slope, shift, ends.link.chances(scores), loss, float(names is not None))


def _choose_depth(chances: Floats, deepest: Floats, ends: Ends) -> Depth:
    """The threshold of the best answers, and the power for which their chances are right.

    Best is the hierarchical F1 and half the share of exact answers. The F1 alone hardly changes with the
    threshold, and gives too many paths where it is low. With few rows it is drawn to the usual threshold.
    """
    nodes, allows_none = ends.through(chances), bool((~(deepest > 0).any(axis=1)).any())
    worth = [
        _worth(ends.answers(nodes, Depth(threshold, allows_none, power=1.0)), deepest, ends.tree)
        for threshold in _THRESHOLDS
    ]
    own, rows = _THRESHOLDS[int(np.argmax(worth))], len(deepest)
    threshold = (rows * own + _CAUTION * _USUAL) / (rows + _CAUTION)
    answers = ends.answers(nodes, Depth(threshold, allows_none, power=1.0))
    power = fit_power(ends.log_right(chances, answers), (answers == deepest).all(axis=1))
    return Depth(threshold, allows_none, power)


def _worth(answers: Floats, deepest: Floats, tree: Tree) -> float:
    exact = float((answers == deepest).all(axis=1).mean())
    return exact / 2.0 + micro_f1(tree.close(answers), tree.close(deepest))


def _measure(out_of_fold: Beliefs, deepest: Floats, tree: Tree) -> dict[str, float | None]:
    answers, targets = tree.close(out_of_fold.answers), tree.close(deepest)
    roots = tree.parents < 0
    return {
        "hierarchical_f1": micro_f1(answers, targets),
        "exact_paths": float((answers == targets).all(axis=1).mean()),
        "first_level": float((answers[:, roots] == targets[:, roots]).all(axis=1).mean()),
        "calibration_error": label_calibration_error(out_of_fold.values, targets),
    }


def _figure(name: str, found: Triple | None, rows: int) -> Figure:
    value, low, high = (None, None, None) if found is None else found
    return Figure(name, value, low, high, rows)


def _require(items: Embeddings, labels: Labels, names: Floats | None, audit: NDArray[np.bool_]) -> None:
    require_trainable(Taxonomy.kind, items, labels, audit)
    if not np.isin(labels.targets, (0.0, 1.0)).all():
        raise ValueError("taxonomy: a target is neither 0 nor 1")
    if names is not None and names.shape != (len(labels.space), items.vectors.shape[1]):
        raise ValueError(f"taxonomy: name vectors {names.shape} for {len(labels.space)} labels")
