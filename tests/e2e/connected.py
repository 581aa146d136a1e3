"""A project that a running backend has connected: what people do with it, and what there is to see."""

import json
import sqlite3

import httpx

from demo.dataset import LABELS
from demo.project import FROM_NAME, TO_NAME, LabelingProject, write_label_config
from demo.waiting import wait_for

LABEL_NAMES = tuple(LABELS.values())
LOOP_TIMEOUT_S = 240.0


class ConnectedProject:
    """One project, the backend that serves it, and the true label of each of its tasks."""

    def __init__(self, project, backend):
        self.project = project
        self.backend = backend
        self.truth = {}
        self.report = None
        self.log_in = None

    @classmethod
    def create(cls, client, backend, documents):
        """A project with a task for each document, not yet connected."""
        config, tasks = write_label_config(LABEL_NAMES), _as_tasks(documents)
        project = LabelingProject.create(client, title="End to end", label_config=config, tasks=tasks)
        connected = cls(project, backend)
        connected.read_truth(documents)
        return connected

    def connect(self, **settings):
        """Connect by the command; `settings` are this project's own."""
        pairs = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
        self.report = self.run("connect", *pairs)
        return self

    def run(self, command, *arguments):
        """What `nextlabel COMMAND ID --json` prints; it must succeed."""
        done = self.backend.command_line(command, str(self.project.id), *arguments, "--json")
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    @property
    def client(self):
        return self.project.client

    @property
    def version(self):
        """The version that Label Studio orders by."""
        return self.project.fetch_version()

    def window(self):
        """The published window of the version that Label Studio orders by: task ids, the first at the front.

        Tasks that somebody opened have predictions of that version too, and wait behind it.
        """
        published = [row for row in self.predictions().values() if row["score"] < 0.5]
        return [row["task"] for row in sorted(published, key=lambda row: row["score"])]

    def predictions(self, version=None):
        """The stored predictions of a version (the one that serves), by task."""
        version = version or self.version
        stored = self.client.get("/api/predictions", params={"project": self.project.id})
        mine = [row for row in stored.raise_for_status().json() if row["model_version"] == version]
        assert len({row["task"] for row in mine}) == len(mine), "two predictions of one version on a task"
        return {row["task"]: row for row in mine}

    def add_tasks(self, documents):
        """Import a task for each document."""
        tasks = [{"data": data} for data in _as_tasks(documents)]
        self.client.post(f"/api/projects/{self.project.id}/import", json=tasks).raise_for_status()
        self.read_truth(documents)

    def read_truth(self, documents):
        """Find out which task has which document's label."""
        groups = {document.key: document.group for document in documents}
        keys = {task["id"]: task["data"]["document"] for task in self.project.fetch_tasks()}
        self.truth |= {task_id: groups[key] for task_id, key in keys.items() if key in groups}

    def annotate(self, *task_ids):
        """Submit the true label of each task."""
        for task_id in task_ids:
            self.project.annotate(task_id, self.truth[task_id])

    def label_served(self, count):
        """Label as many tasks, each as it is served; returns their ids."""
        served = []
        for _ in range(count):
            served.append(self.project.serve_next()["id"])
            self.annotate(served[-1])
        return served

    def annotations(self, task_id):
        """All annotations of a task."""
        return self.client.get(f"/api/tasks/{task_id}/annotations/").raise_for_status().json()

    def act(self, action, task_ids):
        """An action of the Data Manager on some tasks."""
        body = {"selectedItems": {"all": False, "included": list(task_ids)}}
        answer = self.client.post(
            "/api/dm/actions", params={"id": action, "project": self.project.id}, json=body
        )
        return answer.raise_for_status().json()

    def ml_backends(self):
        return self.client.get("/api/ml", params={"project": self.project.id}).raise_for_status().json()

    def webhooks(self):
        return (
            self.client.get("/api/webhooks/", params={"project": self.project.id}).raise_for_status().json()
        )

    def status(self):
        """The backend's own `GET /projects/<id>.json`."""
        url = f"{self.backend.url}/projects/{self.project.id}.json"
        # asked many times while a test waits: no certificates are read for an address without TLS
        answer = httpx.get(url, auth=self.log_in, trust_env=False, verify=False)
        return answer.raise_for_status().json()

    def start_training(self):
        """Press Label Studio's button."""
        (row,) = self.ml_backends()
        self.client.post(f"/api/ml/{row['id']}/train").raise_for_status()

    def ask_for_loop(self):
        """Call the retraining webhook, as a cron job would."""
        url = f"{self.backend.url}/projects/{self.project.id}/retrain"
        assert httpx.post(url, auth=self.log_in, trust_env=False).status_code == httpx.codes.ACCEPTED

    def wait_for_worker(self):
        """The last loop, once no hint waits for one any more."""

        def look():
            status = self.status()
            return status["last_loop"] if status["pending_hints"] == 0 else None

        loop = wait_for(look, "hints still wait for a loop", timeout_s=LOOP_TIMEOUT_S)
        assert loop["outcome"] != "failed", loop["error"]
        return loop

    def wait_for_loop(self, number):
        """The last loop, once the project has had so many, and no hint waits for another."""
        wait_for(
            lambda: self.status()["last_loop"]["number"] >= number,
            f"there are fewer than {number} loops",
            timeout_s=LOOP_TIMEOUT_S,
        )
        return self.wait_for_worker()

    def wait_for_version_after(self, old):
        """The version that Label Studio orders by, once it is another one than `old`."""
        return wait_for(
            lambda: version if (version := self.version) != old else None,
            f"Label Studio still orders by {old}",
            timeout_s=LOOP_TIMEOUT_S,
        )

    def stored_versions(self):
        """How many predictions of each version Label Studio has."""
        url = f"/api/projects/{self.project.id}/model-versions/"
        return self.client.get(url).raise_for_status().json()

    def change_settings(self, **settings):
        """Change settings of the project in Label Studio."""
        self.client.patch(f"/api/projects/{self.project.id}", json=settings).raise_for_status()

    def labelled(self):
        """Ids of the tasks that Label Studio does not serve any more."""
        query = {"project": self.project.id, "page_size": 10_000, "include": "id,is_labeled"}
        tasks = self.client.get("/api/tasks", params=query).raise_for_status().json()["tasks"]
        return {task["id"] for task in tasks if task["is_labeled"]}

    def let_time_pass(self, *, hours):
        """Make the backend, which must not run, believe that it looked at the project so long ago."""
        with sqlite3.connect(self.backend.folder / "data" / "nextlabel.db") as database:
            database.execute("UPDATE projects SET last_looked_at = last_looked_at - ?", (hours * 3600,))
        database.close()


def assert_valid_result(result):
    """One choice of the labeling config, with a confidence: what Label Studio can show."""
    (region,) = result
    assert (region["from_name"], region["to_name"], region["type"]) == (FROM_NAME, TO_NAME, "choices")
    (choice,) = region["value"]["choices"]
    assert choice in LABEL_NAMES
    assert 0.0 <= region["score"] <= 1.0


def _as_tasks(documents):
    return [{"text": document.text, "document": document.key} for document in documents]
