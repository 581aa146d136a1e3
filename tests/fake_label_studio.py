"""A Label Studio in memory: the calls that our client makes, answered as 1.23.2 answers them.

What the real one does beside that is left out. `tests/e2e/test_fake_is_faithful.py` asks both the same
questions. Methods without an underscore are what people do in the browser; `transport` is for the client.
"""

import copy
import itertools
import json
import random
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import httpx
from lxml import etree

LEGACY_TOKEN = "0123456789abcdef0123456789abcdef01234567"
PERSONAL_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"
ADMIN, SOMEBODY_ELSE = 1, 2
SAMPLINGS = ("Sequential sampling", "Uniform sampling", "Uncertainty sampling")
NEW_PROJECT = {
    "sampling": "Sequential sampling",
    "model_version": "",
    "show_collab_predictions": True,
    "maximum_annotations": 1,
    "show_overlap_first": False,
    "overlap_cohort_percentage": 100,
    "skip_queue": "REQUEUE_FOR_OTHERS",
    "evaluate_predictions_automatically": False,
    "annotator_evaluation_enabled": False,
    "reveal_preannotations_interactively": False,
}
STATES = {"CO": "Connected", "DI": "Disconnected", "ER": "Error"}
# What stands in a region whose control has no labels.
PLAIN_VALUES = {"rating": int | float, "number": int | float, "datetime": str}
STORED = (
    *("projects", "tasks", "predictions", "backends", "webhooks", "tabs", "calls", "asked", "delivered"),
    *("_locks", "_access_tokens", "_numbers", "_now", "_random"),
)
ROWS = {
    "projects": "project",
    "tasks": "task",
    "predictions": "prediction",
    "backends": "backend",
    "webhooks": "webhook",
    "tabs": "tab",
}
ROUTES = []


def route(method, pattern):
    """Answer requests of this method whose path matches the whole pattern."""

    def keep(function):
        ROUTES.append((method, re.compile(pattern), function))
        return function

    return keep


class Refusal(Exception):
    """An answer that is not 2xx, in the shape in which Label Studio gives it."""

    def __init__(self, status, detail, **validation_errors):
        super().__init__(detail)
        body = {"id": "0", "status_code": status, "version": "1.23.2", "detail": detail, "exc_info": None}
        if validation_errors:
            body["validation_errors"] = validation_errors
        self.response = httpx.Response(status, json=body)


