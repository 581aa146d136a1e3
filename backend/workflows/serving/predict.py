"""Answers Label Studio's /predict: one prediction per task, whatever the tasks look like."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.context import Context, LazyEncoder
from backend.json_types import Json
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.queue_order import live_score
from backend.label_studio.results import prediction
from backend.task_types import is_single_choice
from backend.workflows.intake.earlier_findings import novel_members
from backend.workflows.intake.fetch_pictures import Kept, OfRequests, Unkept
from backend.workflows.intake.question_items import QuestionItems
from backend.workflows.project.workspace import FIRST_VERSION, Workspace, joined_encoder
from backend.workflows.serving.answers import (
    Answered,
    ServedQuestion,
    above_floor,
    answer_items,
    load_questions,
    only_shown,
    regions_of,
)
from backend.workflows.serving.live_items import LiveEncoder, live_item
from backend.workflows.serving.serving import answer_first
from backend.workflows.serving.stored import answering
from backend.workflows.training.learn_questions import guess_by_names
from backend.workflows.training.names import name_vectors
from backend.workflows.training.represent import version_words
from model.audit import audit_hash
from model.encoders.tfidf import TfidfEncoder
from model.heads.cold_start import cold_start
from model.heads.single_label import LinearHead
from model.records import Embeddings, Floats, Representation
from model.registry import Manifest
from model.representations.features import represent

# Label Studio hangs up after 100 s; what is not encoded by then goes out without a pre-annotation.
_BUDGET_S = 75.0


@dataclass(frozen=True, slots=True)
class Predictor:
    """The heads of a version with what is needed to answer with them.

    `head` is that of a first question that is a single choice, `questions` have those of all others. Blank
    stay audit tasks (hash below the threshold), and those of `novel`, which fit no class. `text_encoder` is
    the name of a project's own.
    """

    head: LinearHead | None
    encoder: LazyEncoder
    version: str
    seed: int
    audit_threshold: float
    floor: float = 0.0
    representation: Representation = "encoder"
    words: TfidfEncoder | None = None
    novel: frozenset[int] = frozenset()
    questions: tuple[ServedQuestion, ...] = ()
    text_encoder: str | None = None


def predict_tasks(workspace: Workspace, tasks: Sequence[Json], config: LabelConfig | None) -> list[Json]:
    """One prediction per task, in order; blank where there is no text, no supported control, or an audit.

    While the files of the version in use are damaged, the newest whole one answers under its own name. Where
    that one knows no label of the config, or other vectors, the label names answer, never under its name.
    """
    if config is None or not tasks:
        return [_blank(workspace.version) for _ in tasks]
    found = answering(workspace)
    if found is None and workspace.state.active_version:
        return [_blank(workspace.version) for _ in tasks]
    predictor = _stored_predictor(workspace, config, found)
    if predictor is None:
        lazy = _encoder_of(workspace.context, workspace.state.encoder, config)
        names = _by_names(workspace.context, lazy, config, version=_name_of_guesses(found))
        # which tasks are asked blind does not hang on who can answer
        threshold = 0.0 if found is None else found[1].audit_threshold
        predictor = replace(names, seed=workspace.seed, audit_threshold=threshold)
    floor, novel = workspace.settings.preannotate_floor, frozenset(novel_members(workspace))
    predictor = replace(predictor, floor=floor, novel=novel, text_encoder=workspace.state.encoder)
    return _answer_all(workspace.context, predictor, tasks, config, kept=OfRequests(workspace))


def predict_by_names(context: Context, tasks: Sequence[Json], config: LabelConfig | None) -> list[Json]:
    """The same for tasks of no project that we know: by similarity with the label names."""
    if config is None or not tasks:
        return [_blank(FIRST_VERSION) for _ in tasks]
    predictor = _by_names(context, _encoder_of(context, None, config), config, version=FIRST_VERSION)
    predictor = replace(predictor, floor=context.settings.preannotate_floor)
    return _answer_all(context, predictor, tasks, config, kept=Unkept())


def _encoder_of(context: Context, name: str | None, config: LabelConfig) -> LazyEncoder:
    shown = config.shows_text, tuple(picture.name for picture in config.pictures)
    return joined_encoder(context, name, shown) or context.encoders.named(name)


def _answer_all(
    context: Context, predictor: Predictor, tasks: Sequence[Json], config: LabelConfig, *, kept: Kept
) -> list[Json]:
    blank = _blank(predictor.version)
    until = time.monotonic() + _BUDGET_S
    encoder = LiveEncoder(context, predictor.encoder, predictor.text_encoder, kept, until)
    shown = [live_item(task, config, task_id=_task_id(task)) for task in tasks]
    vectors = encoder.embed(shown)
    rows = [row for row, item in enumerate(shown) if item.content_hash in vectors]
    answers = [blank for _ in tasks]
    if rows:
        texts = [shown[row].content for row in rows]
        found = np.stack([vectors[shown[row].content_hash] for row in rows])
        asked = [one.question for one in predictor.questions]
        items = encoder.embed_parts(asked, [tasks[row] for row in rows], [shown[row] for row in rows])
        said = _say(predictor, config, texts, found, items)
        blanks = _blank_mask(predictor, [tasks[row] for row in rows])
        for row, (regions, doubt), is_blank in zip(rows, said, blanks, strict=True):
            given: list[Json] = [] if is_blank else regions
            answers[row] = prediction(given, version=predictor.version, score=live_score(doubt))
    return answers


def _blank(version: str) -> Json:
    # Label Studio shows a score as a percentage: of a task of which nothing is known none may look sure. One
    # without a number would come before the window: SQLite puts such rows first.
    return prediction([], version=version, score=live_score(1.0))


def _stored_predictor(
    workspace: Workspace, config: LabelConfig, found: tuple[LinearHead | None, Manifest] | None
) -> Predictor | None:
    """A stored version; None where it knows none of the config's labels, or other vectors."""
    if found is None:
        return None
    head, manifest = found
    questions = load_questions(workspace, manifest.version, config)
    knows_a_label = bool(questions) or (head is not None and set(manifest.classes) & set(config.space.names))
    encoder = workspace.encoder
    is_of_this_kind = (head is not None) == is_single_choice(config)
    # until a loop has seen a config in which the first question is another one
    is_first = workspace.state.question in ("", config.from_name)
    if not knows_a_label or not (is_of_this_kind and is_first) or manifest.encoder != encoder.revision:
        return None
    return Predictor(
        head=head,
        encoder=encoder,
        version=manifest.version,
        seed=manifest.seed,
        audit_threshold=manifest.audit_threshold,
        representation=manifest.representation,
        words=version_words(workspace, manifest),
        questions=questions,
    )


