"""What the map of a project asks for: texts, searches, a tab of picked tasks, and which come next."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from backend.context import Context
from backend.errors import BadRequest, NextlabelError, NotFound
from backend.routes.auth import who
from backend.workflows.findings.selections import MOST_IN_TAB, ask_next, make_tab, stop_asking
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.dashboard.points import read_cards
from backend.workflows.views.search import MOST_FOUND, like_sentence, like_task
from backend.workflows.views.small_pictures import small_picture
from backend.workflows.views.wording import counted

# The longest selection that a form carries.
_MOST_PICKED = 2_000
_NUMBER = re.compile(r"\b\d{1,10}\b")


def map_routes(context: Context, forms: CSRFProtect) -> Blueprint:
    """Routes that answer the scripts of the map, errors as well."""
    routes = Blueprint("map", __name__)
    _serve_texts(routes, context)
    _serve_uses(routes, context, forms)

    @routes.errorhandler(NextlabelError)
    def known(error: NextlabelError) -> tuple[Response, int]:
        return jsonify(error.to_json()), error.status

    @routes.errorhandler(CSRFError)
    def out_of_date(_error: CSRFError) -> tuple[Response, int]:
        error = BadRequest("This page is out of date, so nothing was done.", hint="Load it again.")
        return jsonify(error.to_json()), 403

    return routes


def _serve_texts(routes: Blueprint, context: Context) -> None:
    @routes.get("/projects/<int:project_id>/tasks.json")
    def tasks(project_id: int) -> Response:
        cards = read_cards(open_workspace(context, project_id), _numbers(request.args.get("task", "")))
        return jsonify({"tasks": cards})

    @routes.get("/projects/<int:project_id>/tasks/<int:task_id>/picture.jpg")
    def picture(project_id: int, task_id: int) -> Response:
        found = small_picture(open_workspace(context, project_id), task_id)
        if found is None:
            raise NotFound(f"Task {task_id} shows no picture that could be read.")
        return Response(found, mimetype="image/jpeg")

    # A search changes nothing; what was typed belongs into no address, and so into no log of one.
    @routes.post("/projects/<int:project_id>/search")
    def search(project_id: int) -> Response:
        workspace, like = open_workspace(context, project_id), request.form.get("task", "")
        count = next(iter(_numbers(request.form.get("count", ""))), MOST_FOUND)
        count = min(max(count, 1), MOST_FOUND)
        if like:
            found = like_task(workspace, _one_number(like), count=count)
        else:
            found = like_sentence(workspace, request.form.get("sentence", ""), count=count)
        return jsonify({"tasks": found})


def _serve_uses(routes: Blueprint, context: Context, forms: CSRFProtect) -> None:
    @routes.post("/projects/<int:project_id>/tabs")
    def tab(project_id: int) -> Any:
        forms.protect()
        workspace, picked = open_workspace(context, project_id), _numbers(request.form.get("tasks", ""))
        made = make_tab(workspace, picked, title=request.form.get("title", ""))
        workspace.decisions.add("tab-made", {"tasks": made.tasks}, by=who())
        words = f"The tab is there, with {counted(made.tasks, 'task')}"
        more = f"; a tab takes {MOST_IN_TAB} at most." if len(picked) > made.tasks else "."
        link = f"{context.settings.label_studio_link}/projects/{project_id}/data?tab={made.number}"
        return jsonify({"words": words + more, "link": link})

    @routes.post("/projects/<int:project_id>/ask-next")
    def ask(project_id: int) -> Response:
        forms.protect()
        workspace, picked = open_workspace(context, project_id), _numbers(request.form.get("tasks", ""))
        coming = ask_next(workspace, picked, by=who())
        words = f"{counted(coming, 'task')} will come first, in a moment; then the order goes on."
        return jsonify({"words": words, "asked": coming})

    @routes.post("/projects/<int:project_id>/ask-next/undo")
    def undo(project_id: int) -> Response:
        forms.protect()
        stop_asking(open_workspace(context, project_id), by=who())
        return jsonify({"words": "Taken back: the model chooses the order again, in a moment.", "asked": 0})


def _numbers(text: str) -> list[int]:
    """Ids that stand in a text, whatever is between them."""
    return [int(number) for number in _NUMBER.findall(text)][:_MOST_PICKED]


def _one_number(text: str) -> int:
    found = _numbers(text)
    if len(found) != 1:
        raise BadRequest("The number of a task is missing.", hint="It stands beside each task.")
    return found[0]
