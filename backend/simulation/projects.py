"""The labelled tasks of a project in Label Studio, to simulate with."""

from __future__ import annotations

from contextlib import closing

from backend.context import Context
from backend.label_studio.label_config import Preference
from backend.label_studio.tasks import read_task
from backend.simulation.rows import LabelledText, LabelledTexts
from backend.workflows.intake.question import settle_question


def read_project(context: Context, number: int) -> LabelledTexts:
    """Texts and majority labels of a project, connected or not; nothing is written.

    Raises NotFound, UnsupportedConfig and what Label Studio answers.
    """
    settings = context.settings
    with closing(context.label_studio()) as remote:
        details = remote.project(number)
        preference = Preference(questions=settings.question_names, hints=settings.hint_pairs)
        config = settle_question(remote, number, details["label_config"], preference)
        tasks = [read_task(task, config) for page in remote.tasks(number) for task in page]
    rows = [
        LabelledText(task.content, task.label, None)
        for task in tasks
        if task.label and task.content and not task.origin.is_synthetic
    ]
    note = (
        f"Project {number} “{details['title']}”: {len(rows):,} of {len(tasks):,} tasks have a label for "
        f"{config.from_name!r}."
    )
    return LabelledTexts(f"Project {number}", rows, (note,))
