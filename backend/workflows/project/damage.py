"""A project's row that is damaged: named wherever people look, and written anew by the next loop."""

from __future__ import annotations

import logging

from backend.json_types import Json
from backend.workflows.project.registration import EXTRA_PARAMS_KEY
from backend.workflows.project.workspace import Workspace

logger = logging.getLogger(__name__)


def row_damage(workspace: Workspace) -> str | None:
    """What of a project's row cannot be read; None: nothing."""
    columns = workspace.damaged_columns
    if not columns:
        return None
    return f"the database holds what cannot be read in {', '.join(columns)} of this project; defaults hold"


def passed_over(workspace: Workspace) -> str | None:
    """Which settings of the project's own are not used; None: all are."""
    settings = workspace.settings_passed_over
    if not settings:
        return None
    named = ", ".join(f"{name}={value}" for name, value in settings.items())
    return f"not known to this release, so the default holds: {named}"


def notices(workspace: Workspace) -> list[str]:
    """Sentences about both, where there is something to say."""
    return [words for words in (row_damage(workspace), passed_over(workspace)) if words]


def mend_row(workspace: Workspace, backend: Json | None) -> None:
    """Puts what can be read in the place of what cannot; Label Studio keeps the project's own settings.

    `backend` is our row among the ML backends of the project; None where nothing is registered.
    """
    damaged = workspace.damaged_columns
    if not damaged:
        return
    logger.warning("row mended project=%s columns=%s", workspace.label_studio_id, ",".join(damaged))
    values: Json = {name: _plain(getattr(workspace.state, name)) for name in damaged}
    if "overrides" in values:
        extra = backend.get("extra_params") if backend else None
        stored = extra.get(EXTRA_PARAMS_KEY) if isinstance(extra, dict) else None
        values["overrides"] = workspace.context.settings.known_overrides(stored)
    workspace.mend(**values)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, list) else 0.0
