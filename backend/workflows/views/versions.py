"""The stored versions of a project, and what they were measured to be worth."""

from __future__ import annotations

from backend.json_types import Json
from backend.workflows.project.workspace import Workspace
from model.registry import Manifest, RegistryError


def list_versions(workspace: Workspace) -> list[Json]:
    """Every model version of a project, newest first, with what it was measured to be worth.

    Those that cannot be read are among them, also the one in use when its folder is gone.
    """
    rows = []
    active_version = workspace.state.active_version
    names = {*workspace.registry.folders(workspace.key), *([active_version] if active_version else [])}
    for name in sorted(names, reverse=True):
        active = name == active_version
        try:
            _head, manifest = workspace.registry.load(workspace.key, name)
        except RegistryError:
            rows.append(_unreadable_row(name, active=active))
            continue
        rows.append(_version_row(manifest, active=active))
    return rows


def version_metrics(workspace: Workspace) -> Json:
    """What the version in use was measured to be worth; empty when there is none that can be read."""
    manifest = active_manifest(workspace)
    return dict(manifest.metrics) if manifest else {}


def active_manifest(workspace: Workspace) -> Manifest | None:
    """What is known of the version in use; None where there is none that can be read."""
    if workspace.state.active_version is None:
        return None
    try:
        _head, manifest = workspace.registry.load(workspace.key, workspace.state.active_version)
    except RegistryError:
        return None
    return manifest


def _unreadable_row(name: str, *, active: bool) -> Json:
    empty: Json = {"created_at": "", "representation": "", "strategy": "", "classes": 0, "metrics": {}}
    return {"version": name, "active": active, "kind": "unreadable"} | empty


def _version_row(manifest: Manifest, *, active: bool) -> Json:
    return {
        "version": manifest.version,
        "active": active,
        "kind": manifest.kind,
        "representation": manifest.representation,
        "created_at": manifest.created_at,
        "strategy": manifest.strategy,
        "classes": len(manifest.classes),
        "metrics": manifest.metrics,
    }
