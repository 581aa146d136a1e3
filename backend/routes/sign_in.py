"""The log-in of people: a form, a cookie that ends, and a way out."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, flash, make_response, redirect, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as Answer

from backend.errors import TooManyGuesses
from backend.routes.auth import check_guess
from backend.routes.guesses import WrongGuesses
from backend.routes.headers import is_behind_https
from backend.routes.login_cookie import forget_cookie, is_logged_in, set_cookie
from backend.routes.pages import relative_url
from backend.settings import Settings

logger = logging.getLogger(__name__)


def sign_in_routes(app: Flask, settings: Settings, forms: CSRFProtect, guesses: WrongGuesses) -> Blueprint:
    """`/login` and `/logout`."""
    routes = Blueprint("sign_in", __name__)

    @routes.get("/login")
    def form() -> Response | Answer:
        if not settings.basic_auth_user or is_logged_in(app, settings, request):
            return redirect(_way_on(app), 303)
        return _form()

    @routes.post("/login")
    def enter() -> Response | Answer:
        forms.protect()
        if not settings.basic_auth_user:
            return redirect(_way_on(app), 303)
        name, password = request.form.get("user", ""), request.form.get("password", "")
        try:
            is_right = check_guess(settings, guesses, name, password)
        except TooManyGuesses as error:
            return _form(error.with_hint, status=error.status)
        if not is_right:
            return _form("The user name or the password is wrong.", status=401)
        response = make_response(redirect(_way_on(app), 303))
        set_cookie(app, settings, response, only_https=is_behind_https(settings))
        logger.info("logged in by=%s from=%s", settings.basic_auth_user, request.remote_addr)
        return response

    @routes.post("/logout")
    def leave() -> Response:
        forms.protect()
        response = make_response(redirect(relative_url("sign_in.form"), 303))
        forget_cookie(response, only_https=is_behind_https(settings))
        logger.info("logged out by=%s from=%s", settings.basic_auth_user, request.remote_addr)
        return response

    @routes.errorhandler(CSRFError)
    def out_of_date(_error: CSRFError) -> Answer:
        flash("The form was out of date, so nothing was done.", "error")
        return redirect(relative_url("sign_in.form"), 303)

    @app.context_processor
    def tell_pages() -> dict[str, Any]:
        return {"can_leave": bool(settings.basic_auth_user) and is_logged_in(app, settings, request)}

    return routes


def ask_to_sign_in() -> Answer:
    """Leads somebody who is not logged in to the form, and back afterwards to where he was."""
    if request.method in ("GET", "HEAD"):
        way_on = request.path
    else:
        project = (request.view_args or {}).get("project_id")
        way_on = "/projects" if project is None else f"/projects/{project}"
        flash("You were not logged in any more, so nothing was done.", "error")
    return redirect(f"{relative_url('sign_in.form')}?{urlencode({'next': way_on})}", 303)


def _form(fault: str = "", *, status: int = 200) -> Response:
    return make_response(render_template("login.html", fault=fault, url_for=relative_url), status)


def _way_on(app: Flask) -> str:
    """The page that was asked for, if it is one of ours; else all projects. Seen from /login."""
    wanted = request.values.get("next", "")
    try:
        endpoint, values = app.url_map.bind("").match(wanted, method="GET")
    except (HTTPException, RequestRedirect):
        endpoint, values = "dashboard.projects", {}
    if endpoint == "static" or endpoint.startswith("sign_in."):
        endpoint, values = "dashboard.projects", {}
    return relative_url(endpoint, **values)
