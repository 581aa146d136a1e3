"""What every answer says to a browser, whatever was asked and however it went."""

import re

import pytest

BROWSER = {"Accept": "text/html"}
HTTPS = "Strict-Transport-Security"


def paths(client):
    rules = client.application.url_map.iter_rules()
    return sorted({re.sub(r"<int:\w+>", "7", str(rule)) for rule in rules if rule.endpoint != "static"})


def assert_protected(response):
    headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("accept", [BROWSER, {}])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE"])
def test_every_answer_is_protected(method, accept, client):
    for path in [*paths(client), "/no/such/page"]:
        with client.open(path, method=method, headers=accept) as response:
            assert_protected(response)
            assert response.headers["Cache-Control"] == "no-store"
            assert HTTPS not in response.headers


def test_refusals_and_faults_of_our_own_are_protected_as_well(client, monkeypatch):
    assert_protected(client.post("/projects/1/loop", headers={"Sec-Fetch-Site": "cross-site"}))
    monkeypatch.setattr("backend.routes.admin.refresh_metrics", lambda _context: 1 / 0)
    answer = client.get("/metrics")
    assert answer.status_code == 500
    assert_protected(answer)


def test_our_own_files_are_protected_and_may_be_kept(client):
    with client.get("/static/map.js") as response:
        assert_protected(response)
        assert response.headers["Cache-Control"] != "no-store"


@pytest.mark.parametrize("name", ["backend_url", "backend_public_url"])
def test_behind_https_browsers_are_told_to_stay_there(name, make_settings, make_context, make_app):
    client = make_app(make_context(make_settings(**{name: "https://backend.test"}))).test_client()
    assert client.get("/health").headers[HTTPS] == "max-age=31536000"


def test_a_request_by_https_is_told_so_too(client):
    assert HTTPS in client.get("/health", base_url="https://backend.test").headers
