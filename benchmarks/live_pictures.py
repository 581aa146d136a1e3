"""The real backend beside a Label Studio in memory, with pictures by address, in one process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from backend.context import Context
from backend.label_studio.client import LabelStudio
from backend.parts import build_context
from backend.settings import Settings
from backend.workflows.serving import publish
from tests.fake_label_studio import LEGACY_TOKEN, FakeLabelStudio
from tests.pictures import Files
from tests.workbench import Workbench

BACKEND_URL = "http://backend.test:9090"


class SilentJobs:
    """Stands in for the queue of jobs: loops run when the bench asks for one."""

    def bind(self, *, run: Any, tick: Any) -> None:
        """Nothing runs here."""

    def enqueue(self, project: int) -> None:
        """Nothing is due."""

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class PictureStage:
    """Label Studio, the parts of a backend, and the bytes that every address gives."""

    label_studio: FakeLabelStudio
    context: Context
    files: Files

    def open_project(
        self,
        config: str,
        rows: Sequence[Mapping[str, object]],
        pictures: Mapping[str, bytes],
        **settings: object,
    ) -> Workbench:
        """A connected project with a task for each row, after its first loop."""
        self.files.contents |= pictures
        project_id = self.label_studio.add_project(label_config=config)
        self.label_studio.add_tasks(project_id, [dict(row) for row in rows])
        bench = Workbench(self.context, self.label_studio, project_id)
        bench.connect(**settings)
        return bench


@contextmanager
def open_picture_stage(**settings: Any) -> Iterator[PictureStage]:
    """A stage with an empty data folder; what was encoded for one project is there for the next."""
    from backend.app import create_app

    publish._SWEEP_PAUSE_S = 0.0  # old predictions go slowly only for the sake of a real database
    label_studio, files = FakeLabelStudio(), Files({})
    with tempfile.TemporaryDirectory(prefix="nextlabel-bench-") as folder:
        chosen = Settings(
            _env_file=None,
            data_dir=Path(folder),
            label_studio_url=FakeLabelStudio.url,
            label_studio_api_key=LEGACY_TOKEN,
            backend_url=BACKEND_URL,
            webhook_secret="bench",
            **settings,
        )
        call = partial(LabelStudio, FakeLabelStudio.url, LEGACY_TOKEN, transport=label_studio.transport)
        context = replace(build_context(chosen), label_studio=call, media=lambda: files, jobs=SilentJobs())
        label_studio.serve(BACKEND_URL, create_app(context).test_client())
        yield PictureStage(label_studio, context, files)
