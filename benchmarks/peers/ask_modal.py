"""modAL's margin sampling by its ActiveLearner."""

from __future__ import annotations

from typing import Any

import numpy as np
from modAL.models import ActiveLearner
from modAL.uncertainty import margin_sampling
from questions import LinearClassifier, Question, answer_questions
from sklearn.base import BaseEstimator, ClassifierMixin


class Head(ClassifierMixin, LinearClassifier, BaseEstimator):
    """The head as an estimator of scikit-learn."""


def _margin(question: Question) -> Any:
    learner = ActiveLearner(
        estimator=Head(question.head.weights),
        query_strategy=margin_sampling,
        X_training=question.labelled,
        y_training=question.answers,
    )
    picks, *_ = learner.query(question.pool, n_instances=question.batch)
    return np.asarray(picks)


if __name__ == "__main__":
    answer_questions({"margin": _margin})
