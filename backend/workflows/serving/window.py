"""From a version to the places of its window: the order it asks for, and what it says of each task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig
from backend.task_types import is_single_choice
from backend.workflows.intake.second_looks import second_looks
from backend.workflows.intake.skips import waiting_tasks
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving import publish
from backend.workflows.serving.answers import believe_all
from backend.workflows.serving.chances import LabelChances, ShownChances
from backend.workflows.serving.lanes import lane_queues
from backend.workflows.serving.lines import tell, write_lines
from backend.workflows.serving.publish import Placement, PublishReport
from backend.workflows.serving.serving import Serving, pre_annotations
from model.audit import audit_hash
from model.ranking import DEFAULT_STRATEGY, SEVERAL_QUESTIONS, LaneQueue, rank
from model.records import Floats, Ids, Lane, Ranking
from model.strategies.inputs import HeadView, StrategyInput
from model.strategies.questions import when_shown
from model.task_type import Beliefs


def order_seed(workspace: Workspace, snapshot: Snapshot) -> list[int]:
    """Seed of what is random in an order: another one after every label, and the same until then.

    With one seed for all loops, a random order would be the same at each of them, and a strategy that
    samples candidates or its first pick would follow its earlier picks. A window that is filled up between
    labels goes on in the order it began with.
    """
    return [workspace.seed, len(snapshot.labels)]


def rank_pool(
    workspace: Workspace,
    serving: Serving,
    *,
    queues: Sequence[LaneQueue] | None = None,
    behind: Ids | None = None,
    seed: Sequence[int] | None = None,
    strategy: str | None = None,
) -> Ranking:
    """The order in which a version wants the pool labelled, audit share and lanes included.

    `queues` and tasks `behind` all others are those of the moment, `seed` is `order_seed`, and `strategy` is
    the one of the project, unless others are given.
    """
    settings, snapshot = workspace.settings, serving.snapshot
    pool_ids = snapshot.embeddings.ids[snapshot.pool]
    return rank(
        _question(workspace, serving),
        strategy=strategy or _strategy(settings.strategy, serving.config),
        window=settings.queue_window,
        audit=snapshot.audit[snapshot.pool],
        audit_order=audit_hash(pool_ids, workspace.seed),
        share=settings.audit_share,
        rng=np.random.default_rng(order_seed(workspace, snapshot) if seed is None else seed),
        queues=lane_queues(workspace, snapshot) if queues is None else queues,
        behind=waiting_tasks(workspace, snapshot).ids if behind is None else behind,
        priority=snapshot.priority,
    )


def _strategy(wanted: str, config: LabelConfig) -> str:
    """Of several questions, or one that is no single choice, one strategy knows how much each lacks.

    Also while one of them has no head yet: largest-need is then the order of those that have one.
    """
    if len(config.questions) > 1 or not is_single_choice(config):
        return SEVERAL_QUESTIONS
    return DEFAULT_STRATEGY if wanted == "auto" else wanted


def _question(workspace: Workspace, serving: Serving) -> StrategyInput:
    """The pool as strategies see it: what each head believes of it, and what is labelled already."""
    snapshot, choice = serving.snapshot, serving.choice
    pool, seen = snapshot.pool_embeddings, snapshot.features
    asked = StrategyInput(
        pool=pool,
        probabilities=None,
        labelled=snapshot.labelled_embeddings,
        batch=workspace.settings.queue_window,
    )
    if choice is not None:
        view = HeadView(choice, snapshot.pool_features, seen.take(snapshot.labelled))
        asked = replace(
            asked,
            probabilities=choice.probabilities(view.pool, serving.version),
            labelled_classes=snapshot.labels.classes,
            view=view,
        )
    return replace(asked, questions=_other_questions(serving, asked))


def _other_questions(serving: Serving, asked: StrategyInput) -> tuple[Beliefs, ...]:
    """What is believed of the pool to all but a first single choice, by the chance that it is asked."""
    ids, items = asked.pool.ids, serving.snapshot.items
    believed = [
        (served, spread_over(beliefs, ids))
        for served, beliefs in believe_all(serving.questions, asked.pool, serving.version, items=items)
    ]
    if not any(served.question.conditions for served, _beliefs in believed):
        return tuple(beliefs for _served, beliefs in believed)
    heads = {
        served.question.name: LabelChances(served.head.space, beliefs.values) for served, beliefs in believed
    }
    if serving.choice is not None and asked.probabilities is not None:
        first = LabelChances(serving.choice.space, asked.probabilities.values)
        heads[serving.config.from_name] = first
    shown = ShownChances(serving.config.questions, heads, len(asked.pool))
    return tuple(when_shown(beliefs, shown.of(served.question)) for served, beliefs in believed)


def spread_over(beliefs: Beliefs, ids: Ids) -> Beliefs:
    """The same beliefs over all items `ids` (n,): where nothing is believed, nothing is to be learned.

    Both have ascending ids, or the same ones.
    """
    if np.array_equal(beliefs.ids, ids):
        return beliefs
    is_there = np.isin(ids, beliefs.ids)

    def spread(rows: Floats, rest: float) -> Floats:
        full = np.full((len(ids), *rows.shape[1:]), rest, dtype=rows.dtype)
        full[is_there] = rows
        return full

    return Beliefs(
        ids=ids,
        values=spread(beliefs.values, 0.0),
        answers=spread(beliefs.answers, 0.0),
        confidence=spread(beliefs.confidence, 1.0),
        uncertainty=spread(beliefs.uncertainty, 0.0),
        mass=spread(beliefs.mass, 0.0),
        model_version=beliefs.model_version,
    )


def first_window(workspace: Workspace, serving: Serving, ranking: Ranking) -> list[int]:
    """The tasks of a new window: second looks at what others answered, then the first of the ranking."""
    known = set(serving.snapshot.embeddings.ids.tolist())
    again = [task_id for task_id in second_looks(workspace) if task_id in known]
    first: list[int] = ranking.ids[: workspace.settings.queue_window].tolist()
    return again + first


def publish_places(
    workspace: Workspace,
    remote: LabelStudio,
    serving: Serving,
    *,
    ranking: Ranking,
    task_ids: Sequence[int],
) -> PublishReport:
    """Sends the lines and predictions of some tasks of a ranking as the next places of its window.

    The lines come first: when the version serves, its first task shows the line of that version.
    """
    placements = tell(workspace, serving, place(serving, ranking, task_ids=task_ids))
    write_lines(workspace, remote, placements)
    return publish.import_window(
        workspace,
        remote,
        version=serving.version,
        placements=placements,
        first_position=workspace.windows.next_position(serving.version),
    )


def place(serving: Serving, ranking: Ranking, *, task_ids: Sequence[int]) -> list[Placement]:
    """Placements of some tasks, in the order given; audit tasks go without a pre-annotation."""
    seen = serving.snapshot
    audit = set(seen.embeddings.ids[seen.audit].tolist())
    lanes: dict[int, Lane] = dict(zip(ranking.ids.tolist(), ranking.lanes, strict=True))
    regions = pre_annotations(serving, task_ids)
    placements = []
    for task_id in task_ids:
        lane = lanes.get(task_id) or ("audit" if task_id in audit else "informative")
        placements.append(Placement(task_id, lane, [] if lane == "audit" else regions[task_id]))
    return placements
