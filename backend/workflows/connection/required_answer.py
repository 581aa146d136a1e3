"""Whether an answer to the main question is demanded; none is where an empty one says something."""

from __future__ import annotations

from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.controls.parts import AnsweredByNothing
from backend.label_studio.controls.question import SINGLE_CHOICE, Question
from backend.label_studio.controls.table import control_of
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.required import is_required, require_answer
from backend.task_types import task_type
from backend.workflows.connection.finding import Finding
from backend.workflows.intake.empty_answers import SEVERAL_CHOICES
from backend.workflows.project.workspace import Workspace


def why_free(question: Question) -> str:
    """Why no answer to a question can be demanded, a sentence without its full stop; empty where one can."""
    if question.empty is not None:
        return f"{_tag(question)}: to leave it empty says that none of its labels fits"
    if isinstance(control_of(question.kind), AnsweredByNothing):
        return (
            f"{_tag(question)}: an empty answer says “{task_type(question).nothing}”, and Label Studio's "
            f"editor does not heed required on <{question.tag}>"
        )
    return ""


def require_main_answer(workspace: Workspace, remote: LabelStudio, config: LabelConfig) -> list[str]:
    """Makes an answer to the main question required where one can be demanded; returns what changed."""
    question = config.questions[0]
    if why_free(question):
        return []
    # read anew: another change of the config must not be written over
    xml = remote.project(workspace.label_studio_id)["label_config"]
    if (required := require_answer(xml, config)) is None:
        return []
    workspace.change(required_control=question.name)
    remote.update_project(workspace.label_studio_id, label_config=required)
    return [f"an answer to {question.name!r} is required now"]


def check_required(details: Json, config: LabelConfig) -> Finding:
    """What an empty answer to the main question is, and what to do where it is a slip."""
    question = config.questions[0]
    check, tag = "empty answers", _tag(question)
    if why := why_free(question):
        return Finding(check, "ok", why)
    if is_required(details["label_config"], config):
        return Finding(check, "ok", f"{tag} is required: nobody can submit an empty one")
    if question.kind == SEVERAL_CHOICES:
        return Finding(check, "ok", f"{tag}: where many leave it empty, that is read as “none of them”")
    slip = "Submit stores an annotation without an answer to it too"
    if question.kind == SINGLE_CHOICE:
        slip = (
            "a click on a choice that is ticked takes the tick away, and Submit then stores an answer "
            "without a label"
        )
    return Finding(
        check,
        "warning",
        f"{tag} is not required: {slip}",
        f'Add required="true" to {tag} in the labeling config, or run: nextlabel connect '
        f"{details['id']} --require",
    )


def _tag(question: Question) -> str:
    return f'<{question.tag}> "{question.name}"'
