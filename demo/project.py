"""What a person does in Label Studio, through its own API: a project, its tasks, the queue, an annotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

FROM_NAME = "topic"
TO_NAME = "text"
FILES_AT_ONCE = 50  # of an upload: Label Studio takes 100


def write_label_config(labels: Sequence[str]) -> str:
    """The labeling config: a note of the backend above the text, one choice below it."""
    choices = "".join(f'<Choice value="{label}"/>' for label in labels)
    return (
        f'<View><Header value="$nextlabel_note" size="5"/><Text name="{TO_NAME}" value="$text"/>'
        f'<Choices name="{FROM_NAME}" toName="{TO_NAME}" choice="single" required="true" showInLine="true">'
        f"{choices}</Choices></View>"
    )


class LabelingProject:
    """One project in Label Studio, as the person sees it for whom `client` speaks."""

    def __init__(self, client: httpx.Client, project_id: int, *, to_name: str = TO_NAME) -> None:
        """`to_name` is the object of its config that a question is about."""
        self.client = client
        self.id = project_id
        self.to_name = to_name

    @classmethod
    def create(
        cls,
        client: httpx.Client,
        *,
        label_config: str,
        tasks: Sequence[Mapping[str, Any]],
        **settings: Any,
    ) -> LabelingProject:
        """Create the project and import one task per element of `tasks`, each the data of a task.

        `settings` are other fields of a project in Label Studio, such as its title.
        """
        body = {"label_config": label_config, **settings}
        project = cls(client, _json(client.post("/api/projects", json=body))["id"])
        if tasks:
            _json(client.post(f"/api/projects/{project.id}/import", json=[{"data": data} for data in tasks]))
        return project

    def upload(self, files: Mapping[str, bytes]) -> None:
        """Upload files by their names, as the import button does: each becomes a task."""
        named = list(files.items())
        for start in range(0, len(named), FILES_AT_ONCE):
            part = {f"file{place}": one for place, one in enumerate(named[start : start + FILES_AT_ONCE])}
            _json(self.client.post(f"/api/projects/{self.id}/import", files=part))

    def as_seen_by(self, client: httpx.Client) -> LabelingProject:
        """The same project for another person."""
        return LabelingProject(client, self.id, to_name=self.to_name)

    def settings(self) -> Mapping[str, Any]:
        """The project as Label Studio describes it."""
        return dict(_json(self.client.get(f"/api/projects/{self.id}")))

    def fetch_version(self) -> str | None:
        """The version whose predictions Label Studio shows and orders by now."""
        return self.settings()["model_version"] or None

    def fetch_tasks(self) -> list[dict[str, Any]]:
        """Every task: its id and its data."""
        query: dict[str, str | int] = {"project": self.id, "page_size": 10_000, "include": "id,data"}
        tasks: list[dict[str, Any]] = _json(self.client.get("/api/tasks", params=query))["tasks"]
        return tasks

    def fetch_published_order(self, version: str) -> list[int]:
        """Task ids in the order in which Label Studio should serve `version`: lowest score first."""
        predictions = _json(self.client.get("/api/predictions", params={"project": self.id}))
        current = [p for p in predictions if p["model_version"] == version and p["score"] is not None]
        return [p["task"] for p in sorted(current, key=lambda p: (p["score"], p["task"]))]

    def serve_next(self) -> dict[str, Any]:
        """The task that Label Studio serves this person now."""
        task: dict[str, Any] = _json(self.client.get(f"/api/projects/{self.id}/next"))
        return task

    def annotate(self, task_id: int, label: str) -> None:
        """Submit `label` for the task."""
        region = {
            "from_name": FROM_NAME,
            "to_name": self.to_name,
            "type": "choices",
            "value": {"choices": [label]},
        }
        self.submit(task_id, [region])

    def submit(self, task_id: int, regions: Sequence[Mapping[str, Any]]) -> None:
        """Submit what these regions say for the task."""
        self._submit(task_id, {"result": list(regions)})

    def skip(self, task_id: int) -> None:
        """Skip the task, as the button does: a cancelled annotation."""
        self._submit(task_id, {"result": [], "was_cancelled": True})

    def _submit(self, task_id: int, annotation: Mapping[str, Any]) -> None:
        _json(self.client.post(f"/api/tasks/{task_id}/annotations/", json=annotation))


def _json(answer: httpx.Response) -> Any:
    if answer.is_error:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise RuntimeError(f"Label Studio answered {answer.status_code} to {asked}: {answer.text[:300]}")
    return answer.json()
