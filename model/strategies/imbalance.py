"""A strategy for pools in which some classes are very rare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.heads.single_label import softmax
from model.margin import top_two
from model.records import Floats
from model.strategies.inputs import Rows, StrategyInput, named_strategy
from model.strategies.kernel import margin_uncertainty, score_picks


@named_strategy("direct")
def direct(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Items on both sides of each class's own border, class by class (Nuggehalli et al., 2023, DIRECT).

    An item's margin for a class is its probability less the best other. The border is the margin that parts
    the labelled items of the class from the others with the fewest mistakes; it is 0 while the class has no
    label. Every class gives one item in turn, the one nearest to its border, from either side in turn.
    After the batch: by margin.
    """
    probabilities = inputs.require_probabilities()
    margins = class_margins(probabilities)  # (n, c)
    borders = _borders(inputs, probabilities.shape[1])
    shares = probabilities.mean(axis=0)
    queues = [_from_both_sides(margins[:, column] - borders[column]) for column in np.argsort(shares)]
    return score_picks(_in_turn(queues, inputs.batch), margin_uncertainty(probabilities))


def class_margins(probabilities: Floats) -> Floats:
    """Probability of each class less the best other, (n, c) in [-1, 1]; the probability if it is alone."""
    if probabilities.shape[1] < 2:
        return probabilities
    top = top_two(probabilities)
    is_best = probabilities >= top[:, 1:]
    found: Floats = probabilities - np.where(is_best, top[:, :1], top[:, 1:])
    return found


def best_threshold(margins: Floats, inside: NDArray[np.bool_]) -> float:
    """The threshold above which the fewest items (n,) are on the wrong side; 0 when one side is empty."""
    if not inside.any() or inside.all():
        return 0.0
    order = np.argsort(margins, kind="stable")
    sorted_margins, sorted_inside = margins[order], inside[order]
    below = np.cumsum(sorted_inside)  # members that a threshold above row i would lose
    above = (~sorted_inside).sum() - np.cumsum(~sorted_inside)
    place = int(np.argmin(below[:-1] + above[:-1]))
    return float(sorted_margins[place] + sorted_margins[place + 1]) / 2.0


def _borders(inputs: StrategyInput, classes: int) -> Floats:
    """The border (c,) of every class, by what the head says of the labelled items."""
    borders = np.zeros(classes, dtype=np.float32)
    if inputs.labelled_classes is None or not (inputs.labelled_classes >= 0).any():
        return borders
    answered = inputs.labelled_classes >= 0
    view = inputs.require_view()
    margins = class_margins(softmax(view.head.logits(view.labelled.vectors[answered])))
    answers = inputs.labelled_classes[answered]
    for column in np.unique(answers):
        borders[column] = best_threshold(margins[:, column], answers == column)
    return borders


def _from_both_sides(distances: Floats) -> Rows:
    """Rows by distance to the border, alternating between above and below while both last."""
    order = np.argsort(np.abs(distances), kind="stable")
    is_above = distances[order] > 0
    turn = np.where(is_above, np.cumsum(is_above), np.cumsum(~is_above))
    ranked: Rows = order[np.lexsort((~is_above, turn))]
    return ranked


def _in_turn(queues: list[Rows], count: int) -> Rows:
    picks: dict[int, None] = {}
    for place in range(len(queues[0])):
        if len(picks) >= count:
            break
        picks.update((int(queue[place]), None) for queue in queues)
    return np.array(list(picks)[:count], dtype=np.intp)
