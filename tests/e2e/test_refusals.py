"""A Label Studio as it is by default: legacy tokens refused, local addresses blocked."""

import json
from contextlib import closing

import httpx
import pytest

from demo.label_studio_accounts import create_personal_access_token, log_in
from demo.label_studio_server import LabelStudioServer
from demo.project import LabelingProject, write_label_config


@pytest.fixture(scope="module")
def strict_label_studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strict-label-studio")
    with LabelStudioServer(folder, ssrf_protection=True, legacy_tokens=False) as server:
        yield server


@pytest.fixture(scope="module")
def personal_token(strict_label_studio):
    server = strict_label_studio
    with closing(log_in(server.url, server.email, server.password)) as session:
        return create_personal_access_token(session)


@pytest.fixture
def project(strict_label_studio, personal_token):
    url = strict_label_studio.url
    answer = httpx.post(f"{url}/api/token/refresh", json={"refresh": personal_token}, trust_env=False)
    headers = {"Authorization": f"Bearer {answer.raise_for_status().json()['access']}"}
    with httpx.Client(base_url=url, headers=headers, timeout=120.0, trust_env=False) as client:
        yield LabelingProject.create(
            client,
            title="Refused",
            label_config=write_label_config(["cats", "dogs"]),
            tasks=[{"text": "Cats sleep a lot."}],
        )


def _error(backend, *arguments):
    done = backend.command_line(*arguments, "--json")
    assert done.returncode == 1
    return json.loads(done.stdout)["error"]


def test_connect_says_that_local_addresses_are_blocked_and_leaves_nothing_half_made(
    strict_label_studio, personal_token, project, make_backend
):
    backend = make_backend(server=strict_label_studio, api_key=personal_token)
    backend.start_web()
    error = _error(backend, "connect", str(project.id))
    assert error["code"] == "address-blocked"
    assert "USE_DEFAULT_BANNED_SUBNETS=false" in error["hint"]
    for path in ("/api/ml", "/api/webhooks/"):
        assert project.client.get(path, params={"project": project.id}).json() == []
    settings = project.settings()
    assert (settings["sampling"], settings["model_version"]) == ("Sequential sampling", "")


def test_connect_says_that_legacy_tokens_are_switched_off(strict_label_studio, project, make_backend):
    error = _error(make_backend(server=strict_label_studio), "connect", str(project.id))
    assert error["code"] == "token-refused"
    assert "legacy token" in error["message"]
    assert "personal access token" in error["hint"]


def test_connect_says_that_a_personal_access_token_is_wrong(
    strict_label_studio, personal_token, project, make_backend
):
    broken = make_backend(server=strict_label_studio, api_key=personal_token[:-4] + "aaaa")
    error = _error(broken, "connect", str(project.id))
    assert error["code"] == "token-refused"
    assert "personal access token" in error["message"]


def test_connect_names_the_projects_that_there_are(
    strict_label_studio, personal_token, project, make_backend
):
    backend = make_backend(server=strict_label_studio, api_key=personal_token)
    error = _error(backend, "connect", "999999")
    assert error["code"] == "not-found"
    assert str(project.id) in error["hint"].removeprefix("You can see: ").rstrip(".").split(", ")