class FakeLabelStudio:
    """One organization with an admin, who owns the tokens, and as many annotators as a test asks for."""

    url = "http://label-studio.test"

    def __init__(self):
        self.projects, self.tasks, self.predictions, self.backends, self.webhooks = {}, {}, {}, {}, {}
        self.tabs = {}
        self.legacy_tokens_enabled = True
        self.refuses_local_addresses = False
        self.calls = []  # (method, path) of every request that came in
        self.asked = []  # (path, body) of every request to a backend
        self.delivered = []  # (action, status) of every webhook sent
        self.before_answering = []  # functions (request) -> response or None; may raise httpx errors
        self.transport = httpx.MockTransport(self._answer)
        self._servers = {}
        self._locks = {}
        self._access_tokens = set()
        self._numbers = {}
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._is_real_time = False
        self._random = random.Random(0)

    # What the outside looks like

    def serve(self, url, client):
        """Let a Flask test client answer what Label Studio sends to `url`; None takes it off the net."""
        self._servers[url] = client

    @property
    def writes(self):
        """Requests that change something."""
        return [(method, path) for method, path in self.calls if method != "GET"]

    def pass_time(self):
        """A minute goes by."""
        self._moment()

    def keep_real_time(self):
        """From now on the clock of Label Studio is the one of the backend."""
        self._is_real_time = True

    def expire_access_tokens(self):
        """Access tokens live five minutes; now they are over."""
        self._access_tokens.clear()

    def remember(self):
        """All that is stored, to be given to `restore` of this one or another."""
        return copy.deepcopy({name: vars(self)[name] for name in STORED})

    def restore(self, memory):
        """Go back to what was remembered."""
        vars(self).update(copy.deepcopy(memory))

    def to_json(self):
        """What its database holds, as JSON can say it."""
        return {"now": self._now.isoformat(), **{name: vars(self)[name] for name in ROWS}}

    def from_json(self, stored):
        """Hold what `to_json` said, and nothing else."""
        self._now = datetime.fromisoformat(stored["now"])
        for name, kind in ROWS.items():
            plain = NEW_PROJECT if name == "projects" else {}
            rows = {int(number): plain | row for number, row in stored[name].items()}
            setattr(self, name, rows)
            self._numbers[kind] = itertools.count(max(rows, default=0) + 1)
        said = [annotation["id"] for task in self.tasks.values() for annotation in task["annotations"]]
        self._numbers["annotation"] = itertools.count(max(said, default=0) + 1)

    # What people do

    def add_project(self, *, labels=("cats", "dogs"), texts=(), label_config=None, project_id=None, **fields):
        """A new project with a task for each text; returns its id."""
        project_id = project_id or self._number("project")
        choices = "".join(f'<Choice value="{label}"/>' for label in labels)
        config = label_config or (
            '<View><Text name="text" value="$text"/>'
            f'<Choices name="topic" toName="text" choice="single" required="true">{choices}</Choices></View>'
        )
        self.projects[project_id] = {
            "id": project_id,
            "title": "A project",
            "label_config": config,
            "created_at": self._moment(),
            **NEW_PROJECT,
        } | fields
        self.add_tasks(project_id, [{"text": text} for text in texts])
        return project_id

    def delete_project(self, project_id):
        """The project with everything in it; its id may be given away again."""
        del self.projects[project_id]
        for rows in (self.tasks, self.predictions, self.backends, self.webhooks, self.tabs):
            for key in [key for key, row in rows.items() if row["project"] == project_id]:
                del rows[key]

    def change_project(self, project_id, **fields):
        """Change settings of a project, in the dialog or over the API."""
        project = self._project(project_id)
        version = fields.get("model_version")
        if version and version != project["model_version"] and not self._version_exists(project_id, version):
            reason = "Model version doesn't exist either as live model or as static predictions."
            raise Refusal(400, "Validation error", model_version=[reason])
        if fields.get("sampling", SAMPLINGS[0]) not in SAMPLINGS:
            reason = f'"{fields["sampling"]}" is not a valid choice.'
            raise Refusal(400, "Validation error", sampling=[reason])
        before = dict(project)
        project |= fields
        self._finish_anew(project, before)
        if fields.get("show_collab_predictions") is False:
            project["model_version"] = ""
        self._tell(project_id, "PROJECT_UPDATED")

    def add_tasks(self, project_id, data):
        """Import tasks, one for each dict of data; returns their ids."""
        numbers = [self._number("task") for _ in data]
        for number, content in zip(numbers, data, strict=True):
            now = self._moment()
            self.tasks[number] = {
                "id": number,
                "project": project_id,
                "data": content,
                "meta": {},
                "created_at": now,
                "updated_at": now,
                "is_labeled": False,
                "overlap": self.projects[project_id]["maximum_annotations"],
                "annotations": [],
            }
        if numbers:
            self._rearrange_cohort(self.projects[project_id])
            tasks = [self._simple_task(number) for number in numbers]
            self._tell(project_id, "TASKS_CREATED", tasks=tasks)
        return numbers

    def delete_tasks(self, task_ids):
        """Delete tasks with what was said about them: nothing is left that has a new `updated_at`."""
        project_id = self.tasks[task_ids[0]]["project"]
        for task_id in task_ids:
            del self.tasks[task_id]
        for key in [key for key, row in self.predictions.items() if row["task"] in task_ids]:
            del self.predictions[key]
        self._rearrange_cohort(self.projects[project_id])
        self._tell(project_id, "TASKS_DELETED", tasks=[{"id": task_id} for task_id in task_ids])

    def annotate(self, task_id, label, *, user=ADMIN, cancelled=False):
        """Submit a choice (None: nothing chosen); returns the annotation's id."""
        regions = self._regions(self.tasks[task_id], label)
        return self._submit(task_id, regions, user=user, was_cancelled=cancelled)

    def accept(self, task_id, *, but_choose=None, user=ADMIN):
        """Submit the pre-annotation that is shown, as it is or with another choice; returns the id."""
        task = self.tasks[task_id]
        version = self.projects[task["project"]]["model_version"]
        (shown,) = (row for row in self._predictions_of(task_id) if row["model_version"] == version)
        kept = [region | {"origin": "prediction"} for region in shown["result"]]
        changed = [
            region | {"origin": "prediction-changed"} for region in self._regions(task, but_choose)
        ]  # fmt: skip
        return self._submit(task_id, changed or kept, user=user, parent_prediction=shown["id"])

    def accept_in_bulk(self, project_id, version, *, user=ADMIN):
        """The action "Create Annotations From Predictions": regions as they are, without an origin."""
        for row in [row for row in self.predictions.values() if row["model_version"] == version]:
            if row["project"] == project_id:
                self._submit(row["task"], row["result"], user=user, parent_prediction=row["id"])

    def answer(self, task_id, *, user=ADMIN, **answers):
        """Submit a choice to each of some controls, by their names."""
        controls = _controls(self.projects[self.tasks[task_id]["project"]]["label_config"])
        regions = [
            {
                "from_name": name,
                "to_name": controls[name][1][0],
                "type": "choices",
                "value": {"choices": [label]},
            }
            for name, label in answers.items()
        ]
        return self._submit(task_id, regions, user=user)

    def submit(self, task_id, regions, *, user=ADMIN):
        """Submit regions of any kind, as they come from the editor."""
        return self._submit(task_id, regions, user=user)

    def skip(self, task_id, *, user=ADMIN):
        """The button "Skip": a cancelled annotation."""
        return self.annotate(task_id, None, user=user, cancelled=True)

    def change_annotation(self, annotation_id, label):
        """Submit another choice for the same annotation."""
        task, annotation = self._find_annotation(annotation_id)
        annotation |= {"result": self._regions(task, label), "updated_at": self._moment()}
        self._touch(task)
        self._tell(task["project"], "ANNOTATION_UPDATED", annotation=annotation, task=task)

    def delete_annotation(self, annotation_id, *, quietly=False):
        """Delete an annotation; `quietly` as bulk jobs do it, without a new `updated_at` of the task."""
        task, annotation = self._find_annotation(annotation_id)
        task["annotations"].remove(annotation)
        moment = task["updated_at"]
        self._touch(task)
        if quietly:
            task["updated_at"] = moment
        self._tell(task["project"], "ANNOTATIONS_DELETED", annotations=[{"id": annotation_id}])

    def edit_task(self, task_id, data):
        """Replace a task's data. No webhook is sent for it."""
        self.tasks[task_id]["data"] = data
        self._touch(self.tasks[task_id])

    def set_field(self, task_ids, name, value):
        """The Data Manager's bulk edit: neither `updated_at` nor a count moves, no webhook is sent."""
        for task_id in task_ids:
            self.tasks[task_id]["data"] = self.tasks[task_id]["data"] | {name: value}

    def start_training(self, project_id):
        """The button "Start training" of the first backend; returns the status it answered."""
        row = next(row for row in self.backends.values() if row["project"] == project_id)
        body = {"action": "START_TRAINING", "project": self._described(project_id)}
        return self._ask(row, "POST", "/webhook", body).status_code

    def open_task(self, task_id):
        """Open a task in the Data Manager: a task without any prediction is predicted live."""
        if not self._predictions_of(task_id):
            self._predict([task_id])
        return self._predictions_of(task_id)

    def retrieve_predictions(self, task_ids):
        """The Data Manager's action "Retrieve Predictions" for chosen tasks."""
        self._predict(task_ids)

    def serve_next(self, project_id, *, user=ADMIN):
        """The task that the label stream shows this person next, reserved until submitted; None: no more."""
        project = self._project(project_id)
        task_id, queue = self._choose(project, user)
        if task_id is None:
            return None
        self._locks[project_id, user] = task_id
        version = project["model_version"]
        if any(row["title"] == version for row in self.backends.values()):
            self._predict([task_id])
        shown = [row for row in self._predictions_of(task_id) if row["model_version"] == version]
        return self._simple_task(task_id) | {"predictions": shown, "queue": queue}

    def served_order(self, project_id, count, *, user=ADMIN):
        """The next tasks in the order in which they are served to one who skips none; nothing is changed."""
        locks, annotations = dict(self._locks), copy.deepcopy(self.tasks)
        self._locks.clear()
        order = []
        for _ in range(count):
            task_id, _queue = self._choose(self._project(project_id), user)
            if task_id is None:
                break
            order.append(task_id)
            self.tasks[task_id]["is_labeled"] = True
        self._locks, self.tasks = locks, annotations
        return order

    def published(self, project_id, version):
        """Score by task of the predictions of a version."""
        return {
            row["task"]: row["score"]
            for row in self.predictions.values()
            if row["project"] == project_id and row["model_version"] == version
        }

    # The HTTP API

    def _answer(self, request):
        self.calls.append((request.method, request.url.path))
        for act in self.before_answering:
            if (response := act(request)) is not None:
                return response
        try:
            self._authenticate(request)
            response = self._dispatch(request)
        except Refusal as refusal:
            response = refusal.response
        response.headers["Date"] = format_datetime(self._now, usegmt=True)
        return response

    def _dispatch(self, request):
        for method, pattern, function in ROUTES:
            match = pattern.fullmatch(request.url.path)
            if match and method == request.method:
                body = json.loads(request.content) if request.content else {}
                asked = SimpleNamespace(params=request.url.params, body=body)
                answer = function(self, asked, *map(int, match.groups()))
                status = 201 if method == "POST" else 200
                return httpx.Response(204) if answer is None else httpx.Response(status, json=answer)
        return httpx.Response(404, html="<!doctype html><title>404 | Label Studio</title>")

    def _authenticate(self, request):
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if request.url.path == "/api/token/refresh":
            return
        if kind == "Bearer" and token in self._access_tokens:
            return
        if kind == "Token" and token == LEGACY_TOKEN:
            if self.legacy_tokens_enabled:
                return
            raise Refusal(
                401, "Authentication token no longer valid: legacy token authentication has been "
                "disabled for this organization"
            )  # fmt: skip
        raise Refusal(
            401, "Invalid token." if kind == "Token" else "Given token not valid for any token type"
        )

    @route("POST", "/api/token/refresh")
    def _refresh(self, asked):
        if asked.body.get("refresh") != PERSONAL_TOKEN:
            raise Refusal(401, "Token is invalid")
        access = f"access-{self._number('access')}"
        self._access_tokens.add(access)
        return {"access": access}

    @route("GET", "/api/current-user/whoami")
    def _whoami(self, asked):
        return {"id": ADMIN, "email": "admin@example.com", "username": "admin"}

    @route("GET", "/api/users/")
    def _users(self, asked):
        names = {ADMIN: ("", ""), 2: ("Grace", "Hopper")}
        return [
            {"id": number, "email": f"user{number}@example.com", "first_name": first, "last_name": last}
            for number, (first, last) in names.items()
        ]

    @route("GET", "/api/projects")
    def _list_projects(self, asked):
        return {"count": len(self.projects), "results": [{"id": number} for number in self.projects]}

    @route("GET", r"/api/projects/(\d+)")
    def _get_project(self, asked, project_id):
        return self._project(project_id)

    @route("PATCH", r"/api/projects/(\d+)")
    def _patch_project(self, asked, project_id):
        self.change_project(project_id, **asked.body)
        return self._project(project_id)

    @route("GET", r"/api/projects/(\d+)/next")
    def _get_next(self, asked, project_id):
        task = self.serve_next(project_id)
        if task is None:
            raise Refusal(404, "There are no tasks for admin@example.com")
        return task

    @route("GET", "/api/tasks")
    def _get_tasks(self, asked):
        params = asked.params
        project_id = int(params["project"])
        self._project(project_id)
        found = [task for task in self.tasks.values() if task["project"] == project_id]
        query = json.loads(params.get("query", "{}"))
        filters = query.get("filters", {})
        if items := filters.get("items", []):
            enough = any if filters["conjunction"] == "or" else all
            for item in items:  # of thousands of tasks each is looked for in it
                item["value"] = set(item["value"]) if isinstance(item["value"], list) else item["value"]
            found = [task for task in found if enough(self._passes(task, item) for item in items)]
        if tab := params.get("view"):
            for item in self._tab(int(tab))["data"]["filters"]["items"]:
                found = [task for task in found if self._passes(task, item)]
        if query.get("ordering") == ["-tasks:updated_at"]:
            found.sort(key=lambda task: task["updated_at"], reverse=True)
        if query.get("ordering") in (["tasks:id"], ["-tasks:id"]):
            found.sort(key=lambda task: task["id"], reverse=query["ordering"] == ["-tasks:id"])
        page, size = int(params.get("page", 1)), int(params.get("page_size", 100))
        rows = found[(page - 1) * size : page * size]
        if page > 1 and not rows:
            raise Refusal(404, "Invalid page.")
        include = params["include"].split(",") if "include" in params else None
        everything = params.get("fields") == "all"
        return {
            "total": len(found),
            "total_annotations": sum(len(_submitted(task)) for task in found),
            "total_predictions": sum(len(self._predictions_of(task["id"])) for task in found),
            "tasks": [self._listed_task(task, include, everything) for task in rows],
        }

    @route("POST", r"/api/projects/(\d+)/import/predictions")
    def _import_predictions(self, asked, project_id):
        project, kept = self._project(project_id), []
        for item in asked.body:
            if self.tasks.get(item.get("task"), {}).get("project") != project_id:
                reason = (
                    f'{item} contains invalid "task" field: corresponding task ID couldn\'t be retrieved '
                    f"from project {project['title']} (id={project_id}) tasks"
                )
                raise Refusal(400, "Validation error", non_field_errors=[reason])
            if is_valid_prediction(item, project["label_config"]):
                kept.append(item)
        for item in kept:
            self.store_prediction(item)
        return {"created": len(kept)}

    @route("DELETE", r"/api/annotations/(\d+)/")
    def _delete_annotation(self, asked, annotation_id):
        self._existing_annotation(annotation_id)
        self.delete_annotation(annotation_id)

    @route("GET", r"/api/annotations/(\d+)/")
    def _get_annotation(self, asked, annotation_id):
        task, annotation = self._existing_annotation(annotation_id)
        return annotation | {"task": task["id"], "project": task["project"]}

    @route("PATCH", r"/api/annotations/(\d+)/")
    def _patch_annotation(self, asked, annotation_id):
        task, annotation = self._existing_annotation(annotation_id)
        annotation |= asked.body | {"updated_at": self._moment()}
        self._touch(task)
        self._tell(task["project"], "ANNOTATION_UPDATED", annotation=annotation, task=task)
        return annotation | {"task": task["id"], "project": task["project"]}

    @route("GET", r"/api/tasks/(\d+)/annotations/")
    def _get_annotations(self, asked, task_id):
        if task_id not in self.tasks:
            raise Refusal(404, "No Task matches the given query.")
        return _submitted(self.tasks[task_id])

    @route("POST", r"/api/tasks/(\d+)/annotations/")
    def _create_annotation(self, asked, task_id):
        if task_id not in self.tasks:
            raise Refusal(404, "No Task matches the given query.")
        parent = asked.body.get("parent_prediction")
        if parent is not None and parent not in self.predictions:
            reason = f'Invalid pk "{parent}" - object does not exist.'
            raise Refusal(400, "Validation error", parent_prediction=[reason])
        fields = {"completed_by": ADMIN} | asked.body
        number = self._submit(
            task_id, fields.pop("result"), user=fields.pop("completed_by"), **fields
        )  # fmt: skip
        return self._existing_annotation(number)[1]

    @route("GET", "/api/predictions")
    def _get_predictions(self, asked):
        return [row for row in self.predictions.values() if row["project"] == int(asked.params["project"])]

    @route("DELETE", r"/api/predictions/(\d+)")
    def _delete_prediction(self, asked, prediction_id):
        if self.predictions.pop(prediction_id, None) is None:
            raise Refusal(404, "No Prediction matches the given query.")

    @route("GET", r"/api/projects/(\d+)/model-versions/")
    def _get_versions(self, asked, project_id):
        rows = [row for row in self.predictions.values() if row["project"] == project_id]
        versions = dict.fromkeys(row["model_version"] for row in rows)
        return {name: sum(row["model_version"] == name for row in rows) for name in versions}

    @route("DELETE", r"/api/projects/(\d+)/model-versions/")
    def _delete_version(self, asked, project_id):
        project, version = self._project(project_id), asked.body["model_version"]
        if project["model_version"] == version or self._is_a_title(project):
            project["model_version"] = None
        gone = [
            key
            for key, row in self.predictions.items()
            if row["project"] == project_id and row["model_version"] == version
        ]
        for key in gone:
            del self.predictions[key]
        return {"deleted_predictions": len(gone)}

    @route("GET", "/api/ml")
    def _get_backends(self, asked):
        self._project(int(asked.params["project"]))
        rows = [row for row in self.backends.values() if row["project"] == int(asked.params["project"])]
        for row in rows:
            self._update_state(row)
        return [_shown(row) for row in rows]

    @route("POST", "/api/ml")
    def _create_backend(self, asked):
        project = self._project(asked.body["project"])
        row = {
            "id": self._number("backend"),
            "state": "DI",
            "title": "",
            "auth_method": "NONE",
            "basic_auth_user": "",
            "basic_auth_pass": "",
            "extra_params": None,
            "is_interactive": False,
            "model_version": "",
            "error_message": None,
        } | asked.body
        self._require_answers(row)
        self.backends[row["id"]] = row
        if self.refuses_local_addresses:
            # the row stays behind, without its webhook
            raise Refusal(403, "URL resolves to a reserved network address (block: 127.0.0.0/8)")
        self._update_state(row)
        self.add_own_webhook(row)
        if project["show_collab_predictions"] and not project["model_version"]:
            project["model_version"] = row["title"]
        return _shown(row)

    @route("PATCH", r"/api/ml/(\d+)")
    def _patch_backend(self, asked, backend_id):
        row = self._backend(backend_id)
        self._update_state(row)
        if "url" not in asked.body:
            raise Refusal(500, "MLBackend.healthcheck_() missing 1 required positional argument: 'url'")
        # the change is tried out with what it carries itself, not with what is stored
        self._require_answers({"auth_method": "NONE", "extra_params": None} | asked.body)
        project, title = self._project(row["project"]), asked.body.get("title", row["title"])
        if title != row["title"] and project["model_version"] == row["title"]:
            project["model_version"] = title
        row |= asked.body
        self._update_state(row)
        return _shown(row)

    @route("DELETE", r"/api/ml/(\d+)")
    def _delete_backend(self, asked, backend_id):
        row = self._backend(backend_id)
        self._update_state(row)
        project = self._project(row["project"])
        if project["model_version"] == row["title"]:
            project["model_version"] = ""
        del self.backends[backend_id]

    @route("GET", "/api/webhooks/")
    def _get_webhooks(self, asked):
        return [row for row in self.webhooks.values() if row["project"] == int(asked.params["project"])]

    @route("POST", "/api/webhooks/")
    def _create_webhook(self, asked):
        return self.add_webhook(**asked.body)

    @route("PATCH", r"/api/webhooks/(\d+)/")
    def _patch_webhook(self, asked, webhook_id):
        self.webhooks[webhook_id] |= asked.body
        self.webhooks[webhook_id]["actions"].sort()
        return self.webhooks[webhook_id]

    @route("DELETE", r"/api/webhooks/(\d+)/")
    def _delete_webhook(self, asked, webhook_id):
        if self.webhooks.pop(webhook_id, None) is None:
            raise Refusal(404, "No Webhook matches the given query.")

    @route("POST", "/api/dm/actions")
    def _act(self, asked):
        assert asked.params["id"] == "add_data_field" and asked.body["value_type"] == "String"
        included = asked.body["selectedItems"]["included"]
        project_id = int(asked.params["project"])
        chosen = [task for task in self.tasks.values() if task["id"] in included]
        mine = [task["id"] for task in chosen if task["project"] == project_id]
        self.set_field(mine, asked.body["value_name"], asked.body["value"])
        return {"response_code": 200, "detail": f"Updated {len(chosen)} tasks"}

    @route("PATCH", r"/api/tasks/(\d+)")
    def _patch_task(self, asked, task_id):
        if task_id not in self.tasks:
            raise Refusal(404, "No Task matches the given query.")
        self.edit_task(task_id, asked.body["data"])
        return self._simple_task(task_id)

    @route("POST", r"/api/projects/(\d+)/summary/reset/")
    def _reset_summary(self, asked, project_id):
        self._project(project_id)

    @route("GET", "/api/dm/columns")
    def _get_columns(self, asked):
        project_id = int(asked.params["project"])
        mine = [task["data"] for task in self.tasks.values() if task["project"] == project_id]
        names = dict.fromkeys(itertools.chain.from_iterable(mine))
        fields = [{"id": name, "target": "tasks", "parent": "data"} for name in names]
        return {"columns": [*fields, {"id": "id", "target": "tasks"}, {"id": "data", "target": "tasks"}]}

    @route("GET", "/api/dm/views")
    def _get_tabs(self, asked):
        return [row for row in self.tabs.values() if row["project"] == int(asked.params["project"])]

    @route("POST", "/api/dm/views/")
    def _create_tab(self, asked):
        number = self._number("tab")
        self.tabs[number] = {"id": number, "project": asked.body["project"], "data": asked.body["data"]}
        return self.tabs[number]

    @route("PATCH", r"/api/dm/views/(\d+)")
    def _patch_tab(self, asked, tab_id):
        self._tab(tab_id)["data"] |= asked.body["data"]
        return self._tab(tab_id)

    @route("DELETE", r"/api/dm/views/(\d+)")
    def _delete_tab(self, asked, tab_id):
        self._tab(tab_id)
        del self.tabs[tab_id]

    # The inside

    def _tab(self, tab_id):
        if tab_id not in self.tabs:
            raise Refusal(404, "No View matches the given query.")
        return self.tabs[tab_id]

    def _number(self, kind):
        return next(self._numbers.setdefault(kind, itertools.count(1)))

    def _moment(self):
        if self._is_real_time:
            self._now = max(self._now + timedelta(microseconds=1), datetime.now(UTC))
        else:
            self._now += timedelta(minutes=1)
        return self._now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _project(self, project_id):
        if project_id not in self.projects:
            raise Refusal(404, "No Project matches the given query.")
        return self.projects[project_id]

    def _backend(self, backend_id):
        if backend_id not in self.backends:
            raise Refusal(404, "No MLBackend matches the given query.")
        return self.backends[backend_id]

    def _version_exists(self, project_id, version):
        of_project = [*self.predictions.values(), *self.backends.values()]
        return any(
            version in (row.get("title"), row["model_version"] if "task" in row else None)
            for row in of_project
            if row["project"] == project_id
        )

    def _is_a_title(self, project):
        return any(
            row["title"] == project["model_version"]
            for row in self.backends.values()
            if row["project"] == project["id"]
        )

    def _touch(self, task):
        task["updated_at"] = self._moment()
        self._finish(task)

    def _finish(self, task):
        ignores_skips = self.projects[task["project"]]["skip_queue"] == "IGNORE_SKIPPED"
        counted = task["annotations"] if ignores_skips else _submitted(task)
        task["is_labeled"] = len(counted) >= task["overlap"]

    def _finish_anew(self, project, before):
        """What a changed setting finishes or opens, in bulk: `updated_at` does not move."""
        names = ("maximum_annotations", "overlap_cohort_percentage", "skip_queue")
        if all(project[name] == before[name] for name in names):
            return
        tasks = [task for task in self.tasks.values() if task["project"] == project["id"]]
        overlaps = project["maximum_annotations"] != before["maximum_annotations"]
        if project["overlap_cohort_percentage"] != before["overlap_cohort_percentage"]:
            self._rearrange_cohort(project)
        several = (
            [task for task in tasks if task["overlap"] > 1] if project["maximum_annotations"] > 1 else []
        )
        for task in several or tasks:
            if overlaps:
                task["overlap"] = project["maximum_annotations"]
            self._finish(task)

    def _rearrange_cohort(self, project):
        """Which tasks several people answer where not all are: the most begun; `updated_at` does not move."""
        most, percentage = project["maximum_annotations"], project["overlap_cohort_percentage"]
        if most == 1 or percentage == 100:
            return
        tasks = [task for task in self.tasks.values() if task["project"] == project["id"]]
        full = [task for task in tasks if len(_submitted(task)) >= most]
        others = [task for task in tasks if len(_submitted(task)) < most]
        others.sort(key=lambda task: -len(task["annotations"]))
        room = max(int(len(tasks) * percentage / 100 + 0.5) - len(full), 0)
        for task in tasks:
            task["overlap"] = most if task in full or task in others[:room] else 1
            self._finish(task)

    def _submit(self, task_id, regions, *, user, **fields):
        task = self.tasks[task_id]
        annotation = {
            "id": self._number("annotation"),
            "result": regions,
            "was_cancelled": False,
            "completed_by": user,
            "created_at": self._moment(),
            "updated_at": self._moment(),
            "parent_prediction": None,
            "ground_truth": False,
        } | fields
        task["annotations"].append(annotation)
        self._locks.pop((task["project"], user), None)
        self._touch(task)
        self._tell(task["project"], "ANNOTATION_CREATED", annotation=annotation, task=task)
        return annotation["id"]

    def _find_annotation(self, annotation_id):
        return next(
            (task, annotation)
            for task in self.tasks.values()
            for annotation in task["annotations"]
            if annotation["id"] == annotation_id
        )

    def _existing_annotation(self, annotation_id):
        if all(said["id"] != annotation_id for task in self.tasks.values() for said in task["annotations"]):
            raise Refusal(404, "No Annotation matches the given query.")
        return self._find_annotation(annotation_id)

    def _regions(self, task, label):
        if label is None:
            return []
        config = self.projects[task["project"]]["label_config"]
        return [_choice(next(iter(_controls(config))), config, label)]

    def _predictions_of(self, task_id):
        return [row for row in self.predictions.values() if row["task"] == task_id]

    def store_prediction(self, item):
        number = self._number("prediction")
        self.predictions[number] = {
            "id": number,
            "task": item["task"],
            "project": self.tasks[item["task"]]["project"],
            "result": item["result"],
            "score": item.get("score"),
            "model_version": item.get("model_version", "undefined"),
        }

    def _simple_task(self, task_id):
        task = self.tasks[task_id]
        submitted = len(_submitted(task))
        return task | {
            "inner_id": task_id,
            "total_annotations": submitted,
            "cancelled_annotations": len(task["annotations"]) - submitted,
            "total_predictions": len(self._predictions_of(task_id)),
            "annotations": [annotation["id"] for annotation in task["annotations"]],
            "predictions": [row["id"] for row in self._predictions_of(task_id)],
        }

    def _listed_task(self, task, include, everything):
        row = self._simple_task(task["id"])
        del row["annotations"], row["predictions"]
        if everything:
            # `include` also decides what is left of each annotation, but not of a prediction
            row["annotations"] = [_only(annotation, include) for annotation in task["annotations"]]
            row["predictions"] = self._predictions_of(task["id"])
        return _only(row, include)

    def _passes(self, task, item):
        if item["filter"] == "filter:tasks:updated_at" and item["operator"] == "greater":
            return _parse(task["updated_at"]) > _parse(item["value"])
        if item["filter"] == "filter:tasks:total_annotations" and item["operator"] == "greater":
            return len(_submitted(task)) > item["value"]
        if item["filter"] == "filter:tasks:cancelled_annotations" and item["operator"] == "greater":
            return len(task["annotations"]) - len(_submitted(task)) > item["value"]
        if item["filter"] == "filter:tasks:predictions_model_versions" and item["operator"] == "contains":
            versions = {row["model_version"] for row in self._predictions_of(task["id"])}
            return bool(versions & set(item["value"]))
        if item["filter"] == "filter:tasks:id" and item["operator"] == "in_list":
            return task["id"] in item["value"]
        if item["filter"].startswith("filter:tasks:data.") and item["operator"] == "contains":
            return item["value"] in task["data"].get(item["filter"].removeprefix("filter:tasks:data."), "")
        raise AssertionError(f"The fake knows no filter like {item}")

    def _choose(self, project, user):
        """As get_next_task of 1.23.2: own lock, tasks that others have begun, sampling, own skipped tasks."""
        waiting = [
            task["id"]
            for task in self.tasks.values()
            if task["project"] == project["id"]
            and not task["is_labeled"]
            and all(annotation["completed_by"] != user for annotation in task["annotations"])
        ]
        if project["show_overlap_first"]:
            several = [task_id for task_id in waiting if self.tasks[task_id]["overlap"] > 1]
            waiting = several or [task_id for task_id in waiting if self.tasks[task_id]["overlap"] == 1]
        mine = self._locks.get((project["id"], user))
        if mine in waiting:
            return mine, "Task lock"
        free = [task_id for task_id in waiting if not self._is_taken(project, task_id, user)]
        begun = self._most_begun(waiting) if project["maximum_annotations"] > 1 else set()
        if open_to_me := [task_id for task_id in free if task_id in begun]:
            return self._random.choice(open_to_me), "Breadth first queue"
        task_id, queue = self._sample(project, waiting, free)
        if task_id is None and project["skip_queue"] == "REQUEUE_FOR_ME":
            return next(iter(self._skipped_by(project, user)), None), "Skipped queue"
        return task_id, queue

    def _sample(self, project, waiting, free):
        if project["sampling"] == "Sequential sampling":
            return next(iter(free), None), "Sequence queue"
        queue = "Active learning or random queue"
        if project["sampling"] == "Uncertainty sampling":
            scores = [
                (row["score"], row["task"])
                for row in self.predictions.values()
                if row["task"] in waiting and row["model_version"] == project["model_version"]
            ]
            if scores:
                order = [task_id for _score, task_id in sorted(scores) if task_id in free]
                return next(iter(order), None), queue
        return (self._random.choice(free) if free else None), queue

    def _most_begun(self, waiting):
        counts = {task_id: len(self.tasks[task_id]["annotations"]) for task_id in waiting}
        most = max(counts.values(), default=0)
        return {task_id for task_id, count in counts.items() if count == most} if most else set()

    def _skipped_by(self, project, user):
        return [
            task["id"]
            for task in self.tasks.values()
            if task["project"] == project["id"]
            and not task["is_labeled"]
            and any(said["completed_by"] == user and said["was_cancelled"] for said in task["annotations"])
        ]

    def _is_taken(self, project, task_id, user):
        """Whether locks and answers of others fill a task; whose skips count is the project's setting."""
        rule = project["skip_queue"]
        counted = [
            said
            for said in self.tasks[task_id]["annotations"]
            if not said["ground_truth"]
            and not (rule == "REQUEUE_FOR_ME" and said["was_cancelled"] and said["completed_by"] == user)
            and not (rule == "REQUEUE_FOR_OTHERS" and said["was_cancelled"] and said["completed_by"] != user)
        ]
        locks = [
            lock
            for (project_id, other), lock in self._locks.items()
            if lock == task_id and other != user and project_id == project["id"]
        ]
        return len(counted) + len(locks) >= self.tasks[task_id]["overlap"]

    # Calls to backends

    def _ask(self, row, method, path, body=None):
        self.asked.append((path, body))
        client = self._servers.get(row["url"].rstrip("/"))
        if client is None:
            return SimpleNamespace(status_code=0, json=None, reason="Connection refused")
        login = None
        if row["auth_method"] == "BASIC_AUTH":
            login = (row["basic_auth_user"], row["basic_auth_pass"])
        answer = client.open(path, method=method, json=body, auth=login)
        return SimpleNamespace(status_code=answer.status_code, json=answer.json, reason=answer.status)

    def _set_up(self, row):
        project = self._project(row["project"])
        body = {
            "project": self._reference(project),
            "schema": project["label_config"],
            "hostname": self.url,
            "access_token": LEGACY_TOKEN,
            "extra_params": row["extra_params"],
        }
        return self._ask(row, "POST", "/setup", body)

    def _reference(self, project):
        return f"{project['id']}.{int(_parse(project['created_at']).timestamp())}"

    def _require_answers(self, row):
        if not _is_fine(health := self._ask(row, "GET", "/health")):
            reason = f"Can't connect to ML backend {row['url']}, health check failed. {health.reason}"
            raise Refusal(400, "Validation error", non_field_errors=[reason])
        if not _is_fine(setup := self._set_up(row)):
            reason = f"Successfully connected to {row['url']} but it doesn't look like a valid ML backend. "
            raise Refusal(400, "Validation error", non_field_errors=[reason + setup.reason])

    def _update_state(self, row):
        if not _is_fine(self._ask(row, "GET", "/health")):
            row["state"] = "DI"
            return
        setup = self._set_up(row)
        if not _is_fine(setup):
            row |= {"state": "ER", "error_message": setup.reason}
            return
        row |= {"state": "CO", "error_message": None, "model_version": setup.json["model_version"]}

    def _predict(self, task_ids):
        project = self._project(self.tasks[task_ids[0]]["project"])
        row = next((row for row in self.backends.values() if row["project"] == project["id"]), None)
        if row is None:
            return
        self._update_state(row)
        version = row["model_version"]
        new = [
            task_id
            for task_id in task_ids
            if all(known["model_version"] != version for known in self._predictions_of(task_id))
        ]
        if row["state"] != "CO" or not new:
            return
        body = {
            "tasks": [self._simple_task(task_id) for task_id in new],
            "project": self._reference(project),
            "label_config": project["label_config"],
            "params": {"login": None, "password": None, "context": None},
        }
        answer = self._ask(row, "POST", "/predict", body)
        if not _is_fine(answer) or len(answer.json["results"]) != len(new):
            return
        for task_id, result in zip(new, answer.json["results"], strict=True):
            self.store_prediction({"model_version": version} | result | {"task": task_id})

    # Webhooks

    def add_own_webhook(self, row):
        url = f"{row['url'].rstrip('/')}/webhook"
        if all((hook["project"], hook["url"]) != (row["project"], url) for hook in self.webhooks.values()):
            self.add_webhook(project=row["project"], url=url, send_payload=True, send_for_all_actions=True)

    def add_webhook(self, **fields):
        number = self._number("webhook")
        plain = {"headers": {}, "is_active": True, "actions": []}
        self.webhooks[number] = {"id": number, "organization": 1} | plain | fields
        self.webhooks[number]["actions"] = sorted(self.webhooks[number]["actions"])
        return self.webhooks[number]

    def _described(self, project_id):
        return self.projects[project_id] | {"task_number": len(self.tasks)}

    def _tell(self, project_id, action, **payload):
        for hook in list(self.webhooks.values()):
            wanted = hook["send_for_all_actions"] or action in hook["actions"]
            if hook["project"] != project_id or not hook["is_active"] or not wanted:
                continue
            body = {"action": action}
            if hook["send_payload"]:
                body |= {"project": self._described(project_id)} | copy.deepcopy(payload)
            base, slash, rest = hook["url"].partition("/webhook")
            client = self._servers.get(base)
            if client is not None:
                answer = client.post(slash + rest, json=body, headers=hook["headers"] or {})
                self.delivered.append((action, answer.status_code))


