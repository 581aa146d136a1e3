"""What SECURITY.md says of those who wish us ill, where no other test holds it."""

import re

import httpx
import pytest
import typer
from pydantic import ValidationError

from backend.cli import app as cli
from backend.errors import NextlabelError
from backend.label_studio.client import LabelStudio
from backend.parts import check_folders
from backend.settings import Settings
from backend.workflows.project.registration import SECRET_HEADER
from backend.workflows.work import run_pending
from tests.conftest import WEBHOOK_SECRET
from tests.fake_label_studio import LEGACY_TOKEN, PERSONAL_TOKEN
from tests.workbench import Workbench

PERSON, PASSWORD = "an-admin", "a-password-nobody-may-read"
SECRETS = (PASSWORD, LEGACY_TOKEN, WEBHOOK_SECRET)


@pytest.fixture
def locked(make_settings, make_context, make_app, label_studio, project_id):
    """A connected project whose backend asks for the log-in, with some answers; and a client before it."""
    context = make_context(make_settings(basic_auth_user=PERSON, basic_auth_pass=PASSWORD))
    app = make_app(context)
    workbench = Workbench(context, label_studio, project_id)
    workbench.connect()
    workbench.label(6)
    workbench.loop()
    return workbench, app.test_client()


def test_a_copy_of_the_data_folder_holds_no_password_and_no_token(locked):
    workbench, client = locked
    client.get("/versions", auth=(PERSON, "a wrong guess of somebody"))
    files = [path for path in workbench.context.settings.data_dir.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    for path in files:
        held = path.read_bytes()
        assert [secret for secret in (*SECRETS, "a wrong guess") if secret.encode() in held] == [], path


def test_a_data_folder_that_we_make_is_closed_to_others(make_settings, tmp_path):
    check_folders(make_settings(data_dir=tmp_path / "made" / "by us"))
    assert (tmp_path / "made" / "by us").stat().st_mode & 0o777 == 0o700
    (tmp_path / "there").mkdir(mode=0o750)
    check_folders(make_settings(data_dir=tmp_path / "there"))
    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o750, "whoever made it says who may read it"


def test_no_answer_holds_a_secret(locked):
    _workbench, client = locked
    rules = [rule for rule in client.application.url_map.iter_rules() if "GET" in rule.methods]
    paths = [re.sub(r"<int:\w+>", "1", str(rule)) for rule in rules if rule.endpoint != "static"]
    assert len(paths) > 10
    for path in paths:
        for accept in ("text/html", "*/*"):
            answer = client.get(path, auth=(PERSON, PASSWORD), headers={"Accept": accept})
            whole = answer.get_data(as_text=True) + str(answer.headers)
            assert [secret for secret in SECRETS if secret in whole] == [], path


def test_whoever_knows_the_secret_of_webhooks_can_only_make_us_look(locked):
    workbench, client = locked
    before = workbench.version, workbench.workspace.tasks.count_annotations()
    forged = {
        "action": "ANNOTATION_CREATED",
        "project": {"id": workbench.project_id},
        "task": {"id": 40, "data": {"text": "forged"}},
        "annotation": {"id": 99, "task": 40, "result": [{"value": {"choices": ["cats"]}}]},
    }
    path = f"/webhook?project={workbench.workspace.reference}"
    for action in ("ANNOTATION_CREATED", "TASKS_CREATED", "PROJECT_UPDATED"):
        answer = client.post(path, json=forged | {"action": action}, headers={SECRET_HEADER: WEBHOOK_SECRET})
        assert answer.status_code == 201
    run_pending(workbench.context, workbench.workspace.id)
    assert (workbench.version, workbench.workspace.tasks.count_annotations()) == before


def test_no_secret_is_given_on_a_command_line():
    """Other users of a machine see the arguments of every process, and a shell keeps them."""

    def options(command):
        for found in getattr(command, "commands", {}).values():
            yield from options(found)
        yield from (name for parameter in command.params for name in parameter.opts)

    named = set(options(typer.main.get_command(cli)))
    assert "--host" in named
    assert [name for name in named if re.search("pass|token|secret|key|auth", name)] == []


def test_settings_print_no_password_of_an_address(no_environment, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://me:sesame-1@host/x")
    monkeypatch.setenv("REDIS_URL", "redis://:sesame-2@host")
    monkeypatch.setenv("SECRET_KEY", "sesame-3")
    settings = Settings()
    assert settings.database_address.count("sesame-1") == 1
    assert "sesame" not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    "given",
    [
        {"DATABASE_URL": "mysql://me:sesame@host/x"},
        {"REDIS_URL": "http://:sesame@host"},
        {"WEBHOOK_SECRET": "sésame"},
        {"LABEL_STUDIO_API_KEY": "two sesame"},
    ],
)
def test_a_wrong_setting_is_named_without_what_was_given(given, no_environment, monkeypatch):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert "same" not in str(raised.value) + repr(raised.value)


def hostile(answer, *, token=LEGACY_TOKEN):
    """A Label Studio that answers everything like this, and where requests went with which header."""
    seen = []

    def reply(request):
        seen.append((request.url.host, request.headers.get("Authorization", "")))
        return answer(request)

    return LabelStudio("http://ls.test", token, transport=httpx.MockTransport(reply)), seen


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_token_follows_label_studio_to_another_place(status, no_pauses):
    remote, seen = hostile(lambda _: httpx.Response(status, headers={"Location": "http://evil.test/api"}))
    for ask in (remote.whoami, lambda: remote.project(1), lambda: remote.update_project(1, title="x")):
        with pytest.raises(NextlabelError):
            ask()
    assert {host for host, _header in seen} == {"ls.test"}


@pytest.mark.parametrize("token", [LEGACY_TOKEN, PERSONAL_TOKEN])
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_server_that_repeats_what_it_got_puts_no_token_into_a_message(status, token, no_pauses):
    def repeat(request):
        if request.url.path.endswith("/refresh"):
            return httpx.Response(200, json={"access": "an-access-token"})
        headers = str(dict(request.headers))
        return httpx.Response(status, json={"detail": f"{headers} {token}"})

    remote, seen = hostile(repeat, token=token)
    with pytest.raises(NextlabelError) as raised:
        remote.project(1)
    sent = seen[-1][1].split()[1]
    assert sent and sent not in raised.value.with_hint and token not in raised.value.with_hint


@pytest.mark.parametrize(
    "answer",
    [[], {}, None, 7, "x", [1], {"id": []}, {"id": 1, "title": None}, {"id": 1, "label_config": 5}],
)
def test_an_answer_of_any_shape_is_an_error_of_ours(answer, no_pauses):
    remote, _seen = hostile(lambda _: httpx.Response(200, json=answer))
    with pytest.raises(NextlabelError):
        remote.project(1)


@pytest.mark.parametrize("body", [b"\xff" * 100, b"[" * 100_000, b"", b"<html>", b'{"id": NaN'])
def test_bytes_that_are_no_json_are_an_error_of_ours(body, no_pauses):
    remote, _seen = hostile(lambda _: httpx.Response(200, content=body))
    with pytest.raises(NextlabelError):
        remote.project(1)
