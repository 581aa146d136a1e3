"""What labels bought, beside a random order, what the next would buy, and whether to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from backend.errors import NextlabelError
from backend.workflows.intake.earlier_findings import ADDED_DECISION
from backend.workflows.intake.published import published_versions
from backend.workflows.project.figures import (
    Advantage,
    AdviceFigures,
    AdviceSignal,
    CurvePoint,
    GainForecast,
    Outlook,
    Range,
)
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.serving import Serving, load_serving
from backend.workflows.training.learn import Learned
from model.records import Embeddings, Floats, Ids
from model.registry import RegistryError
from model.signals.forecast import Forecast, forecast_gain
from model.signals.learning_curve import LabelLog, LearningCurve, Step, trace_learning
from model.signals.stopping import (
    RECENT,
    STABLE_VERSIONS,
    StopAdvice,
    advise,
    agreement_of_versions,
    find_starved_classes,
    pick_stop_set,
    unexplained_mass,
)


def look_ahead(
    workspace: Workspace,
    *,
    learned: Learned,
    serving: Serving,
    beliefs: Floats,
    blind: NDArray[np.bool_],
) -> Outlook:
    """Learning curve, random order, forecast and advice. `beliefs` (p, c) are about the pool."""
    order = _by_age(learned)
    rng = np.random.default_rng(workspace.seed)
    curve = _trace(learned, order, blind, rng)
    forecast = forecast_gain(curve.steps, rng=rng)
    advice = _advise(workspace, learned, serving, beliefs, forecast)
    return Outlook(
        curve=[_point(step) for step in curve.steps],
        random_curve=[_point(step) for step in curve.random_steps],
        advantage=_advantage(curve),
        forecast=_gain(forecast),
        advice=_advice(advice),
    )


def _by_age(learned: Learned) -> NDArray[np.intp]:
    """The labels (n,) from the oldest to the newest."""
    return np.argsort(np.array(learned.seen.labelled_at), kind="stable")


def _trace(
    learned: Learned, order: NDArray[np.intp], blind: NDArray[np.bool_], rng: np.random.Generator
) -> LearningCurve:
    seen, trained = learned.seen, learned.trained
    labels = seen.labels.take(order)
    log = LabelLog(seen.features.take(seen.labelled).take(order), labels, blind[order])
    return trace_learning(
        log,
        replace(trained, out_of_fold=trained.out_of_fold.take(order)),
        unlabelled=seen.pool_features,
        pool_size=len(seen.features) + len(seen.unencoded),
        name_vectors=learned.name_vectors,
        rng=rng,
        neighbour_graph=learned.neighbour_graph,
    )


def _advise(
    workspace: Workspace,
    learned: Learned,
    serving: Serving,
    beliefs: Floats,
    forecast: Forecast,
) -> StopAdvice:
    labels, out_of_fold = learned.seen.labels, learned.trained.out_of_fold.values
    recent = _by_age(learned)[-RECENT:]
    right = out_of_fold[recent].argmax(axis=1) == labels.classes[recent]
    counts = labels.targets.sum(axis=0).astype(np.intp)
    asked, found = _new_classes(workspace, learned)
    return advise(
        kappas=_kappas(workspace, serving, words=learned.words),
        forecast=forecast,
        price=workspace.settings.label_price / 100.0,
        unexplained=unexplained_mass(beliefs, out_of_fold[recent], right),
        novelty_labels=asked,
        new_classes=found,
        starved_classes=find_starved_classes(counts, _expected_left(learned, beliefs), labels.space),
    )


def _expected_left(learned: Learned, beliefs: Floats) -> Floats:
    """Tasks (c,) of each class that wait for their first answer, as those that have a vector say."""
    left: Floats = beliefs.sum(axis=0)
    if not learned.seen.open_unencoded or not len(beliefs):
        return left
    scaled: Floats = left * np.float32(learned.seen.open_tasks / len(beliefs))
    return scaled


def _kappas(workspace: Workspace, serving: Serving, *, words: str | None) -> list[float]:
    """Agreement of the last versions with the one after each, the newest last.

    A version that reads other `words` is not compared: its words would have to be counted again.
    """
    stop_set = pick_stop_set(serving.snapshot.embeddings.ids, workspace.seed)
    names: dict[str, int] = {}
    said = [_say(serving, stop_set, names)]
    for version in published_versions(workspace, limit=STABLE_VERSIONS + 2):
        if version == serving.version or len(said) > STABLE_VERSIONS:
            continue
        try:
            if workspace.registry.load(workspace.key, version)[1].words not in (None, words):
                break
            before = load_serving(workspace, serving.snapshot, config=serving.config, version=version)
            said.insert(0, _say(before, stop_set, names))
        except (RegistryError, NextlabelError, ValueError):
            break  # a version of another encoder, or one that cannot be read: nothing to compare with
    pairs = zip(said, said[1:], strict=False)
    kappas = [agreement_of_versions(*before, *after) for before, after in pairs]
    return [kappa for kappa in kappas if kappa is not None]


def _say(serving: Serving, stop_set: Ids, names: dict[str, int]) -> tuple[Ids, NDArray[np.intp]]:
    """What a version says of the stop set, in columns that all versions share (`names` grows)."""
    features = serving.snapshot.features
    items: Embeddings = features.take(np.isin(features.ids, stop_set))
    columns = np.array(
        [names.setdefault(name, len(names)) for name in serving.head.space.names], dtype=np.intp
    )
    return items.ids, columns[serving.head.logits(items.vectors).argmax(axis=1)]


def _new_classes(workspace: Workspace, learned: Learned) -> tuple[int, int]:
    """Labels of tasks that were in a group, and groups that became a class while the last labels came."""
    members = workspace.groups.read_members()
    decided = workspace.decisions.moments(ADDED_DECISION)
    grouped = {task_id for group in members for task_id in group}
    asked = sum(task_id in grouped for task_id in learned.seen.labels.ids.tolist())
    moments = sorted(learned.seen.labelled_at)[-RECENT:]
    return asked, sum(_is_since(moment, moments) for moment in decided)


def _is_since(moment: datetime, labelled_at: Sequence[str]) -> bool:
    return len(labelled_at) < RECENT or moment.isoformat() >= labelled_at[0]


def _point(step: Step) -> CurvePoint:
    found = step.accuracy
    return CurvePoint(labels=step.labels, accuracy=found.value, low=found.low, high=found.high)


def _advantage(curve: LearningCurve) -> Advantage:
    against = curve.against_random
    if against is None:
        return Advantage(words=curve.words, low=None, high=None)
    now = against.random_now
    return Advantage(
        words=against.words,
        labels=against.labels,
        value=against.difference.value,
        low=against.difference.low,
        high=against.difference.high,
        shown=against.shown,
        random_now=Range(value=now.value, low=now.low, high=now.high),
    )


def _gain(forecast: Forecast) -> GainForecast:
    found = forecast.gain
    return GainForecast(
        words=forecast.words,
        labels=forecast.more,
        gain=found.value if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
    )


def _advice(advice: StopAdvice) -> AdviceFigures:
    return AdviceFigures(
        advice=advice.advice,
        words=advice.words,
        would_change=advice.would_change,
        signals=[
            AdviceSignal(name=one.name, value=one.value, bar=one.bar, reached=one.reached, words=one.words)
            for one in advice.signals
        ],
    )
