"""scikit-activeml's strategies, as its documentation calls them."""

from __future__ import annotations

from typing import Any

import numpy as np
from questions import LinearClassifier, Question, answer_questions
from skactiveml.classifier import SklearnClassifier
from skactiveml.pool import Badge, CoreSet, DropQuery, MaxHerding, TypiClust, UncertaintySampling
from sklearn.base import BaseEstimator, ClassifierMixin


class Head(ClassifierMixin, LinearClassifier, BaseEstimator):
    """The head as an estimator of scikit-learn."""


def _labels(question: Question) -> Any:
    return np.concatenate([np.full(len(question.pool), np.nan), question.answers.astype(float)])


def _with_head(strategy: Any) -> Any:
    def pick(question: Question) -> Any:
        classifier = SklearnClassifier(Head(question.head.weights), classes=list(range(question.classes)))
        vectors, labels = question.vectors, _labels(question)
        classifier.fit(X=vectors, y=labels)
        made = strategy(random_state=question.seed)
        return made.query(vectors, labels, classifier, fit_clf=False, batch_size=question.batch)

    return pick


def _without_head(strategy: Any) -> Any:
    def pick(question: Question) -> Any:
        made = strategy(random_state=question.seed)
        return made.query(question.vectors, _labels(question), batch_size=question.batch)

    return pick


def _margin(random_state: int) -> Any:
    return UncertaintySampling(method="margin_sampling", random_state=random_state)


if __name__ == "__main__":
    answer_questions(
        {
            "badge": _with_head(Badge),
            "dropquery": _with_head(DropQuery),
            "margin": _with_head(_margin),
            "typiclust": _without_head(TypiClust),
            "max-herding": _without_head(MaxHerding),
            "core-set": _without_head(CoreSet),
        }
    )
