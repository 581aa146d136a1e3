"""Label Studio's HTTP API: one method per call we make, our errors instead of status codes."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from http import HTTPStatus
from itertools import islice

from backend.errors import LabelStudioError, NotFound
from backend.json_types import Json
from backend.label_studio import shapes
from backend.label_studio.connection import Connection, Refused

# `include` also decides which fields the nested annotations and predictions keep.
_TASK_FIELDS = (
    "id,data,is_labeled,updated_at,annotations,"
    "result,was_cancelled,completed_by,created_at,parent_prediction,ground_truth"
)
_PREDICTION_FIELDS = "id,predictions,model_version,score"
_PAGE_SIZE = 1000
_MOST_NAMED = 20  # projects in a message
_MOST_PROJECTS = 100  # Label Studio lists no more at once
# The first question of every command that a person typed: it says soon that nobody answers.
_TRIES_OF_WHOAMI = 3
# Three ways in which Label Studio names the unknown task, depending on its feature flags.
_UNKNOWN_TASK = re.compile(
    r"""'task': (\d+)(?s:.*)invalid "task" field|task ID (\d+) not found|Invalid task ID (\d+)"""
)


class UnknownTask(LabelStudioError):
    """A prediction was sent for a task that has been deleted meanwhile; `task_id` says which."""

    code = "unknown-task"

    def __init__(self, task_id: int) -> None:
        super().__init__(f"Label Studio has no task {task_id} in this project.", hint="Run the loop again.")
        self.task_id = task_id


class LabelStudio(Connection):
    """The calls that we make. A write whose answer was lost is read back before it is sent again."""

    def whoami(self) -> Json:
        """The user that the token belongs to."""
        user: Json = self._get("/api/current-user/whoami", shapes.USER, tries=_TRIES_OF_WHOAMI)
        return user

    def users(self) -> list[Json]:
        """Everybody in the organisation of the token's user."""
        rows: list[Json] = self._get("/api/users/", shapes.USERS)
        return rows

    def project(self, project_id: int) -> Json:
        """One project with its settings; raises NotFound, which names those that there are."""
        try:
            details: Json = self._get(f"/api/projects/{project_id}", shapes.PROJECT)
        except NotFound as error:
            raise self._no_project(project_id, error) from None
        return details

    def project_ids(self) -> list[int]:
        """Numbers of the projects that the user of the token can see, at most a hundred of them."""
        answer = self._get("/api/projects", shapes.PROJECTS, {"include": "id", "page_size": _MOST_PROJECTS})
        return [int(row["id"]) for row in answer["results"]]

    def update_project(self, project_id: int, **fields: object) -> None:
        """Changes settings of a project."""

        def read_back() -> Json | None:
            return _with_fields([self.project(project_id)], fields)

        self._send("PATCH", f"/api/projects/{project_id}", fields, shapes.OBJECT, read_back=read_back)

    def tasks(self, project_id: int, *, updated_after: str | None = None) -> Iterator[list[Json]]:
        """Pages of tasks with their annotations; only those changed after a moment when it is given."""
        params: Json = {"project": project_id, "fields": "all", "include": _TASK_FIELDS}
        if updated_after:
            params["query"] = json.dumps(_filter("updated_at", "Datetime", "greater", updated_after))
        yield from self._pages(params, shapes.TASKS_PAGE)

    def tasks_of(self, project_id: int, task_ids: Sequence[int]) -> list[Json]:
        """Those of some hundred tasks that there are in a project, with their annotations."""
        params: Json = {"project": project_id, "fields": "all", "include": _TASK_FIELDS}
        params["query"] = json.dumps(_filter("id", "Number", "in_list", list(task_ids)))
        return [task for page in self._pages(params, shapes.TASKS_PAGE) for task in page]

    def id_range(self, project_id: int) -> tuple[int, int]:
        """The smallest and the largest id of the tasks of a project that has some."""
        params: Json = {"project": project_id, "include": "id", "page_size": 1}
        ends = []
        for order in ("tasks:id", "-tasks:id"):
            page = self._get(
                "/api/tasks", shapes.IDS_PAGE, params | {"query": json.dumps({"ordering": [order]})}
            )
            ends.append(int(page["tasks"][0]["id"]))
        return ends[0], ends[1]

    def some_answered_tasks(self, project_id: int) -> list[Json]:
        """Tasks with annotations, one page of them."""
        params: Json = {"project": project_id, "fields": "all", "include": _TASK_FIELDS}
        params["query"] = json.dumps(_filter("total_annotations", "Number", "greater", 0))
        return next(self._pages(params, shapes.TASKS_PAGE), [])

    def annotated_tasks(self, project_id: int) -> Iterator[list[Json]]:
        """Pages of the tasks that have an annotation, cancelled or not."""
        params: Json = {"project": project_id, "fields": "all", "include": _TASK_FIELDS}
        counted = ("total_annotations", "cancelled_annotations")
        items = [_item(name, "Number", "greater", 0) for name in counted]
        params["query"] = json.dumps({"filters": {"conjunction": "or", "items": items}})
        yield from self._pages(params, shapes.TASKS_PAGE)

    def annotation(self, annotation_id: int) -> Json:
        """One annotation with all that Label Studio keeps of it. Raises NotFound."""
        found: Json = self._get(f"/api/annotations/{annotation_id}/", shapes.ANNOTATION)
        return found

    def annotations_of(self, task_id: int) -> list[Json]:
        """The annotations of a task that were not cancelled. Raises NotFound."""
        rows: list[Json] = self._get(f"/api/tasks/{task_id}/annotations/", [shapes.ANNOTATION])
        return rows

    def rewrite_annotation(self, annotation_id: int, result: list[Json]) -> None:
        """Gives an annotation another result; its author and its number remain. Raises NotFound."""
        self._send("PATCH", f"/api/annotations/{annotation_id}/", {"result": result})

    def create_annotation(self, task_id: int, fields: Json) -> None:
        """Adds an annotation in the name of its `completed_by`. Raises NotFound when the task is gone."""

        def read_back() -> Json | None:
            return _with_fields(self.annotations_of(task_id), fields)

        self._send("POST", f"/api/tasks/{task_id}/annotations/", fields, shapes.OBJECT, read_back=read_back)

    def skips(self, project_id: int, task_ids: Collection[int]) -> dict[int, list[int]]:
        """The ids of the cancelled annotations of some tasks, by task."""
        params: Json = {"project": project_id, "fields": "all", "include": _TASK_FIELDS}
        params["query"] = json.dumps(_filter("cancelled_annotations", "Number", "greater", 0))
        return {
            int(task["id"]): [int(said["id"]) for said in task["annotations"] if said.get("was_cancelled")]
            for page in self._pages(params, shapes.TASKS_PAGE)
            for task in page
            if int(task["id"]) in task_ids
        }

    def delete_annotation(self, annotation_id: int) -> None:
        """Removes one annotation, if it is still there."""
        self._delete(f"/api/annotations/{annotation_id}/")

    def task_ids(self, project_id: int) -> Iterator[list[int]]:
        """Pages of the ids of all tasks."""
        for page in self._pages({"project": project_id, "include": "id"}, shapes.IDS_PAGE):
            yield [int(task["id"]) for task in page]

    def counts(self, project_id: int) -> tuple[int, int]:
        """Number of tasks, and of annotations that were not cancelled."""
        params = {"project": project_id, "page_size": 1, "include": "id"}
        page = self._get("/api/tasks", shapes.COUNTS, params)
        return int(page["total"]), int(page["total_annotations"])

    def changed_since(self, project_id: int, moment: str | None) -> tuple[int, str | None]:
        """How many tasks changed after a moment (None: ever), and when the last of them did."""
        query: Json = {} if moment is None else _filter("updated_at", "Datetime", "greater", moment)
        query["ordering"] = ["-tasks:updated_at"]
        params = {
            "project": project_id,
            "page_size": 1,
            "include": "id,updated_at",
            "query": json.dumps(query),
        }
        page = self._get("/api/tasks", shapes.MOMENTS_PAGE, params)
        newest = next((str(task["updated_at"]) for task in page["tasks"]), None)
        return int(page["total"]), newest

    def predictions_of(self, project_id: int, version: str) -> list[Json]:
        """The stored predictions of one version: `id`, `task` and `score` of each."""
        query = {
            "filters": {
                "conjunction": "and",
                "items": [
                    {
                        "filter": "filter:tasks:predictions_model_versions",
                        "operator": "contains",
                        "type": "List",
                        "value": [version],
                    }
                ],
            }
        }
        params = {
            "project": project_id,
            "fields": "all",
            "include": _PREDICTION_FIELDS,
            "query": json.dumps(query),
        }
        return [
            {"id": prediction["id"], "task": task["id"], "score": prediction["score"]}
            for page in self._pages(params, shapes.SCORES_PAGE)
            for task in page
            for prediction in task["predictions"]
            if prediction["model_version"] == version
        ]

    def predictions(self, project_id: int) -> list[Json]:
        """Every stored prediction of a project, of whatever version: `task`, `result`, `model_version`."""
        rows: list[Json] = self._get("/api/predictions", shapes.PREDICTIONS, {"project": project_id})
        return rows

    def set_task_field(self, project_id: int, task_ids: Sequence[int], name: str, value: str) -> None:
        """Gives a field of the task data one value in many tasks at once; an empty value shows nothing."""
        selected = {"all": False, "included": list(task_ids)}
        body = {"selectedItems": selected, "value_name": name, "value_type": "String", "value": value}
        self._send("POST", f"/api/dm/actions?id=add_data_field&project={project_id}", body)

    def task_data(self, project_id: int, task_ids: Sequence[int]) -> dict[int, Json]:
        """The data of some tasks, by task; those that are gone are left out."""
        params: Json = {"project": project_id, "include": "id,data"}
        params["query"] = json.dumps(_filter("id", "Number", "in_list", list(task_ids)))
        return {
            int(task["id"]): task["data"] for page in self._pages(params, shapes.DATA_PAGE) for task in page
        }

    def replace_task_data(self, task_id: int, data: Json) -> None:
        """Gives a task these data in place of all that it has, if it is still there."""
        with suppress(NotFound):
            self._send("PATCH", f"/api/tasks/{task_id}", {"data": data})

    def count_columns_anew(self, project_id: int) -> None:
        """Lets the Data Manager forget columns that no task has any more."""
        self._send("POST", f"/api/projects/{project_id}/summary/reset/", {})

    def data_columns(self, project_id: int) -> list[str]:
        """Names of the fields of the task data that the Data Manager has a column for."""
        answer = self._get("/api/dm/columns", shapes.COLUMNS, {"project": project_id})
        return [str(column["id"]) for column in answer["columns"] if column.get("parent") == "data"]

    def tabs(self, project_id: int) -> list[Json]:
        """The tabs of the Data Manager."""
        rows: list[Json] = self._get("/api/dm/views", shapes.TABS, {"project": project_id})
        return rows

    def tab_tasks(self, project_id: int, tab_id: int, *, most: int) -> list[int]:
        """The ids of the first tasks that a tab of the project shows, in its order."""
        params: Json = {"project": project_id, "view": tab_id, "include": "id"}
        tasks = (int(task["id"]) for page in self._pages(params, shapes.IDS_PAGE) for task in page)
        return list(islice(tasks, most))

    def create_tab(self, project_id: int, data: Json) -> Json:
        """Adds a tab to the Data Manager."""
        body = {"project": project_id, "data": data}

        def read_back() -> Json | None:
            same = (tab for tab in self.tabs(project_id) if tab["data"].get("title") == data["title"])
            return next(same, None)

        tab: Json = self._send("POST", "/api/dm/views/", body, shapes.TAB, read_back=read_back)
        return tab

    def update_tab(self, tab_id: int, project_id: int, data: Json) -> None:
        """Replaces what a tab shows; raises NotFound when somebody closed it."""
        self._send("PATCH", f"/api/dm/views/{tab_id}", {"project": project_id, "data": data})

    def delete_tab(self, tab_id: int) -> None:
        """Closes a tab, if it is still there."""
        self._delete(f"/api/dm/views/{tab_id}")

    def import_predictions(self, project_id: int, predictions: Sequence[Json]) -> int:
        """Stores predictions in one call; returns how many were kept. Raises UnknownTask.

        Label Studio drops what it finds invalid without a word: compare the count.
        """
        path = f"/api/projects/{project_id}/import/predictions"
        try:
            return self._import_what_is_not_there(path, project_id, list(predictions))
        except Refused as error:
            missing = error.status_code == HTTPStatus.BAD_REQUEST and _UNKNOWN_TASK.search(error.detail)
            if missing:
                raise UnknownTask(int(next(filter(None, missing.groups())))) from None
            raise

    def delete_prediction(self, prediction_id: int) -> None:
        """Removes one prediction, if it is still there. (The bulk call resets the project's version.)"""
        self._delete(f"/api/predictions/{prediction_id}")

    def delete_version(self, project_id: int, version: str) -> int:
        """Removes all predictions of a version; returns how many. May reset the project's model version."""
        path = f"/api/projects/{project_id}/model-versions/"
        answer = self._send("DELETE", path, {"model_version": version}, shapes.DELETED)
        return int(answer["deleted_predictions"])

    def model_versions(self, project_id: int) -> dict[str, int]:
        """Versions of the stored predictions, and how many predictions each has."""
        return {
            str(name): int(count)
            for name, count in self._get(
                f"/api/projects/{project_id}/model-versions/", shapes.VERSIONS
            ).items()
        }

    def next_task(self, project_id: int) -> Json | None:
        """The task that Label Studio serves next to the token's user, and reserves for him; None: no more."""
        try:
            task: Json = self._get(f"/api/projects/{project_id}/next", shapes.TASK)
            return task
        except NotFound:
            return None

    def ml_backends(self, project_id: int) -> list[Json]:
        """The ML backends registered for a project."""
        rows: list[Json] = self._get("/api/ml", shapes.BACKENDS, {"project": project_id})
        return rows

    def create_ml_backend(self, **fields: object) -> Json:
        """Registers an ML backend. Raises AddressBlocked or BackendUnreachable when it cannot be called."""

        def read_back() -> Json | None:
            return _with_fields(self.ml_backends(int(str(fields["project"]))), {"url": fields["url"]})

        row: Json = self._send("POST", "/api/ml", fields, shapes.BACKEND, read_back=read_back)
        return row

    def update_ml_backend(self, backend_id: int, **fields: object) -> None:
        """Changes an ML backend; `project` and `url` must be among the fields."""

        def read_back() -> Json | None:
            shown = {name: value for name, value in fields.items() if name != "basic_auth_pass"}
            return _with_fields(self.ml_backends(int(str(fields["project"]))), shown | {"id": backend_id})

        self._send("PATCH", f"/api/ml/{backend_id}", fields, shapes.OBJECT, read_back=read_back)

    def delete_ml_backend(self, backend_id: int) -> None:
        """Unregisters an ML backend; its predictions and webhook remain."""
        self._delete(f"/api/ml/{backend_id}")

    def webhooks(self, project_id: int) -> list[Json]:
        """The webhooks of a project."""
        rows: list[Json] = self._get("/api/webhooks/", shapes.WEBHOOKS, {"project": project_id})
        return rows

    def create_webhook(self, **fields: object) -> None:
        """Adds a webhook."""

        def read_back() -> Json | None:
            return _with_fields(self.webhooks(int(str(fields["project"]))), {"url": fields["url"]})

        self._send("POST", "/api/webhooks/", fields, shapes.OBJECT, read_back=read_back)

    def update_webhook(self, webhook_id: int, **fields: object) -> None:
        """Changes a webhook."""
        self._send("PATCH", f"/api/webhooks/{webhook_id}/", fields)

    def delete_webhook(self, webhook_id: int) -> None:
        """Removes a webhook."""
        self._delete(f"/api/webhooks/{webhook_id}/")

    def _import_what_is_not_there(self, path: str, project_id: int, predictions: list[Json]) -> int:
        """Sends predictions; after a lost answer, only those that did not arrive."""

        def read_back() -> Json | None:
            there = self._stored_places(project_id, predictions)
            missing = [row for row in predictions if (row["task"], row["score"]) not in there]
            if not there:
                return None
            more = self._import_what_is_not_there(path, project_id, missing) if missing else 0
            return {"created": len(predictions) - len(missing) + more}

        answer = self._send("POST", path, predictions, shapes.CREATED, read_back=read_back)
        return int(answer["created"])

    def _stored_places(self, project_id: int, predictions: list[Json]) -> set[tuple[int, float]]:
        """Which of these predictions Label Studio holds, as task and score."""
        sent = {(row["task"], row["score"]) for row in predictions}
        versions = {str(row["model_version"]) for row in predictions}
        stored = (row for version in versions for row in self.predictions_of(project_id, version))
        return sent & {(row["task"], row["score"]) for row in stored}

    def _no_project(self, project_id: int, error: NotFound) -> NotFound:
        try:
            numbers = sorted(self.project_ids())
        except LabelStudioError:
            return error
        named = ", ".join(map(str, numbers[:_MOST_NAMED])) + (", …" if len(numbers) > _MOST_NAMED else "")
        return NotFound(
            f"Label Studio has no project {project_id}, or this token may not see it.",
            hint=f"You can see: {named}." if numbers else "Make a project in Label Studio first.",
        )

    def _pages(self, params: Json, shape: shapes.Shape) -> Iterator[list[Json]]:
        page, seen = 1, 0
        while True:
            answer = self._get("/api/tasks", shape, {**params, "page": page, "page_size": _PAGE_SIZE})
            tasks = answer["tasks"]
            seen += len(tasks)
            if tasks:
                yield tasks
            if not tasks or seen >= answer["total"]:
                return
            page += 1


def _with_fields(rows: list[Json], fields: Json) -> Json | None:
    """The row that has these values, if there is one."""
    return next((row for row in rows if fields.items() <= row.items()), None)


def _filter(column: str, kind: str, operator: str, value: object) -> Json:
    return {"filters": {"conjunction": "and", "items": [_item(column, kind, operator, value)]}}


def _item(column: str, kind: str, operator: str, value: object) -> Json:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
