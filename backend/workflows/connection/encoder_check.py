"""Which encoders a project needs, and whether they are there."""

from __future__ import annotations

from backend.context import Context
from backend.errors import NextlabelError
from backend.label_studio.label_config import shown_pictures
from backend.workflows.connection.finding import Finding, try_check
from backend.workflows.project.workspace import Workspace, open_workspace

_CHECK = "encoder"


def check_encoders(context: Context, label_studio_id: int | None) -> Finding:
    """The encoder of texts where tasks show any, and that of pictures where they show these.

    Without a project, and of one that was never read, the encoder of texts.
    """
    return try_check(_CHECK, lambda: _find(context, _known(context, label_studio_id)))


def _find(context: Context, workspace: Workspace | None) -> Finding:
    shows_text, pictures = (True, ()) if workspace is None else shown_pictures(workspace.state.label_config)
    name = None if workspace is None else workspace.state.encoder
    there = []
    if shows_text or not pictures:
        there.append(context.encoders.named(name).revision)
    if pictures:
        there.append(f"{context.encoders.images.revision} for pictures")
    return Finding(_CHECK, "ok", f"there: {' and '.join(there)}")


def _known(context: Context, label_studio_id: int | None) -> Workspace | None:
    if label_studio_id is None:
        return None
    try:
        return open_workspace(context, label_studio_id)
    except NextlabelError:
        return None
