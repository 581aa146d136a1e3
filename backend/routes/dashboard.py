"""The pages for people: connected projects, one project's dashboard, its buttons and its downloads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response as Answer

from backend.context import Context
from backend.errors import BadRequest, Busy, NextlabelError
from backend.routes.auth import who
from backend.routes.labels import serve_label_forms
from backend.routes.pages import error_page, relative_url
from backend.routes.skips import serve_skip_buttons
from backend.tables import write_csv
from backend.workflows.project.workspace import Workspace, open_workspace
from backend.workflows.views.dashboard import actions
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.dashboard.points import map_points
from backend.workflows.views.dashboard.projects import list_projects
from backend.workflows.views.dashboard.state import read_state
from backend.workflows.views.dashboard.synthetic import wanted_data
from backend.workflows.views.loop_records import loop_records, records_as_csv


def dashboard_routes(context: Context, forms: CSRFProtect) -> Blueprint:
    """Pages and what they load."""
    routes = Blueprint("dashboard", __name__)
    _serve_pages(routes, context)
    _serve_figures(routes, context)
    _serve_buttons(routes, context, forms)

    @routes.context_processor
    def link_relatively() -> dict[str, Any]:
        return {"url_for": relative_url}

    @routes.errorhandler(CSRFError)
    def out_of_date(_error: CSRFError) -> Response:
        return error_page(
            "This form is out of date, so nothing was done.",
            hint="Go back, load the page again, and press the button once more.",
            status=403,
        )

    return routes


def _serve_pages(routes: Blueprint, context: Context) -> None:
    @routes.get("/projects")
    def projects() -> str:
        return render_template("projects.html", projects=list_projects(context))

    @routes.get("/projects/<int:project_id>")
    def project(project_id: int) -> str:
        return render_template("project.html", view=build_dashboard(open_workspace(context, project_id)))


def _serve_figures(routes: Blueprint, context: Context) -> None:
    workspace_of = partial(open_workspace, context)

    @routes.get("/projects/<int:project_id>/state.json")
    def state(project_id: int) -> Response:
        return jsonify(read_state(workspace_of(project_id)))

    @routes.get("/projects/<int:project_id>/map.json")
    def pool_map(project_id: int) -> Response:
        return jsonify(map_points(workspace_of(project_id)))

    @routes.get("/projects/<int:project_id>/wanted.json")
    def wanted_json(project_id: int) -> Response:
        return jsonify({"project": project_id, "wanted": wanted_data(workspace_of(project_id))})

    @routes.get("/projects/<int:project_id>/wanted.csv")
    def wanted_csv(project_id: int) -> Response:
        return _csv_file(_wanted_csv(wanted_data(workspace_of(project_id))), f"wanted-{project_id}.csv")

    @routes.get("/projects/<int:project_id>/loops.json")
    def loops_json(project_id: int) -> Response:
        return jsonify({"project": project_id, "loops": loop_records(workspace_of(project_id))})

    @routes.get("/projects/<int:project_id>/loops.csv")
    def loops_csv(project_id: int) -> Response:
        return _csv_file(records_as_csv(loop_records(workspace_of(project_id))), f"loops-{project_id}.csv")


def _serve_buttons(routes: Blueprint, context: Context, forms: CSRFProtect) -> None:
    def press(project_id: int, act: Callable[[Workspace], str]) -> Answer:
        forms.protect()
        try:
            flash(act(open_workspace(context, project_id)), "done")
        except Busy:
            flash("It is learning at the moment; try again in a moment.", "error")
        except NextlabelError as error:
            flash(error.with_hint, "error")
        return redirect(relative_url("dashboard.project", project_id=project_id), 303)

    @routes.post("/projects/<int:project_id>/loop")
    def loop(project_id: int) -> Answer:
        by = who()
        return press(project_id, lambda found: actions.ask_for_loop(found, by=by))

    @routes.post("/projects/<int:project_id>/add-class")
    def add_class(project_id: int) -> Answer:
        name, by = request.form.get("name", "").strip(), who()
        return press(project_id, lambda found: actions.take_class(found, _group(), name=name, by=by))

    @routes.post("/projects/<int:project_id>/reject-group")
    def reject_group(project_id: int) -> Answer:
        by = who()
        return press(project_id, lambda found: actions.refuse_class(found, _group(), by=by))

    @routes.post("/projects/<int:project_id>/rollback")
    def rollback(project_id: int) -> Answer:
        version, by = request.form.get("version", ""), who()
        return press(project_id, lambda found: actions.go_back(found, version, by=by))

    serve_label_forms(routes, context, forms, press, who=who)
    serve_skip_buttons(routes, press, group=_group, who=who)


def _group() -> int:
    try:
        return int(request.form.get("group", ""))
    except ValueError:
        raise BadRequest("The number of the group is missing.", hint="Load the page again.") from None


def _wanted_csv(gaps: list[dict[str, Any]]) -> str:
    """A row a gap, its examples in the last columns."""
    width = max((len(gap["examples"]) for gap in gaps), default=0)
    heading = ["label", "count", "reason", *(f"example_{place + 1}" for place in range(width))]
    rows = [
        [gap["label"], gap["count"], gap["reason"], *(row["text"] for row in gap["examples"])] for gap in gaps
    ]
    return write_csv(heading, rows)


def _csv_file(text: str, name: str) -> Response:
    response = Response(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
