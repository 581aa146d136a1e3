"""small-text's strategies, as its documentation calls them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from questions import Question, answer_questions
from small_text import BreakingTies, EmbeddingKMeans, GreedyCoreset, greedy_coreset

warnings.filterwarnings("ignore")


def _breaking_ties(question: Question) -> Any:
    return BreakingTies().query(
        question.head,
        question.vectors,
        question.pool_rows,
        question.labelled_rows,
        question.answers,
        n=question.batch,
    )


def _by_embedding(strategy: Any) -> Any:
    def pick(question: Question) -> Any:
        np.random.seed(question.seed)  # noqa: NPY002 - its k-means takes no other source of chance
        vectors = question.vectors
        return strategy().query(
            question.head,
            vectors,
            question.pool_rows,
            question.labelled_rows,
            question.answers,
            n=question.batch,
            embeddings=vectors,
        )

    return pick


def _coreset_function(question: Question) -> Any:
    return greedy_coreset(question.vectors, question.pool_rows, question.labelled_rows, question.batch)


if __name__ == "__main__":
    answer_questions(
        {
            "breaking-ties": _breaking_ties,
            "core-set": _by_embedding(GreedyCoreset),
            "core-set-function": _coreset_function,
            "embedding-k-means": _by_embedding(EmbeddingKMeans),
        }
    )
