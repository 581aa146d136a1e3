"""One project with its settings, seed, key and database: made once where a command, job or request begins."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from backend.columns import Damaged
from backend.context import Context, Lazy, LazyEncoder
from backend.database import Project
from backend.errors import NotFound
from backend.label_studio.label_config import Preference, shown_pictures
from backend.label_studio.shown_noun import Noun, shown_noun
from backend.label_studio.tasks import SyntheticFields
from backend.settings import ProjectSettings
from backend.store.batches import ProjectBatches
from backend.store.decisions import Decisions
from backend.store.embeddings import Vectors
from backend.store.groups import Groups
from backend.store.hints import Hints
from backend.store.loops import Loops
from backend.store.map_points import MapPoints
from backend.store.pictures import Pictures
from backend.store.relabellings import Relabellings
from backend.store.selections import Selections
from backend.store.skip_groups import SkipGroups
from backend.store.tasks import Tasks
from backend.store.verdicts import Verdicts
from backend.store.windows import Windows
from backend.workflows.project.reference import LARGEST_ID
from model.registry import ModelRegistry

if TYPE_CHECKING:
    from model.encoders.joined import JoinedEncoder

# What answers before the first loop has published anything.
FIRST_VERSION = "nl-000000-label-names"


class Workspace:
    """What a workflow works with. `state` is the project's row as last read; `change` is its only writer.

    `overrides` stand in for the project's own settings without being written, `label_config` for its config:
    a replay works with those of the loop that it repeats.
    """

    def __init__(
        self,
        context: Context,
        state: Project,
        *,
        overrides: dict[str, object] | None = None,
        label_config: str | None = None,
    ) -> None:
        self.context = context
        self._state = state
        self._overrides = overrides
        self._label_config = label_config
        database = context.database
        self.tasks = Tasks(database, state.id, context.vectors)
        self.pictures = Pictures(database, state.id, context.vectors)
        self.windows = Windows(database, state.id)
        self.loops = Loops(database, state.id)
        self.groups = Groups(database, state.id)
        self.skip_groups = SkipGroups(database, state.id)
        self.verdicts = Verdicts(database, state.id)
        self.map_points = MapPoints(database, state.id)
        self.selections = Selections(database, state.id)
        self.decisions = Decisions(database, state.id)
        self.relabellings = Relabellings(database, state.id)
        self.hints = Hints(database, state.id)
        self.batches = ProjectBatches(database, state.id)

    @property
    def id(self) -> int:
        """Number of the row: what our other tables call the project."""
        return self._state.id

    @property
    def label_studio_id(self) -> int:
        """Label Studio's number, which it may use again for another project."""
        return self._state.label_studio_id

    @property
    def key(self) -> str:
        """Name of the project in the model store; never used again."""
        return self._state.key

    @property
    def reference(self) -> str:
        """What Label Studio calls the project in /setup and /predict."""
        return self._state.reference

    @property
    def seed(self) -> int:
        """Seed of all that is random in a project; derived, so that it outlives our data folder."""
        return int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:8]) >> 1

    @property
    def settings(self) -> ProjectSettings:
        """The environment's settings, changed by those of the project's own that there still are."""
        overrides = self._state.overrides if self._overrides is None else self._overrides
        settings = self.context.settings
        return settings.for_project(settings.known_overrides(overrides))

    @property
    def state(self) -> Project:
        """The row as last read or changed; to be read only."""
        return self._state

    @property
    def damaged_columns(self) -> list[str]:
        """Columns of the project's row that hold what cannot be read."""
        return sorted(name for name, value in vars(self._state).items() if isinstance(value, Damaged))

    @property
    def settings_passed_over(self) -> dict[str, object]:
        """Settings of the project's own that there are no more, or not with this value: defaults hold."""
        known = self.context.settings.known_overrides(self._state.overrides)
        return {name: value for name, value in self._state.overrides.items() if name not in known}

    @property
    def version(self) -> str:
        """The version string that /setup and every prediction carry now."""
        return self._state.active_version or FIRST_VERSION

    @property
    def vectors(self) -> Vectors:
        """The vectors of all texts, this project's among them."""
        return self.context.vectors

    @property
    def encoder(self) -> LazyEncoder:
        """What turns tasks into vectors: the project's own encoder, else the one that TEXT_ENCODER names.

        Where tasks show pictures, that one for their texts and IMAGE_ENCODER's for their pictures.
        """
        return self.joined or self.context.encoders.named(self._state.encoder)

    @property
    def noun(self) -> Noun:
        """What the tasks show, in words."""
        return shown_noun(self._xml)

    @property
    def joined(self) -> Lazy[JoinedEncoder] | None:
        """The encoder of tasks that show pictures; None where they show none."""
        return joined_encoder(self.context, self._state.encoder, shown_pictures(self._xml))

    @property
    def _xml(self) -> str:
        return self._state.label_config if self._label_config is None else self._label_config

    @property
    def registry(self) -> ModelRegistry:
        """Where the versions are."""
        return self.context.registry

    @property
    def synthetic_fields(self) -> SyntheticFields:
        """How tasks of the project say that they are synthetic."""
        settings = self.settings
        return SyntheticFields(
            field=settings.synthetic_field,
            values=tuple(value.strip() for value in settings.synthetic_values.split(",") if value.strip()),
            label_field=settings.synthetic_label_field,
        )

    @property
    def preference(self) -> Preference:
        """Which question of the labeling config is answered, and what is said of its labels."""
        settings = self.settings
        return Preference(
            questions=settings.question_names, settled=self._state.question, hints=settings.hint_pairs
        )

    def with_overrides(self, overrides: dict[str, object], *, label_config: str | None = None) -> Workspace:
        """The same project under other settings of its own, and another config, while this object lives."""
        return Workspace(self.context, self._state, overrides=overrides, label_config=label_config)

    def change(self, **values: object) -> None:
        """Writes columns of the project's row."""
        self._state = self.context.projects.change(self.id, values)

    def mend(self, **values: object) -> None:
        """Writes columns that are damaged."""
        self.context.projects.overwrite(self.id, values)
        self.refresh()

    def refresh(self) -> None:
        """Reads the row again: others may have changed it while we waited."""
        self._state = self.context.projects.read(self.id)


