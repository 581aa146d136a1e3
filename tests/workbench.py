"""One project of the Label Studio in memory and the backend it is connected to: what tests of the loop do."""

import json
import shutil
import sqlite3
import time
from contextlib import closing

from sqlalchemy import update

from backend.database import Project
from backend.parts import VECTORS_FOLDER
from backend.workflows.connection.connect import ConnectOptions, connect
from backend.workflows.intake.published import window_left
from backend.workflows.loop import run_loop, tidy
from backend.workflows.project.lease import lease
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import open_workspace
from model.stores import MANIFEST_FILE
from tests.fake_label_studio import ADMIN
from tests.topics import topic_of

DATABASE = "nextlabel.db"


class Workbench:
    """A project, seen from both sides."""

    def __init__(self, context, label_studio, project_id):
        self.context = context
        self.label_studio = label_studio
        self.project_id = project_id

    @property
    def workspace(self):
        """The backend's side of the project, as it is now."""
        return open_workspace(self.context, self.project_id)

    @property
    def project(self):
        """The backend's row."""
        return self.workspace.state

    @property
    def remote(self):
        """Label Studio's project."""
        return self.label_studio.projects[self.project_id]

    @property
    def backend(self):
        """Label Studio's only ML backend of the project."""
        (row,) = (
            row for row in self.label_studio.backends.values() if row["project"] == self.project_id
        )  # fmt: skip
        return row

    @property
    def webhooks(self):
        return [row for row in self.label_studio.webhooks.values() if row["project"] == self.project_id]

    @property
    def tasks(self):
        return {
            key: task for key, task in self.label_studio.tasks.items() if task["project"] == self.project_id
        }

    @property
    def version(self):
        return self.project.active_version

    @property
    def window(self):
        """Task ids of the window that wait, in the order the backend wants."""
        return window_left(self.workspace)

    @property
    def scores(self):
        """What Label Studio stores of the active version: score by task."""
        return self.label_studio.published(self.project_id, self.version)

    def lose_lease(self):
        """Another machine takes the project over while this thread holds it."""
        taken = {"lease_owner": "elsewhere/1/1", "lease_until": time.time() + 15}
        with self.context.database.engine.begin() as connection:
            connection.execute(update(Project).where(Project.id == self.project.id).values(taken))

    def connect(self, *, explain=False, require=False, link=False, pull=None, **overrides):
        return connect(
            self.context,
            self.project_id,
            ConnectOptions(overrides=overrides, explain=explain, require=require, link=link, pull=pull),
            progress=Silent(),
        )

    def loop(self):
        """One loop under the lease, and the sweep after it, as the worker does it."""
        with lease(self.workspace):
            report = run_loop(self.workspace, reason="test", progress=Silent())
            if report.outcome == "published":
                tidy(self.workspace)
        return report

    def served(self, count=10, *, user=ADMIN):
        """The next tasks in the order in which Label Studio would serve them."""
        return self.label_studio.served_order(self.project_id, count, user=user)

    def label(self, count, *, user=ADMIN):
        """Label the next tasks truly, in the order served; returns their ids."""
        done = []
        for _ in range(count):
            task = self.label_studio.serve_next(self.project_id, user=user)
            self.label_studio.annotate(task["id"], topic_of(task["data"]["text"]), user=user)
            done.append(task["id"])
        return done

    def result_of(self, task_id, version=None):
        """The regions that Label Studio stores for a task under a version."""
        (row,) = (
            row
            for row in self.label_studio.predictions.values()
            if row["task"] == task_id and row["model_version"] == (version or self.version)
        )
        return row["result"]

    def remember(self, folder):
        """Both sides as they are now; what the backend stores is copied to a folder."""
        shutil.copytree(self.context.settings.model_folder, folder / "models")
        vectors = self.context.settings.data_dir / VECTORS_FOLDER
        if vectors.exists():
            shutil.copytree(vectors, folder / VECTORS_FOLDER)
        _copy_database(self.context.settings.data_dir / DATABASE, folder / DATABASE)
        return folder, self.label_studio.remember(), list(self.context.jobs.enqueued)

    def restore(self, memory):
        """Go back to what another workbench remembers, which is much quicker than to connect."""
        folder, remote, enqueued = memory
        shutil.copytree(folder / "models", self.context.settings.model_folder)
        if (folder / VECTORS_FOLDER).exists():
            shutil.copytree(folder / VECTORS_FOLDER, self.context.settings.data_dir / VECTORS_FOLDER)
        _copy_database(folder / DATABASE, self.context.settings.data_dir / DATABASE)
        self.label_studio.restore(remote)
        self.context.jobs.enqueued.extend(enqueued)


def _copy_database(source, target):
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def forget_hashes(folder):
    """Makes a version one of an old release, whose manifest had no hashes of its files."""
    manifest = folder / MANIFEST_FILE
    content = json.loads(manifest.read_text())
    del content["files"]
    manifest.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
