"""People of a Label Studio: log in with a password, sign up by the invite link, fetch a person's tokens."""

from __future__ import annotations

import httpx

TIMEOUT_S = 120.0


def log_in(url: str, email: str, password: str) -> httpx.Client:
    """A client with the session of that person, as a browser has it; raises RuntimeError when refused."""
    client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)
    _submit_form(client, "/user/login/", {"email": email, "password": password})
    return client


def sign_up(url: str, *, inviter: httpx.Client, email: str, password: str) -> httpx.Client:
    """A client with the session of a new member who followed the invite link of `inviter`'s organization."""
    link = _json(inviter.get("/api/invite"))["invite_url"]
    token = httpx.URL(url).join(str(link)).params["token"]
    client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)
    form = {"email": email, "password": password, "allow_newsletters": "false"}
    _submit_form(client, f"/user/signup/?token={token}", form)
    return client


def fetch_legacy_token(client: httpx.Client) -> str:
    """The legacy token of the person whose session `client` has."""
    return str(_json(client.get("/api/current-user/token"))["token"])


def create_personal_access_token(client: httpx.Client) -> str:
    """A personal access token of the person whose session `client` has; each may have one."""
    headers = {"X-CSRFToken": client.cookies.get("csrftoken") or ""}
    return str(_json(client.post("/api/token/", headers=headers))["token"])


def connect_with_token(url: str, legacy_token: str) -> httpx.Client:
    """A client that acts as the owner of the legacy token."""
    headers = {"Authorization": f"Token {legacy_token}"}
    return httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False)


def _submit_form(client: httpx.Client, path: str, form: dict[str, str]) -> None:
    page = client.get(path)
    fields = form | {"csrfmiddlewaretoken": client.cookies.get("csrftoken") or ""}
    answer = client.post(path, data=fields, headers={"Referer": str(client.base_url)})
    # A refused form is shown again with 200; an accepted one redirects.
    if page.is_error or not answer.is_redirect:
        client.close()
        raise RuntimeError(f"Label Studio refused the form {path} (status {answer.status_code})")


def _json(answer: httpx.Response) -> dict[str, object]:
    answer.raise_for_status()
    body: dict[str, object] = answer.json()
    return body
