"""Labels a draw of tasks from its known answers, through the very functions that the live loop runs.

Nothing of Label Studio is needed: its tasks are written into the backend's own mirror, and each answer is
written where a sync would write it. Snapshot, training and ranking are the backend's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, update

from backend.context import Context
from backend.database import Project, Task
from backend.label_studio.label_config import LabelConfig, parse_label_config
from backend.label_studio.tasks import content_hash
from backend.parts import build_context
from backend.settings import Settings
from backend.workflows.intake.embed import embed_project, embed_texts
from backend.workflows.intake.snapshot import Snapshot, take_snapshot
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.serving import Serving
from backend.workflows.serving.window import rank_pool
from backend.workflows.training.learn import Learned, learn
from benchmarks.texts import Draw, Text
from demo.project import write_label_config
from model.encoders import Encoder
from model.encoders.text import load_text_encoder
from model.records import Embeddings, Floats
from model.representations.features import represent
from model.training import train

LABELS_PER_LOOP = 10


@dataclass(frozen=True, slots=True)
class Way:
    """A way to choose tasks and to learn from them.

    `strategy` by name, `start` the one before the first labels; `audit_share` None keeps the default.
    """

    name: str
    strategy: str = "auto"
    start: str = "auto"
    audit_share: float | None = None
    with_names: bool = True


WAYS = (
    Way("ours"),
    Way("random order, our head", "random", "random", 0.0),
    Way("margin after a random start, our head", "margin", "random", 0.0),
    Way("random order, plain head without label names", "random", "random", 0.0, with_names=False),
)


@dataclass(frozen=True, slots=True)
class Accuracies:
    """Share of right answers at one moment; None where there is no model yet."""

    labels: int
    unseen: float | None
    unlabelled: float | None
    audit: float | None


@contextmanager
def open_backend() -> Iterator[Context]:
    """A backend with an empty data folder; only its parts without HTTP are used."""
    with tempfile.TemporaryDirectory(prefix="nextlabel-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder))
        yield build_context(settings, load_encoder=partial(_load_encoder))


def _load_encoder() -> Encoder:
    return load_text_encoder(threads=1)


class Simulation:
    """One draw in one project. `repeat` gives the project another seed, so another audit sample."""

    def __init__(self, context: Context, draw: Draw, *, repeat: int) -> None:
        self._context, self._draw = context, draw
        self._config: LabelConfig = parse_label_config(write_label_config(draw.labels))
        self._workspace = Workspace(context, _write_project(context, draw, repeat))
        embed_project(self._workspace, progress=Silent())
        self._unseen = _embed(context, draw.unseen)
        self._unseen_truth = self._columns(draw.unseen)
        self._task_truth = self._columns(draw.tasks)

    def run(self, way: Way, budgets: Sequence[int]) -> list[Accuracies]:
        """Accuracy at each budget, the project's labels being taken back first."""
        self._forget_labels()
        found = []
        for given in range(0, max(budgets) + 1, LABELS_PER_LOOP):
            self._apply(way, given)
            snapshot = take_snapshot(self._workspace, self._config)
            learned = learn(self._workspace, self._config, snapshot)
            if given in budgets:
                found.append(self._measure(learned if way.with_names else _plain(snapshot), given))
            self._answer(self._rank(learned)[:LABELS_PER_LOOP])
        return found

    def measure_all(self) -> float:
        """Accuracy on unseen texts with every task labelled."""
        self._forget_labels()
        self._answer(range(1, len(self._draw.tasks) + 1))
        snapshot = take_snapshot(self._workspace, self._config)
        return self._on_unseen(learn(self._workspace, self._config, snapshot))

    def close(self) -> None:
        """Take the project away; the vectors stay for the next."""
        with self._context.database.session() as session:
            session.execute(delete(Task).where(Task.project_id == self._workspace.id))
            session.execute(delete(Project).where(Project.id == self._workspace.id))

    def _apply(self, way: Way, given: int) -> None:
        strategy = way.strategy if given else way.start
        overrides: dict[str, object] = {"strategy": strategy}
        if way.audit_share is not None:
            overrides["audit_share"] = way.audit_share
        self._workspace = self._workspace.with_overrides(overrides)

    def _answer(self, task_ids: Sequence[int]) -> None:
        with self._context.database.session() as session:
            for task_id in task_ids:
                session.execute(
                    update(Task)
                    .where(Task.project_id == self._workspace.id, Task.task_id == task_id)
                    .values(
                        label=self._draw.tasks[task_id - 1].label,
                        annotations=1,
                        is_labeled=True,
                        outcome="label",
                    )
                )

    def _forget_labels(self) -> None:
        with self._context.database.session() as session:
            session.execute(
                update(Task)
                .where(Task.project_id == self._workspace.id)
                .values(label=None, annotations=0, is_labeled=False, outcome="")
            )

    def _columns(self, texts: Sequence[Text]) -> NDArray[np.intp]:
        return np.array([self._config.space.index(text.label) for text in texts])

    def _rank(self, learned: Learned) -> list[int]:
        serving = Serving("nl-000001", learned.trained.head, self._config, learned.seen)
        order: list[int] = rank_pool(self._workspace, serving).ids.tolist()
        return order

    def _measure(self, learned: Learned | None, labels: int) -> Accuracies:
        if learned is None:
            return Accuracies(labels, None, None, None)
        pool = learned.seen.features.take(learned.seen.pool)
        right = learned.trained.head.logits(pool.vectors).argmax(axis=1) == self._task_truth[pool.ids - 1]
        audit = learned.trained.metrics["audit_accuracy"]
        return Accuracies(labels, self._on_unseen(learned), float(right.mean()), audit)

    def _on_unseen(self, learned: Learned) -> float:
        vectors = self._unseen
        if learned.words is not None:
            words = self._context.registry.load_words(self._workspace.key, learned.words)
            counted = words.encode([text.content for text in self._draw.unseen])
            ids = np.arange(len(vectors))
            seen = represent(
                learned.representation, Embeddings(ids, vectors, ""), Embeddings(ids, counted, "")
            )
            vectors = seen.vectors
        return float((learned.trained.head.logits(vectors).argmax(axis=1) == self._unseen_truth).mean())


def _plain(snapshot: Snapshot) -> Learned | None:
    if not len(snapshot.labels):
        return None
    trained = train(
        snapshot.labelled_embeddings,
        snapshot.labels,
        name_vectors=None,
        audit=np.zeros(len(snapshot.labels), dtype=bool),
        rng=np.random.default_rng(0),
    )
    return Learned(trained, snapshot, kind="trained")


def _write_project(context: Context, draw: Draw, repeat: int) -> Project:
    with context.database.session() as session:
        # The creation time is the seed of a project's audit sample.
        project = Project(label_studio_id=draw.seed + 1, created_stamp=1_700_000_000 + repeat)
        session.add(project)
        session.flush()
        session.add_all(
            Task(
                project_id=project.id,
                task_id=number,
                content=text.content,
                content_hash=content_hash(text.content),
            )
            for number, text in enumerate(draw.tasks, start=1)
        )
    return project


def _embed(context: Context, texts: Sequence[Text]) -> Floats:
    found = embed_texts(context, context.encoder.get(), [text.content for text in texts])
    return np.stack([found[content_hash(text.content)] for text in texts])
