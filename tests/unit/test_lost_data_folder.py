"""The data folder is lost: Label Studio knows the labels, and the queue comes back as it was.

With the real text encoder, since it is its rounding that decides between tasks that are nearly as good. What
is random in a project hangs on the second in which it was made, so several are tried.
"""

import pytest

from tests.stored_vectors import stored_vectors
from tests.topics import write_texts
from tests.workbench import Workbench

TEXTS = write_texts(44)
AT_FIRST = 36


@pytest.fixture
def encoder(text_encoder):
    return text_encoder


@pytest.fixture
def open_workbench(make_settings, make_context, make_app, label_studio, tmp_path):
    """open_workbench(project_id, folder): a backend with a data folder of its own, and the project."""

    def make(project_id, folder):
        context = make_context(make_settings(data_dir=tmp_path / folder))
        make_app(context)
        return Workbench(context, label_studio, project_id)

    return make


@pytest.mark.parametrize("day", range(1, 5))
def test_a_lost_data_folder_comes_back_as_the_same_queue(day, open_workbench, label_studio):
    project_id = label_studio.add_project(
        texts=TEXTS[:AT_FIRST], created_at=f"2026-03-{day:02}T08:15:00.000000Z"
    )
    before = open_workbench(project_id, "before")
    before.connect()
    for task_id in label_studio.add_tasks(project_id, [{"text": text} for text in TEXTS[AT_FIRST:]]):
        label_studio.open_task(task_id)  # its text is encoded alone; later, among all others
    before.label(8)
    before.loop()
    after = open_workbench(project_id, "after")
    after.connect()
    assert stored_vectors(after.context) == stored_vectors(before.context) != {}
    assert after.window == before.window
    assert after.version > before.version
