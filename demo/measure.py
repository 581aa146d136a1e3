"""Figures of the demonstration: how often pre-annotations are right, and how far the queue moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

TOP = 20


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many of `tasks` are pre-annotated with the true label."""

    right: int
    tasks: int

    def __str__(self) -> str:
        share = f"{self.right / self.tasks:.2f}" if self.tasks else "none"
        return f"{share} ({self.right} of {self.tasks})"


@dataclass(frozen=True, slots=True)
class Move:
    """How an order of tasks (`after`) differs from what was left of an earlier one (`before`)."""

    before: list[int]
    after: list[int]
    rank_correlation: float | None

    @property
    def is_changed(self) -> bool:
        """True unless the first tasks are the same, in the same order."""
        return self.before[:TOP] != self.after[:TOP]

    @property
    def new_in_top(self) -> int:
        """How many of the tasks that are first now were not first before."""
        return len(set(self.after[:TOP]) - set(self.before[:TOP]))

    @property
    def new_in_window(self) -> int:
        """How many of the tasks published now were not published before."""
        return len(set(self.after) - set(self.before))


def ask_for_predictions(
    url: str, *, project: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]
) -> dict[int, str | None]:
    """The label of each task by the backend's `POST /predict`; None: no label."""
    found = ask_for_regions(url, project=project, tasks=tasks)
    return {task_id: _read_label(regions) for task_id, regions in found.items()}


def ask_for_regions(
    url: str, *, project: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]
) -> dict[int, list[Mapping[str, Any]]]:
    """What the backend's `POST /predict`, asked as Label Studio asks, says of each task."""
    created = int(datetime.fromisoformat(str(project["created_at"])).timestamp())
    body = {
        "tasks": [{"id": task["id"], "data": task["data"]} for task in tasks],
        "project": f"{project['id']}.{created}",
        "label_config": project["label_config"],
        "params": {"login": None, "password": None, "context": None},
    }
    answer = httpx.post(f"{url}/predict", json=body, timeout=100.0, trust_env=False)
    if answer.is_error:
        raise RuntimeError(f"The backend answered {answer.status_code} to /predict: {answer.text[:300]}")
    results = answer.json()["results"]
    return {task["id"]: _read_regions(result) for task, result in zip(tasks, results, strict=True)}


def measure_accuracy(predicted: Mapping[int, str | None], truth: Mapping[int, str]) -> Accuracy:
    """Compare on the tasks of `truth`; a task served without a pre-annotation is not right."""
    answers = [predicted.get(task_id) == label for task_id, label in truth.items()]
    return Accuracy(right=sum(answers), tasks=len(answers))


def compare_orders(before: Sequence[int], after: Sequence[int], *, seen: frozenset[int]) -> Move:
    """Compare two published orders; tasks in `seen`, which are not served again, count in neither."""
    left = [task_id for task_id in before if task_id not in seen]
    now = [task_id for task_id in after if task_id not in seen]
    return Move(before=left, after=now, rank_correlation=_correlate_ranks(left, now))


def _correlate_ranks(left: Sequence[int], right: Sequence[int]) -> float | None:
    """Spearman's coefficient over the tasks that stand in both orders; None with fewer than three."""
    common = [task_id for task_id in left if task_id in set(right)]
    count = len(common)
    if count < 3:
        return None
    place = {task_id: rank for rank, task_id in enumerate(t for t in right if t in set(common))}
    squares = sum((rank - place[task_id]) ** 2 for rank, task_id in enumerate(common))
    return 1 - 6 * squares / (count * (count**2 - 1))


def _read_regions(result: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    prediction = result if isinstance(result, Mapping) else (result[0] if result else {})
    return list(prediction.get("result") or [])


def _read_label(regions: Sequence[Mapping[str, Any]]) -> str | None:
    choices = regions[0]["value"].get("choices") if regions else None
    return str(choices[0]) if choices else None
