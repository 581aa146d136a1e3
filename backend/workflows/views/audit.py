"""Every act of a person: who, what, in which project, and when."""

from __future__ import annotations

from datetime import UTC

from backend.context import Context
from backend.json_types import Json
from backend.store.decisions import newest_acts
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.wording import decision_words


def read_acts(context: Context, limit: int, *, label_studio_id: int | None = None) -> list[Json]:
    """The last acts, newest first, of all projects or of those that had one number in Label Studio.

    `at` is UTC. Each was written down when it was done; nothing of the backend changes or deletes one. Raises
    NotFound where no project has or had the number.
    """
    if label_studio_id is not None:
        open_workspace(context, label_studio_id)
    return [
        {
            "at": decision.decided_at.replace(tzinfo=UTC).isoformat(timespec="seconds"),
            "project": project.label_studio_id,
            "title": project.title or "",
            "by": decision.decided_by,
            "kind": decision.kind,
            "words": decision_words(decision),
            "details": decision.details,
        }
        for decision, project in newest_acts(context.database, limit, label_studio_id=label_studio_id)
    ]
