"""The class that users of the label-studio-ml library know: setup, predict and fit of one project.

Works with the released 1.0.9 (`__init__(label_config, …)`, `fit((), event=…, data=…)`) and with 2.x
(`__init__(project_id, label_config)`, `fit(event, data)`); the work itself is done by the workflows.
"""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import ClassVar

from backend.context import Context
from backend.errors import UnsupportedConfig
from backend.json_types import Json
from backend.label_studio.label_config import LabelConfig, Preference, parse_label_config
from backend.ml_library import LabelStudioMLBase
from backend.workflows.connection.webhook import take_event
from backend.workflows.project.reference import parse_reference
from backend.workflows.project.workspace import FIRST_VERSION, Workspace, find_workspace
from backend.workflows.serving.predict import predict_by_names, predict_tasks

_BASE_TAKES_PROJECT = "project_id" in inspect.signature(LabelStudioMLBase.__init__).parameters


class NextlabelModel(LabelStudioMLBase):  # type: ignore[misc]  # the library ships no types
    """One project's model, made anew for each request; everything that lasts is in `context`."""

    context: ClassVar[Context]

    @classmethod
    def bound_to(cls, context: Context) -> type[NextlabelModel]:
        """The class with its context, as the server of either library version takes it."""
        return type(cls.__name__, (cls,), {"context": context})

    def __init__(
        self, project_id: str | None = None, label_config: str | None = None, **kwargs: object
    ) -> None:
        # The base would fail on a config that is not valid XML: our own parser names the fault.
        if _BASE_TAKES_PROJECT:
            super().__init__(project_id=project_id, label_config=None)
        else:
            super().__init__(label_config=None, **kwargs)
        self.project_reference = project_id
        self.config_xml = label_config or ""

    @cached_property
    def project(self) -> Workspace | None:
        """The project's workspace; None when the request named none, or one we do not know."""
        if not self.project_reference:
            return None
        number, stamp = parse_reference(self.project_reference)
        return find_workspace(self.context, number, stamp)

    @property
    def label_config_parsed(self) -> LabelConfig | None:
        """The part of the config we answer; None when there is nothing in it that we can learn."""
        if not self.config_xml.strip():
            return None
        try:
            return parse_label_config(self.config_xml, self._preference)
        except UnsupportedConfig:
            return None

    @property
    def _preference(self) -> Preference:
        if self.project is not None:
            return self.project.preference
        settings = self.context.settings
        return Preference(questions=settings.question_names, hints=settings.hint_pairs)

    def get_version(self) -> str:
        """The version string in use."""
        return self.project.version if self.project else FIRST_VERSION

    def predict(self, tasks: list[Json], context: Json | None = None, **kwargs: object) -> list[Json]:
        """One prediction per task, as Label Studio takes it."""
        if self.project is None:
            return predict_by_names(self.context, tasks, self.label_config_parsed)
        return predict_tasks(self.project, tasks, self.label_config_parsed)

    def fit(
        self, *args: object, event: str | None = None, data: Json | None = None, **kwargs: object
    ) -> Json:
        """Takes an event down; the worker trains. Never trains in the request."""
        if len(args) == 2 and isinstance(args[0], str) and isinstance(args[1], dict):
            event, data = args[0], args[1]
        if event and data is not None:
            take_event(self.context, event, data)
        return {"model_version": self.get_version()}