def _name_of_guesses(found: tuple[LinearHead | None, Manifest] | None) -> str:
    """The version that answers by label names carry: a trained one has said none of it."""
    is_by_names = found is not None and found[1].kind == "label-names"
    return found[1].version if found and is_by_names else FIRST_VERSION


def _by_names(context: Context, lazy: LazyEncoder, config: LabelConfig, *, version: str) -> Predictor:
    encoder = lazy.get()
    head = None
    if is_single_choice(config):
        names = name_vectors(context, encoder, config.labels)
        if names is None:
            names = np.zeros((len(config.space), encoder.dimensions), dtype=np.float32)
        head = cold_start(names, config.space).head
    questions = tuple(ServedQuestion(*found) for found in guess_by_names(context, encoder, config))
    return Predictor(
        head=head, encoder=lazy, version=version, seed=0, audit_threshold=0.0, questions=questions
    )


def _say(
    predictor: Predictor, config: LabelConfig, texts: Sequence[str], vectors: Floats, own: QuestionItems
) -> list[tuple[list[Json], float]]:
    """The regions for each of n texts, and how much is unsure about it, in [0, 1]."""
    items = Embeddings(np.arange(len(vectors), dtype=np.int64), vectors, predictor.encoder.revision)
    answered = answer_items(predictor.questions, items, predictor.version, items=own)
    said: list[tuple[list[Json], float]] = []
    values = None if predictor.head is None else _probabilities(predictor, predictor.head, texts, items)
    for row, item in enumerate(items.ids.tolist()):
        given, doubts = above_floor(answered[item], predictor.floor), [0.0]
        if predictor.head is not None and values is not None:
            given = answer_first(predictor.head, values[row], config, floor=predictor.floor) + given
            doubts.append(_doubt(values[row]))
        shown = only_shown(given, config)
        doubts += [1.0 - one.confidence for one in answered[item] if _is_asked(one, shown)]
        said.append((regions_of(shown), max(doubts)))
    return said


def _is_asked(answered: Answered, shown: Sequence[Answered]) -> bool:
    """Whether somebody is asked this question, as far as the answers that are shown tell."""
    return not answered.question.conditions or answered in shown


def _probabilities(
    predictor: Predictor, head: LinearHead, texts: Sequence[str], embeddings: Embeddings
) -> Floats:
    ids, counted = embeddings.ids, None
    if predictor.words is not None:
        counted = Embeddings(ids, predictor.words.encode(texts), predictor.words.revision)
    features = represent(predictor.representation, embeddings, counted)
    return head.probabilities(features, predictor.version).values


def _blank_mask(predictor: Predictor, tasks: Sequence[Json]) -> list[bool]:
    ids = np.array([_task_id(task) for task in tasks], dtype=np.int64)
    is_audit = (audit_hash(ids, predictor.seed) < predictor.audit_threshold) & (ids >= 0)
    mask: list[bool] = (is_audit | np.isin(ids, sorted(predictor.novel))).tolist()
    return mask


def _task_id(task: Json) -> int:
    """The id, or -1 for a task that Label Studio cannot have numbered so."""
    task_id = task.get("id")
    return task_id if isinstance(task_id, int) and 0 <= task_id < 2**63 else -1


def _doubt(row: Floats) -> float:
    """One minus the margin of the probabilities (c,) of a single choice."""
    second, first = np.sort(row)[-2:] if len(row) > 1 else (0.0, float(row[0]))
    return 1.0 - float(first - second)
