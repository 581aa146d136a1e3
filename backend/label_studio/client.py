"""Label Studio's HTTP API: one method per call we make, our errors instead of status codes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from backend.errors import (
    AddressBlocked,
    BackendUnreachable,
    LabelStudioError,
    LabelStudioUnreachable,
    NotFound,
    TokenRefused,
)
from backend.json_types import Json
from backend.label_studio.auth import LabelStudioAuth, TokenKind

_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
# `include` also decides which fields the nested annotations and predictions keep.
_TASK_FIELDS = (
    "id,data,is_labeled,updated_at,annotations,"
    "result,was_cancelled,completed_by,created_at,parent_prediction,ground_truth"
)
_PREDICTION_FIELDS = "id,predictions,model_version,score"
_PAGE_SIZE = 1000
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


class _ServerBusy(Exception):
    """An answer that a second try may better (502, 503, 504)."""


class LabelStudio:
    """A thin client. Reads are tried three times; writes once, so that nothing is written twice."""

    def __init__(self, url: str, api_key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self.writes = 0
        self.seconds = 0.0
        # Label Studio's own clock, at its last answer; None before the first, or when it does not say.
        self.now: datetime | None = None
        self._auth = LabelStudioAuth(url, api_key)
        self._has_key = bool(api_key)
        self._http = httpx.Client(base_url=url, auth=self._auth, timeout=_TIMEOUT, transport=transport)

    @property
    def token_kind(self) -> TokenKind:
        """Which kind of token LABEL_STUDIO_API_KEY is."""
        return self._auth.kind

    def whoami(self) -> Json:
        """The user that the token belongs to."""
        return self._get("/api/current-user/whoami")

    def project(self, project_id: int) -> Json:
        """One project with its settings; raises NotFound."""
        return self._get(f"/api/projects/{project_id}")

    def update_project(self, project_id: int, **fields: object) -> Json:
        """Changes settings of a project."""
        return self._send("PATCH", f"/api/projects/{project_id}", fields)

    def tasks(self, project_id: int, *, updated_after: str | None = None) -> Iterator[list[Json]]:
        """Pages of tasks with their annotations; only those changed after a moment when it is given."""
        params: Json = {"project": project_id, "fields": "all", "include": _TASK_FIELDS}
        if updated_after:
            params["query"] = json.dumps(_greater("updated_at", "Datetime", updated_after))
        yield from self._pages(params)

    def some_answered_tasks(self, project_id: int) -> list[Json]:
        """Tasks with annotations, one page of them."""
        params: Json = {"project": project_id, "fields": "all", "include": _TASK_FIELDS}
        params["query"] = json.dumps(_greater("total_annotations", "Number", 0))
        return next(self._pages(params), [])

    def task_ids(self, project_id: int) -> Iterator[list[int]]:
        """Pages of the ids of all tasks."""
        for page in self._pages({"project": project_id, "include": "id"}):
            yield [int(task["id"]) for task in page]

    def counts(self, project_id: int) -> tuple[int, int]:
        """Number of tasks, and of annotations that were not cancelled."""
        page = self._get("/api/tasks", {"project": project_id, "page_size": 1, "include": "id"})
        return int(page["total"]), int(page["total_annotations"])

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
            for page in self._pages(params)
            for task in page
            for prediction in task["predictions"]
            if prediction["model_version"] == version
        ]

    def predictions(self, project_id: int) -> list[Json]:
        """Every stored prediction of a project, of whatever version: `task`, `result`, `model_version`."""
        return self._get_list("/api/predictions", {"project": project_id})

    def set_task_field(self, project_id: int, task_ids: Sequence[int], name: str, value: str) -> None:
        """Gives a field of the task data one value in many tasks at once; an empty value shows nothing."""
        selected = {"all": False, "included": list(task_ids)}
        body = {"selectedItems": selected, "value_name": name, "value_type": "String", "value": value}
        self._send("POST", f"/api/dm/actions?id=add_data_field&project={project_id}", body)

    def tabs(self, project_id: int) -> list[Json]:
        """The tabs of the Data Manager."""
        return self._get_list("/api/dm/views", {"project": project_id})

    def create_tab(self, project_id: int, data: Json) -> Json:
        """Adds a tab to the Data Manager."""
        return self._send("POST", "/api/dm/views/", {"project": project_id, "data": data})

    def update_tab(self, tab_id: int, project_id: int, data: Json) -> Json:
        """Replaces what a tab shows; raises NotFound when somebody closed it."""
        return self._send("PATCH", f"/api/dm/views/{tab_id}", {"project": project_id, "data": data})

    def delete_tab(self, tab_id: int) -> None:
        """Closes a tab, if it is still there."""
        with suppress(NotFound):
            self._send("DELETE", f"/api/dm/views/{tab_id}")

    def import_predictions(self, project_id: int, predictions: Sequence[Json]) -> int:
        """Stores predictions in one call; returns how many were kept. Raises UnknownTask.

        Label Studio drops what it finds invalid without a word: compare the count.
        """
        response = self._request(
            "POST", f"/api/projects/{project_id}/import/predictions", body=list(predictions)
        )
        if response.status_code == httpx.codes.BAD_REQUEST:
            missing = _UNKNOWN_TASK.search(_detail(response))
            if missing:
                raise UnknownTask(int(next(filter(None, missing.groups()))))
        self._check(response)
        return int(_json(response)["created"])

    def delete_prediction(self, prediction_id: int) -> None:
        """Removes one prediction, if it is still there. (The bulk call resets the project's version.)"""
        with suppress(NotFound):
            self._send("DELETE", f"/api/predictions/{prediction_id}")

    def delete_version(self, project_id: int, version: str) -> int:
        """Removes all predictions of a version; returns how many. May reset the project's model version."""
        answer = self._send(
            "DELETE", f"/api/projects/{project_id}/model-versions/", {"model_version": version}
        )
        return int(answer["deleted_predictions"])

    def model_versions(self, project_id: int) -> dict[str, int]:
        """Versions of the stored predictions, and how many predictions each has."""
        return {
            str(name): int(count)
            for name, count in self._get(f"/api/projects/{project_id}/model-versions/").items()
        }

    def next_task(self, project_id: int) -> Json | None:
        """The task that Label Studio serves next to the token's user, and reserves for him; None: no more."""
        try:
            return self._get(f"/api/projects/{project_id}/next")
        except NotFound:
            return None

    def ml_backends(self, project_id: int) -> list[Json]:
        """The ML backends registered for a project."""
        return self._get_list("/api/ml", {"project": project_id})

    def create_ml_backend(self, **fields: object) -> Json:
        """Registers an ML backend. Raises AddressBlocked or BackendUnreachable when it cannot be called."""
        return self._send("POST", "/api/ml", fields)

    def update_ml_backend(self, backend_id: int, **fields: object) -> Json:
        """Changes an ML backend; `project` and `url` must be among the fields."""
        return self._send("PATCH", f"/api/ml/{backend_id}", fields)

    def delete_ml_backend(self, backend_id: int) -> None:
        """Unregisters an ML backend; its predictions and webhook remain."""
        self._send("DELETE", f"/api/ml/{backend_id}")

    def webhooks(self, project_id: int) -> list[Json]:
        """The webhooks of a project."""
        return self._get_list("/api/webhooks/", {"project": project_id})

    def create_webhook(self, **fields: object) -> Json:
        """Adds a webhook."""
        return self._send("POST", "/api/webhooks/", fields)

    def update_webhook(self, webhook_id: int, **fields: object) -> Json:
        """Changes a webhook."""
        return self._send("PATCH", f"/api/webhooks/{webhook_id}/", fields)

    def delete_webhook(self, webhook_id: int) -> None:
        """Removes a webhook."""
        self._send("DELETE", f"/api/webhooks/{webhook_id}/")

    def close(self) -> None:
        """Gives the connections back."""
        self._http.close()

    def _pages(self, params: Json) -> Iterator[list[Json]]:
        page, seen = 1, 0
        while True:
            answer = self._get("/api/tasks", {**params, "page": page, "page_size": _PAGE_SIZE})
            tasks = answer["tasks"]
            seen += len(tasks)
            if tasks:
                yield tasks
            if not tasks or seen >= answer["total"]:
                return
            page += 1

    def _get(self, path: str, params: Json | None = None) -> Json:
        answer = self._read(path, params)
        if not isinstance(answer, dict):
            raise LabelStudioError(f"Label Studio's answer to GET {path} is not an object.")
        return answer

    def _get_list(self, path: str, params: Json) -> list[Json]:
        answer = self._read(path, params)
        if not isinstance(answer, list):
            raise LabelStudioError(f"Label Studio's answer to GET {path} is not a list.")
        return answer

    def _read(self, path: str, params: Json | None) -> Any:
        tries = Retrying(
            retry=retry_if_exception_type((LabelStudioUnreachable, _ServerBusy)),
            stop=stop_after_attempt(3),
            wait=wait_exponential(multiplier=0.3),
            reraise=True,
        )
        try:
            response = tries(self._read_once, path, params)
        except _ServerBusy as busy:
            raise LabelStudioError(
                f"Label Studio answers {busy} to GET {path}.", hint="Try again later."
            ) from None
        self._check(response)
        return _json(response)

    def _read_once(self, path: str, params: Json | None) -> httpx.Response:
        response = self._request("GET", path, params=params)
        if response.status_code in (502, 503, 504):
            raise _ServerBusy(response.status_code)
        return response

    def _send(self, method: str, path: str, body: object = None) -> Json:
        response = self._request(method, path, body=body)
        self._check(response)
        answer: Json = _json(response) if response.content else {}
        return answer

    def _request(
        self, method: str, path: str, *, params: Json | None = None, body: object = None
    ) -> httpx.Response:
        if not self._has_key:
            raise TokenRefused(
                "LABEL_STUDIO_API_KEY is not set.",
                hint="Copy a token from Label Studio: Account & Settings, Personal Access Token.",
            )
        if method != "GET":
            self.writes += 1
        started = time.monotonic()
        try:
            response = self._http.request(method, path, params=params, json=body)
            self.now = _date_of(response)
            return response
        except httpx.TransportError as error:
            raise LabelStudioUnreachable(
                f"Nobody answers at {self.url} ({type(error).__name__}).",
                hint="Is Label Studio running, and is LABEL_STUDIO_URL its address as seen from here?",
            ) from None
        finally:
            self.seconds += time.monotonic() - started

    def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        detail = _detail(response)
        where = f"{response.request.method} {response.request.url.path}"
        if "reserved network address" in detail or "reserved IP" in detail:
            raise AddressBlocked(
                "Label Studio refuses to call a local or private address.",
                hint="Start Label Studio with USE_DEFAULT_BANNED_SUBNETS=false, or with both "
                "ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false.",
            )
        if "connect to ML backend" in detail or "valid ML backend" in detail:
            raise BackendUnreachable(
                "Label Studio gets no good answer from this backend.",
                hint="Is `python -m backend serve` running with these settings, and is BACKEND_URL its "
                "address as Label Studio sees it?",
            )
        if response.status_code in (401, 403):
            raise TokenRefused(self._refusal(detail), hint=self._token_hint(detail))
        if response.status_code == httpx.codes.NOT_FOUND:
            raise NotFound(f"Label Studio knows nothing at {where}.", hint="Does the project (still) exist?")
        raise LabelStudioError(f"Label Studio answers {response.status_code} to {where}: {detail[:300]}")

    def _refusal(self, detail: str) -> str:
        kind = "personal access token" if self.token_kind == "personal" else "legacy token"
        return f"Label Studio refuses the {kind} in LABEL_STUDIO_API_KEY: {detail[:200] or 'no reason given'}"

    def _token_hint(self, detail: str) -> str:
        if self.token_kind == "legacy" and "legacy" in detail.lower():
            return (
                "Legacy tokens are switched off in this Label Studio. Use a personal access token, or switch "
                "them on under Organization, API Tokens Settings."
            )
        return "Copy the token again from Label Studio: Account & Settings."


def _date_of(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return None


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise LabelStudioError(
            f"What answers at {response.request.url.path} sends no JSON.",
            hint="Is LABEL_STUDIO_URL the address of Label Studio itself?",
        ) from None


def _detail(response: httpx.Response) -> str:
    try:
        answer = response.json()
    except ValueError:
        return response.reason_phrase
    if not isinstance(answer, dict):
        return str(answer)
    # `detail` then only says "Validation error"
    errors = answer.get("validation_errors")
    return "; ".join(_flat(errors)) if errors else str(answer.get("detail") or "")


def _flat(errors: object) -> Iterator[str]:
    if isinstance(errors, dict | list):
        for error in errors.values() if isinstance(errors, dict) else errors:
            yield from _flat(error)
    else:
        yield str(errors)


def _greater(column: str, kind: str, value: object) -> Json:
    item = {"filter": f"filter:tasks:{column}", "operator": "greater", "type": kind, "value": value}
    return {"filters": {"conjunction": "and", "items": [item]}}
