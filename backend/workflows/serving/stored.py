"""Which stored version answers: the one in use, or the newest whole one while its files are damaged."""

from __future__ import annotations

from backend.errors import NotFound
from backend.workflows.project.workspace import Workspace
from model.heads.single_label import LinearHead
from model.registry import Manifest, RegistryError
from model.stores import StoreUnreachable


def answering(workspace: Workspace) -> tuple[LinearHead | None, Manifest] | None:
    """Head and manifest of the version that answers live; None where there is none that can be read."""
    active = workspace.state.active_version
    if not active:
        return None
    registry, key = workspace.registry, workspace.key
    try:
        return registry.load(key, active)
    except RegistryError:
        pass
    for version in sorted(registry.versions(key), reverse=True):
        try:
            return registry.load(key, version)
        except RegistryError:
            continue
    return None


def require_version(workspace: Workspace, version: str) -> None:
    """Raises NotFound when a project has no such version, or none that can be read."""
    hint = f"See: nextlabel versions {workspace.label_studio_id}"
    if version not in workspace.registry.versions(workspace.key):
        raise NotFound(f"Project {workspace.label_studio_id} has no version {version!r}.", hint=hint)
    try:
        workspace.registry.load(workspace.key, version)
    except RegistryError:
        raise NotFound(f"Version {version} cannot be read.", hint=hint) from None


def damage(workspace: Workspace) -> str | None:
    """What is wrong with the files of the version in use, and what answers meanwhile; None: nothing."""
    active = workspace.state.active_version
    if not active:
        return None
    try:
        workspace.registry.load(workspace.key, active)
    except StoreUnreachable as error:
        return f"the model store does not answer ({error.strerror})"
    except RegistryError:
        found = answering(workspace)
        meanwhile = f"{found[1].version} answers" if found else "nothing is pre-annotated"
        return f"the files of {active} are damaged; {meanwhile} until it is learned anew"
    return None
