"""Answers Label Studio's /setup: takes a project down when it is new, and names the version in use."""

from __future__ import annotations

import json

from backend.columns import read_json
from backend.context import Context
from backend.errors import BadRequest
from backend.json_types import Json
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.reference import parse_reference
from backend.workflows.project.registration import EXTRA_PARAMS_KEY
from backend.workflows.project.workspace import all_keys, ensure_workspace, find_workspace


def take_setup(context: Context, body: Json) -> str:
    """The version in use. A project added in Label Studio's own dialog gets its first loop."""
    number, stamp = parse_reference(body["project"])
    overrides = _overrides(body.get("extra_params"))
    known = find_workspace(context, number, stamp)
    is_new = known is None or not known.state.connected
    workspace = known or ensure_workspace(context, number, stamp)
    workspace.change(connected=True, **({} if overrides is None else {"overrides": overrides}))
    if is_new:
        leave_hint(workspace, "setup")
    return workspace.version


def all_versions(context: Context) -> list[str]:
    """Every version of every project, newest first: Label Studio does not say which project it asks for."""
    names = {name for key in all_keys(context) for name in context.registry.versions(key)}
    return sorted(names, reverse=True)


def _overrides(extra_params: object) -> Json | None:
    """A project's own settings from extra_params; None when it has none. Raises BadRequest.

    What an earlier release knew and this one does not is kept, named by doctor, and not used.
    """
    if not isinstance(extra_params, dict) or EXTRA_PARAMS_KEY not in extra_params:
        return None
    overrides = extra_params[EXTRA_PARAMS_KEY] or {}
    if not isinstance(overrides, dict):
        raise BadRequest(
            f"extra_params.{EXTRA_PARAMS_KEY} is wrong: it must be an object.", hint="See README, Settings."
        )
    # a database need not hold whatever numbers come as JSON
    kept = read_json(json.dumps(overrides))
    return kept if isinstance(kept, dict) else {}
