"""The real web process and worker beside a Label Studio in memory that answers over HTTP."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.texts import Text
from demo.processes import BackendProcesses
from demo.waiting import wait_for
from tests.served_label_studio import ServedLabelStudio, WebProcesses, served_label_studio

SECRET = "a-secret-of-a-bench"
LOOP_TIMEOUT_S = 300.0
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(slots=True)
class ServedStage:
    """A connected project, and the two processes that serve it."""

    label_studio: ServedLabelStudio
    backend: BackendProcesses
    project_id: int
    labels: Mapping[str, str]
    login: tuple[str, str] | None = None
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.backend.url, trust_env=False, timeout=60.0, auth=self.login)

    @property
    def reference(self) -> str:
        """What Label Studio calls the project in its calls."""
        return str(self.label_studio._reference(self.label_studio.projects[self.project_id]))

    @property
    def config(self) -> str:
        """The labeling config."""
        return str(self.label_studio.projects[self.project_id]["label_config"])

    def state(self) -> dict[str, Any]:
        """What happens at this moment, as the page asks for it."""
        answer = self._client.get(f"/projects/{self.project_id}/state.json")
        answer.raise_for_status()
        return dict(answer.json())

    def status(self) -> dict[str, Any]:
        """All figures of the project."""
        answer = self._client.get(f"/projects/{self.project_id}.json")
        answer.raise_for_status()
        return dict(answer.json())

    def loops(self) -> list[dict[str, Any]]:
        """The record of every loop."""
        answer = self._client.get(f"/projects/{self.project_id}/loops.json")
        answer.raise_for_status()
        return list(answer.json()["loops"])

    def label(self, count: int) -> None:
        """True answers to the next tasks, as they are served; each is told to the backend."""
        for _ in range(count):
            with self.label_studio.people() as people:
                task = people.serve_next(self.project_id)
                people.annotate(task["id"], self.labels[task["data"]["text"]])

    def label_and_wait(self, count: int = 10) -> None:
        """Answers, and the end of the loop that they bring."""
        before = self.state()["version"]
        self.label(count)
        wait_for(lambda: self._is_done(before), "no new version served", timeout_s=LOOP_TIMEOUT_S)

    def token(self) -> str:
        """The token of the page's forms; the client keeps the cookie that it belongs to."""
        return self._token_of(f"/projects/{self.project_id}")

    def log_in(self) -> None:
        """As people do, so that `cookies` has the one that lets them in."""
        user, password = self.login or ("", "")
        fields = {"user": user, "password": password, "csrf_token": self._token_of("/login")}
        self._client.post("/login", data=fields)

    @property
    def cookies(self) -> str:
        """The cookies of the page, as a header carries them."""
        return "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())

    def close(self) -> None:
        """Gives the connection back."""
        self._client.close()

    def _token_of(self, page: str) -> str:
        found = _TOKEN.search(self._client.get(page).text)
        if found is None:
            raise RuntimeError(f"{page} has no form")
        return found[1]

    def _is_done(self, before: str) -> bool:
        state = self.state()
        return not state["is_running"] and state["version"] != before


@contextmanager
def open_served_stage(texts: Sequence[Text], **settings: str) -> Iterator[ServedStage]:
    """A project of these texts, connected; the data folder goes with the stage."""
    with tempfile.TemporaryDirectory(prefix="nextlabel-bench-") as folder, served_label_studio() as remote:
        inside = remote.inside
        labels = {text.content: text.label for text in texts}
        project_id = inside.add_project(labels=sorted(set(labels.values())), texts=list(labels))
        chosen = {"WEBHOOK_SECRET": SECRET, "HOST": "127.0.0.1"} | settings
        backend = BackendProcesses(
            Path(folder), label_studio_url=remote.url, api_key=remote.token, settings=chosen
        )
        with backend:
            inside.serve(backend.url, WebProcesses([backend.url]))
            connected = backend.command_line("connect", str(project_id))
            if connected.returncode != 0:
                raise RuntimeError(f"connect failed: {connected.stderr or connected.stdout}")
            login = (
                (chosen["BASIC_AUTH_USER"], chosen["BASIC_AUTH_PASS"])
                if "BASIC_AUTH_USER" in chosen
                else None
            )
            stage = ServedStage(inside, backend, project_id, labels, login)
            try:
                yield stage
            finally:
                stage.close()
