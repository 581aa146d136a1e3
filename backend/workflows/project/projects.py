"""Finds projects by what Label Studio calls them."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.context import Context
from backend.database import Project
from backend.errors import BadRequest, NotFound
from backend.json_types import Json
from backend.label_studio.tasks import SyntheticFields
from backend.settings import ProjectSettings

# The column's type in PostgreSQL, ours and Label Studio's; SQLite would fail on much larger ones, too.
LARGEST_ID = 2**31 - 1
_REFERENCE = re.compile(r"([0-9]{1,10})\.([0-9]{1,12})")

# What answers before the first loop has published anything.
FIRST_VERSION = "nl-000000-label-names"


def parse_reference(reference: object) -> tuple[int, int]:
    """Reads "{id}.{creation time in seconds}", as /setup and /predict carry it. Raises BadRequest."""
    match = _REFERENCE.fullmatch(str(reference))
    if match is None or int(match.group(1)) > LARGEST_ID:
        raise BadRequest("`project` must look like 2.1795499256.", hint="Label Studio sends it this way.")
    return int(match.group(1)), int(match.group(2))


def created_stamp(remote: Json) -> int:
    """Creation time of a project, in whole seconds, from its JSON."""
    return int(datetime.fromisoformat(str(remote["created_at"])).timestamp())


def ensure_project(session: Session, label_studio_id: int, stamp: int) -> Project:
    """The row of a project, made when it is new."""
    project = session.scalar(
        select(Project).where(Project.label_studio_id == label_studio_id, Project.created_stamp == stamp)
    )
    if project is None:
        project = Project(label_studio_id=label_studio_id, created_stamp=stamp)
        session.add(project)
        session.flush()
    return project


def find_project(session: Session, label_studio_id: int, stamp: int | None = None) -> Project | None:
    """The row of a project; without a stamp the newest that had this id."""
    if not 0 <= label_studio_id <= LARGEST_ID:
        return None
    query = select(Project).where(Project.label_studio_id == label_studio_id)
    if stamp is not None:
        query = query.where(Project.created_stamp == stamp)
    return session.scalar(query.order_by(Project.created_stamp.desc()).limit(1))


def get_project(context: Context, label_studio_id: int, stamp: int | None = None) -> Project:
    """Like find_project, but raises NotFound with the cure."""
    with context.database.session() as session:
        project = find_project(session, label_studio_id, stamp)
    if project is None:
        raise NotFound(
            f"Project {label_studio_id} is not connected to this backend.",
            hint=f"Run: python -m backend connect {label_studio_id}",
        )
    return project


def project_settings(context: Context, project: Project) -> ProjectSettings:
    """The settings of one project: the environment's, changed by its own."""
    return context.settings.for_project(project.overrides)


def synthetic_fields(context: Context, project: Project) -> SyntheticFields:
    """How tasks of a project say that they are synthetic."""
    settings = project_settings(context, project)
    return SyntheticFields(
        field=settings.synthetic_field,
        values=tuple(value.strip() for value in settings.synthetic_values.split(",") if value.strip()),
        label_field=settings.synthetic_label_field,
    )


def reading_digest(context: Context, project: Project, label_config: str) -> str:
    """Digest of all that decides how a task is read."""
    return hashlib.sha256(f"{label_config}\0{synthetic_fields(context, project)}".encode()).hexdigest()


def project_seed(project: Project) -> int:
    """Seed of everything random in a project; derived, so that it survives the loss of the data folder."""
    return int.from_bytes(hashlib.sha256(project.key.encode()).digest()[:8]) >> 1


def current_version(project: Project | None) -> str:
    """The version string that /setup and every prediction carry now."""
    return (project.active_version if project else None) or FIRST_VERSION