def is_valid_prediction(prediction, label_config):
    """Whether Label Studio keeps a prediction: its score, and every region, must fit the config."""
    controls, score = _controls(label_config), prediction.get("score")
    if score is not None and not (isinstance(score, int | float) and 0 <= score <= 1):
        return False
    return all(_is_valid_region(region, controls) for region in prediction["result"])


def _is_fine(answer):
    return 200 <= answer.status_code < 300 and isinstance(answer.json, dict)


def _parse(moment):
    return datetime.fromisoformat(moment)


def _only(row, include):
    return row if include is None else {name: value for name, value in row.items() if name in include}


def _submitted(task):
    return [annotation for annotation in task["annotations"] if not annotation["was_cancelled"]]


def _shown(row):
    hidden = {name: value for name, value in row.items() if name != "basic_auth_pass"}
    return hidden | {"readable_state": STATES[row["state"]]}


def _choice(name, label_config, label):
    _kind, to_names, _labels = _controls(label_config)[name]
    return {"from_name": name, "to_name": to_names[0], "type": "choices", "value": {"choices": [label]}}


def _controls(label_config):
    """Control tags by name: their type, the objects they are for, and their labels (alias before value)."""
    root = etree.fromstring(label_config)
    return {
        tag.get("name"): (
            tag.tag.lower(),
            tag.get("toName").split(","),
            {choice.get("alias") or choice.get("value") for choice in tag.iter("Choice", "Label")},
        )
        for tag in root.iter()
        if tag.get("toName")
    }


def _is_valid_region(region, controls):
    if region.get("from_name") not in controls:
        return False
    kind, to_names, labels = controls[region["from_name"]]
    if region["type"] != kind or region["to_name"] not in to_names:
        return False
    said = region["value"].get(kind, [])
    if kind == "taxonomy":
        return all(isinstance(path, list) and set(path) <= labels for path in said)
    if kind == "choices" and any(isinstance(choice, list) for choice in said):
        return False
    return isinstance(said, PLAIN_VALUES[kind]) if kind in PLAIN_VALUES else set(said) <= labels
