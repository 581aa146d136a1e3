"""The forms that change labels: a preview on a page of its own, then one button that writes it, and undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from flask import Blueprint, flash, redirect, render_template, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as Answer

from backend.context import Context
from backend.errors import BadRequest, NextlabelError
from backend.label_studio.relabel import Kind
from backend.routes.pages import relative_url
from backend.routes.skips import Press
from backend.workflows.findings.relabel import Wish
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.dashboard import labels


def serve_label_forms(
    routes: Blueprint, context: Context, forms: CSRFProtect, press: Press, *, who: Callable[[], str]
) -> None:
    """Adds them to the pages' routes: `press` checks a form and goes back to the page of the project."""

    @routes.post("/projects/<int:project_id>/labels/preview")
    def preview_labels(project_id: int) -> Answer | str:
        forms.protect()
        try:
            view = labels.preview_labels(open_workspace(context, project_id), _wish())
        except NextlabelError as error:
            flash(error.with_hint, "error")
            return redirect(relative_url("dashboard.project", project_id=project_id), 303)
        return render_template("labels.html", view=view, project_id=project_id)

    @routes.post("/projects/<int:project_id>/labels/change")
    def change_labels(project_id: int) -> Answer:
        return press(project_id, lambda found: labels.change(found, _wish(), by=who()))

    @routes.post("/projects/<int:project_id>/labels/undo")
    def undo_labels(project_id: int) -> Answer:
        return press(project_id, lambda found: labels.undo(found, by=who()))


def _wish() -> Wish:
    """What a form asks for; raises BadRequest where a field is missing."""
    kind, question = request.form.get("kind", ""), request.form.get("question", "")
    for known in get_args(Kind):
        if kind == known:
            return Wish(known, _labels(known), question, asks_again="ask_again" in request.form)
    raise BadRequest("The form does not say what to do with the labels.", hint="Load the page again.")


def _labels(kind: Kind) -> tuple[str, ...]:
    """The labels that a change is about, in the order of `plan_change`; one to a line where there are new."""
    chosen = [label for label in request.form.getlist("label") if label]
    lines = [line.strip() for line in request.form.get("new", "").splitlines()]
    new = [line for line in lines if line]
    if kind == "merge" and new:  # what stays may have been ticked, too
        chosen = [label for label in chosen if label != new[0]]
    if not chosen:
        raise BadRequest("No label was chosen.", hint="Choose one, and press the button again.")
    return (*chosen, *new)
