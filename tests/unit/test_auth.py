"""Tokens of Label Studio: which kind they are, and how requests are signed with them."""

import httpx
import pytest

from backend.label_studio.auth import LabelStudioAuth, token_kind
from backend.label_studio.media.errors import MediaRefused
from tests.fake_label_studio import LEGACY_TOKEN, PERSONAL_TOKEN


@pytest.fixture
def seen():
    return []


@pytest.fixture
def client(label_studio, seen):
    """client(token): an HTTP client that signs with it; what it sends is written down in `seen`."""

    def note(request):
        seen.append((request.url.path, request.headers.get("Authorization", "")))

    label_studio.before_answering.append(note)

    def make(token):
        auth = LabelStudioAuth(label_studio.url, token)
        return httpx.Client(base_url=label_studio.url, auth=auth, transport=label_studio.transport)

    return make


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (LEGACY_TOKEN, "legacy"),
        (PERSONAL_TOKEN, "personal"),
        ("", "legacy"),
        ("a.b.c", "legacy"),
        ("..", "legacy"),
        ("é.b.c", "legacy"),
        ("W10.b.c", "legacy"),  # a JSON list is no header
        ("e30.b.c", "legacy"),  # an object without "alg" neither
        (f"{PERSONAL_TOKEN}.more", "legacy"),
    ],
)
def test_only_a_json_web_token_is_a_personal_one(token, kind):
    assert token_kind(token) == kind


def test_a_legacy_token_is_sent_as_it_is(client, seen):
    assert client(LEGACY_TOKEN).get("/api/current-user/whoami").status_code == 200
    assert seen == [("/api/current-user/whoami", f"Token {LEGACY_TOKEN}")]


def test_a_personal_token_is_exchanged_once_for_many_requests(client, seen):
    http = client(PERSONAL_TOKEN)
    for _ in range(3):
        assert http.get("/api/current-user/whoami").status_code == 200
    assert [path for path, _header in seen].count("/api/token/refresh") == 1
    assert {header for path, header in seen if "whoami" in path} == {"Bearer access-1"}


def test_the_personal_token_itself_is_never_used_as_a_header(client, seen):
    client(PERSONAL_TOKEN).get("/api/current-user/whoami")
    assert all(PERSONAL_TOKEN not in header for _path, header in seen)


def test_an_access_token_that_has_run_out_is_replaced_without_a_failure(client, label_studio):
    http = client(PERSONAL_TOKEN)
    http.get("/api/current-user/whoami")
    label_studio.expire_access_tokens()
    assert http.get("/api/current-user/whoami").status_code == 200


def test_an_access_token_is_replaced_before_it_runs_out(client, seen, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("backend.label_studio.auth.time.monotonic", lambda: clock[0])
    http = client(PERSONAL_TOKEN)
    http.get("/api/current-user/whoami")
    clock[0] += 250.0
    http.get("/api/current-user/whoami")
    assert seen[-1][1] == "Bearer access-2"


def test_a_personal_token_that_is_refused_ends_in_a_401(client):
    unknown = PERSONAL_TOKEN[:-3] + "xxx"
    assert client(unknown).get("/api/current-user/whoami").status_code == 401


def test_a_body_is_sent_again_with_the_new_access_token(client, label_studio, project_id):
    http = client(PERSONAL_TOKEN)
    http.get("/api/current-user/whoami")
    label_studio.expire_access_tokens()
    response = http.patch(f"/api/projects/{project_id}", json={"title": "renamed"})
    assert (response.status_code, response.json()["title"]) == (200, "renamed")


@pytest.fixture
def header(label_studio, monkeypatch):
    """header(token): what signs a request that is not made through httpx."""
    http = httpx.Client(transport=label_studio.transport)
    monkeypatch.setattr("backend.label_studio.auth.httpx.post", http.post)
    return lambda token: LabelStudioAuth(label_studio.url, token).authorization


def test_a_header_for_other_clients_is_that_of_the_token(header):
    assert header(LEGACY_TOKEN)() == f"Token {LEGACY_TOKEN}"
    sign = header(PERSONAL_TOKEN)
    first = sign()
    assert first.startswith("Bearer ")
    assert PERSONAL_TOKEN not in first
    assert sign() == first
    assert sign(True) != first


def test_a_header_is_refused_where_the_token_is(header):
    with pytest.raises(MediaRefused, match="Label Studio refuses our token"):
        header(PERSONAL_TOKEN[:-3] + "xxx")()
