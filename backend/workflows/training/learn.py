"""From a snapshot to a model: the part of the loop that runs without Label Studio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from backend.label_studio.label_config import LabelConfig
from backend.task_types import is_single_choice
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from backend.workflows.training.learn_questions import LearnedQuestion, learn_questions
from backend.workflows.training.names import learned_name_vectors, readable_titles
from backend.workflows.training.represent import choose_features, with_features
from model.heads.cold_start import cold_start
from model.heads.neighbour_graph import NeighbourGraph, build_neighbour_graph
from model.heads.trained import Metrics, TrainedHead
from model.heads.training_set import AuxiliaryData
from model.records import Floats, Labels, Representation
from model.registry import VersionKind
from model.representations.features import represent_names
from model.training import train


@dataclass(frozen=True, slots=True)
class AuxiliaryItem:
    """A synthetic task that the model may learn from, and the label that it gives."""

    task_id: int
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A head, what it was measured to be worth, and the snapshot as it sees it.

    `words` is the revision of the TF-IDF encoder behind its features, if there is one. `name_vectors` (c, d)
    are the label names in its features. `losses` are those of the representations that were looked at.
    `choice` is the head of a first question that is a single choice, `questions` those of all others; `kind`
    is what they go by.
    """

    choice: TrainedHead | None
    seen: Snapshot
    kind: VersionKind
    representation: Representation = "encoder"
    words: str | None = None
    name_vectors: Floats | None = None
    neighbour_graph: NeighbourGraph | None = None
    losses: Mapping[Representation, float] = field(default_factory=dict)
    questions: tuple[LearnedQuestion, ...] = ()

    @property
    def trained(self) -> TrainedHead:
        """The head of the first question; raises ValueError where that is no single choice."""
        if self.choice is None:
            raise ValueError("the first question is no single choice")
        return self.choice

    @property
    def first(self) -> LearnedQuestion | None:
        """What was learned of a first question that is no single choice; None without a head for it."""
        if self.choice is not None or not self.seen.questions:
            return None
        name = self.seen.questions[0].question.name
        return next((one for one in self.questions if one.question.name == name), None)

    @property
    def starts_from_names(self) -> bool:
        """Whether the first question is answered by the names of its labels alone."""
        if self.choice is not None:
            return self.kind == "label-names"
        return self.first is not None and not len(self.first.labels)

    @property
    def metrics(self) -> Metrics:
        """All numbers of the first head by name, its settings among them, as manifests hold them."""
        if self.choice is None:
            return self.first.metrics if self.first else {}
        losses = {f"loss_{name}".replace("-", "_"): loss for name, loss in self.losses.items()}
        return self.trained.metrics | self.trained.settings.as_metrics() | losses


def learn(
    workspace: Workspace,
    config: LabelConfig,
    snapshot: Snapshot,
    *,
    auxiliary: Sequence[AuxiliaryItem] = (),
) -> Learned:
    """Trains a head for each question of a snapshot, or starts from the label names alone, where they tell.

    A first single choice learns from synthetic `auxiliary` too.
    """
    questions = learn_questions(workspace, snapshot)
    if not is_single_choice(config):
        return Learned(None, snapshot, kind=_kind_by(questions), questions=questions)
    learned = _learn_choice(workspace, config, snapshot, auxiliary=auxiliary)
    if learned.kind == "untaught":
        learned = replace(learned, kind=_kind_by(questions))
    return replace(learned, questions=questions) if questions else learned


def _kind_by(questions: Sequence[LearnedQuestion]) -> VersionKind:
    """What the heads of questions go by: a head that has seen no answer was started from names."""
    if not questions:
        return "untaught"
    return "trained" if any(len(one.labels) for one in questions) else "label-names"


def _learn_choice(
    workspace: Workspace, config: LabelConfig, snapshot: Snapshot, *, auxiliary: Sequence[AuxiliaryItem]
) -> Learned:
    names = learned_name_vectors(workspace, snapshot, config.questions[0], snapshot.labels)
    if len(snapshot.labels) == 0:
        nothing = np.zeros((len(config.space), snapshot.features.vectors.shape[1]), dtype=np.float32)
        started = cold_start(nothing if names is None else names, config.space)
        return Learned(started, snapshot, kind="untaught" if names is None else "label-names")
    titles = readable_titles(config.labels)
    choice, words = choose_features(
        workspace, snapshot, titles=titles, names=names, counts_words=config.shows_text
    )
    chosen = choice.representation
    seen = with_features(workspace, snapshot, representation=chosen, words=words)
    named = represent_names(chosen, names, words.encode(titles) if words else None)
    seed = workspace.seed
    neighbour_graph = build_neighbour_graph(seen.features, np.random.default_rng(seed))
    trained = train(
        seen.features.take(seen.labelled),
        seen.labels,
        name_vectors=named,
        audit=seen.audit[seen.labelled],
        rng=np.random.default_rng(seed),
        neighbour_graph=neighbour_graph,
        auxiliary=as_auxiliary_data(seen, auxiliary),
    )
    revision = words.revision if words else None
    return Learned(
        trained,
        seen,
        kind="trained",
        representation=chosen,
        words=revision,
        name_vectors=named,
        neighbour_graph=neighbour_graph,
        losses=choice.losses,
    )


def as_auxiliary_data(seen: Snapshot, auxiliary: Sequence[AuxiliaryItem]) -> AuxiliaryData | None:
    """Synthetic tasks as the head sees them; it learns from them, and is never measured on them."""
    if not auxiliary:
        return None
    ordered = sorted(auxiliary, key=lambda item: item.task_id)
    ids = np.array([item.task_id for item in ordered], dtype=np.int64)
    features = seen.synthetic_features.take(np.isin(seen.synthetic_features.ids, ids))
    labels = Labels.from_names(ids, [item.label for item in ordered], seen.labels.space)
    return AuxiliaryData(features, labels, np.ones(len(ids), dtype=np.float32))