def joined_encoder(
    context: Context, name: str | None, shown: tuple[bool, tuple[str, ...]]
) -> Lazy[JoinedEncoder] | None:
    """The encoder of tasks that show a text or not, and some pictures; `name` is that of its text encoder.

    None without pictures.
    """
    has_text, pictures = shown
    if not pictures:
        return None
    from model.encoders.joined import Layout  # numpy is only for those who have pictures

    return context.encoders.joined(name, Layout(has_text, pictures))


def open_workspace(context: Context, label_studio_id: int, stamp: int | None = None) -> Workspace:
    """The workspace of a project, without a stamp the newest of this number. Raises NotFound."""
    workspace = find_workspace(context, label_studio_id, stamp)
    if workspace is None:
        raise NotFound(
            f"Project {label_studio_id} is not connected to this backend.",
            hint=f"Run: nextlabel connect {label_studio_id}",
        )
    return workspace


def find_workspace(context: Context, label_studio_id: int, stamp: int | None = None) -> Workspace | None:
    """Like open_workspace, but None where there is none."""
    if not 0 <= label_studio_id <= LARGEST_ID:
        return None
    row = context.projects.find(label_studio_id, stamp)
    return None if row is None else Workspace(context, row)


def ensure_workspace(context: Context, label_studio_id: int, stamp: int) -> Workspace:
    """The workspace of a project; its row is made when it is new."""
    return Workspace(context, context.projects.ensure(label_studio_id, stamp))


def read_workspace(context: Context, project_id: int) -> Workspace | None:
    """The workspace of a row by its number, as jobs carry it."""
    row = context.projects.get(project_id)
    return None if row is None else Workspace(context, row)


def is_disconnected(workspace: Workspace) -> bool:
    """Whether a project is not connected at this moment, whatever its row said when it was read."""
    row = workspace.context.projects.get(workspace.id)
    return row is not None and not row.connected


def connected_workspaces(context: Context) -> list[Workspace]:
    """Every connected project, in the order in which they came."""
    return [Workspace(context, row) for row in context.projects.connected()]


def all_keys(context: Context) -> list[str]:
    """Names in the model store of every project that ever was."""
    return context.projects.keys()
