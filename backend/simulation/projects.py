"""The labelled tasks of a project in Label Studio, to simulate with."""

from __future__ import annotations

from contextlib import closing

from backend.context import Context
from backend.errors import BadRequest
from backend.label_studio.label_config import LabelConfig, Preference
from backend.label_studio.tasks import TaskState, read_task
from backend.simulation.answered import AnsweredText, AnsweredTexts, answered_questions, answering
from backend.simulation.pages import shown_pages
from backend.simulation.rows import LabelledText, LabelledTexts
from backend.workflows.intake.question import settle_question


def read_project(context: Context, number: int) -> LabelledTexts:
    """Texts, pictures and majority labels of a project, connected or not; nothing is written.

    Raises NotFound, UnsupportedConfig and what Label Studio answers.
    """
    title, config, tasks = _read(context, number)
    rows = [
        LabelledText(task.content, task.label, None, shown_pages(task, config))
        for task in tasks
        if task.label and _shows_something(task) and not task.origin.is_synthetic
    ]
    note = (
        f"Project {number} “{title}”: {len(rows):,} of {len(tasks):,} tasks have a label for "
        f"{config.from_name!r}."
    )
    return LabelledTexts(f"Project {number}", rows, (note,))


def read_answered_project(context: Context, number: int) -> AnsweredTexts:
    """What a project shows and what people together answered to each of its questions; nothing is written.

    Raises as `read_project` does.
    """
    title, config, tasks = _read(context, number)
    rows = [
        AnsweredText(task.content, task.targets, None, shown_pages(task, config))
        for task in tasks
        if task.targets and _shows_something(task) and not task.origin.is_synthetic
    ]
    names = ", ".join(repr(question.name) for question in config.questions)
    note = f"Project {number} “{title}”: {len(rows):,} of {len(tasks):,} tasks have a label for {names}."
    found = AnsweredTexts(f"Project {number}", config.questions, rows, (note,))
    if found.one_choice() is not None or not rows:
        return found
    answered, kinds = answered_questions(config.questions, rows)
    if not answered:
        raise BadRequest(f"Project {number} has no answer to a question that is simulated. {' '.join(kinds)}")
    return AnsweredTexts(found.name, answered, answering(rows, answered), (note, *kinds))


def _shows_something(task: TaskState) -> bool:
    return bool(task.content) or any(task.pictures.values())


def _read(context: Context, number: int) -> tuple[str, LabelConfig, list[TaskState]]:
    settings = context.settings
    with closing(context.label_studio()) as remote:
        details = remote.project(number)
        preference = Preference(questions=settings.question_names, hints=settings.hint_pairs)
        config = settle_question(remote, number, details["label_config"], preference)
        tasks = [read_task(task, config) for page in remote.tasks(number) for task in page]
    return details["title"], config, tasks
