"""A strategy's input with a head that says just the probabilities that a test asks for."""

import numpy as np

from model.heads.single_label import LinearHead
from model.records import Embeddings, LabelSpace
from model.strategies import HeadView, StrategyInput


def strategy_input(pool, probabilities, labelled, batch, classes=None):
    """The head looks at the vectors joined with the logarithms of the probabilities, and goes by the latter.

    Of labelled items it believes what it believes of the first items of the pool.
    """
    view = None if probabilities is None else _view(pool, probabilities.values, labelled)
    return StrategyInput(pool, probabilities, labelled, batch, classes, view=view)


def _view(pool, values, labelled):
    dimensions, count = pool.vectors.shape[1], values.shape[1]
    space = LabelSpace(tuple(f"class {column}" for column in range(count)))
    weights = np.concatenate([np.zeros((dimensions, count)), np.eye(count)]).astype(np.float32)
    head = LinearHead(weights, np.zeros(count, dtype=np.float32), 1.0, space)
    logs = np.log(np.maximum(values, 1e-30))
    known = np.resize(logs, (len(labelled), count)) if len(logs) else np.zeros((len(labelled), count))
    return HeadView(head, _joined(pool, logs), _joined(labelled, known))


def _joined(items, logs):
    vectors = np.concatenate([items.vectors.astype(np.float32), logs.astype(np.float32)], axis=1)
    return Embeddings(items.ids, vectors, f"{items.encoder}+logarithms")
