"""What the people who answer are called, so that pages need not speak of numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace

_LATELY = timedelta(days=7)


def name_people(workspace: Workspace, remote: LabelStudio, *, progress: Progress) -> None:
    """Asks Label Studio for names when somebody answered lately whose name is not known."""
    since = (datetime.now(UTC) - _LATELY).isoformat()
    answers = workspace.tasks.answers_since(since)
    there = {str(said["by"]) for task in answers for said in task if said.get("by")}
    if there <= workspace.state.people.keys():
        return
    progress.stage("asking for names of people")
    named = {str(user["id"]): _name(user) for user in remote.users()}
    # somebody who left has no name any more, and is not asked for again
    workspace.change(people=workspace.state.people | {number: named.get(number, "") for number in there})


def _name(user: Json) -> str:
    """The full name, else what stands before the @ of the address."""
    full = " ".join(filter(None, (user.get("first_name"), user.get("last_name"))))
    return full or str(user.get("email") or user.get("username") or "").partition("@")[0]
