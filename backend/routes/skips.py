"""The buttons about skipped tasks: an answer to the question about them, and to open some again."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, request
from werkzeug.wrappers import Response as Answer

from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard import actions

Press = Callable[[int, Callable[[Workspace], str]], Answer]


def serve_skip_buttons(
    routes: Blueprint, press: Press, *, group: Callable[[], int], who: Callable[[], str]
) -> None:
    """Adds them to the pages' routes: `press` checks a form and goes back to the page of the project."""

    @routes.post("/projects/<int:project_id>/skips/answer")
    def answer_skips(project_id: int) -> Answer:
        answer, name = request.form.get("answer", ""), request.form.get("name", "").strip()
        return press(
            project_id, lambda found: actions.settle_skips(found, group(), answer, name=name, by=who())
        )

    @routes.post("/projects/<int:project_id>/skips/reopen")
    def reopen_skips(project_id: int) -> Answer:
        return press(project_id, lambda found: actions.ask_again(found, group(), by=who()))
