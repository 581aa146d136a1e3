"""Connect: everything in one go, twice changes nothing, and disconnect takes it back."""

import copy

import httpx
import pytest

from backend.errors import (
    AddressBlocked,
    BackendUnreachable,
    LabelStudioError,
    NextlabelError,
    NotFound,
    TokenRefused,
    UnexpectedAnswer,
    UnsupportedConfig,
)
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.connection.doctor import diagnose
from backend.workflows.project.registration import EXTRA_PARAMS_KEY, SECRET_HEADER, WEBHOOK_EVENTS
from backend.workflows.project.workspace import connected_workspaces
from tests.conftest import BACKEND_URL, WEBHOOK_SECRET
from tests.fake_label_studio import LEGACY_TOKEN, PERSONAL_TOKEN
from tests.topics import write_texts
from tests.workbench import Workbench

LOGIN = {"basic_auth_user": "nextlabel", "basic_auth_pass": "a-password"}


@pytest.fixture
def start(make_context, make_app, make_settings, label_studio, project_id):
    """start(SETTING=…): a workbench of the project with a backend that was started with these settings."""

    def begin(**changes):
        context = make_context(make_settings(**changes))
        make_app(context)
        return Workbench(context, label_studio, project_id)

    return begin


def state(label_studio):
    """Everything that Label Studio stores, but the times of its last looks."""
    rows = (label_studio.projects, label_studio.predictions, label_studio.backends, label_studio.webhooks)
    return copy.deepcopy(rows)


def test_it_says_who_it_is_and_what_it_found(workbench):
    report = workbench.connect()
    assert (report.user, report.token) == ("admin@example.com", "legacy")
    assert (report.project, report.title, report.labels, report.ignored) == (1, "A project", 2, ())
    assert report.changes == [
        "ML backend registered",
        "webhook added",
        "sampling set to 'Uncertainty sampling'",
    ]
    assert report.loop.outcome == "published"


def test_a_personal_token_is_called_by_its_name(start):
    assert start(label_studio_api_key=PERSONAL_TOKEN).connect().token == "personal"


def test_afterwards_label_studio_serves_in_our_order(connected):
    assert connected.remote["sampling"] == "Uncertainty sampling"
    assert connected.remote["model_version"] == connected.version
    assert connected.served() == connected.window


def test_the_backend_is_registered_under_its_version(connected):
    row = connected.backend
    assert (row["url"], row["title"], row["state"]) == (BACKEND_URL, connected.version, "CO")
    assert (row["auth_method"], row["extra_params"]) == ("NONE", None)


def test_there_is_one_webhook_with_the_secret_and_all_events_and_no_payload(connected):
    (hook,) = connected.webhooks
    assert hook["url"] == f"{BACKEND_URL}/webhook?project={connected.project.reference}"
    assert hook["headers"] == {SECRET_HEADER: WEBHOOK_SECRET}
    assert set(hook["actions"]) == set(WEBHOOK_EVENTS)
    assert not hook["send_payload"] and not hook["send_for_all_actions"] and hook["is_active"]


def test_the_webhook_gets_through(connected, label_studio):
    label_studio.delivered.clear()
    label_studio.annotate(1, "cats")
    assert label_studio.delivered == [("ANNOTATION_CREATED", 201)]


def test_its_verdict_on_the_order_is_one_sentence(workbench):
    report = workbench.connect()
    assert report.in_order
    assert report.verdict == f"The order served is the order published: task {report.served} comes next."


def test_a_second_time_changes_nothing(connected, label_studio):
    before = state(label_studio)
    label_studio.calls.clear()
    report = connected.connect()
    assert label_studio.writes == []
    assert state(label_studio) == before
    assert (report.changes, report.loop.outcome, report.in_order) == ([], "unchanged", True)


@pytest.mark.parametrize("settings", [LOGIN, {"webhook_secret": ""}, LOGIN | {"webhook_secret": ""}])
def test_a_second_time_changes_nothing_with_any_kind_of_log_in(settings, start, label_studio):
    workbench = start(**settings)
    workbench.connect()
    label_studio.calls.clear()
    assert workbench.connect().changes == []
    assert label_studio.writes == []


def test_a_second_time_with_labels_brings_the_queue_up_to_date(connected):
    connected.label(10)
    report = connected.connect()
    assert (report.loop.outcome, report.changes, report.in_order) == ("published", [], True)


def test_disconnect_takes_everything_back(workbench, label_studio):
    before = state(label_studio)
    workbench.connect()
    workbench.label(10)
    workbench.loop()
    done = disconnect(workbench.workspace)
    assert state(label_studio) == before
    assert done == [
        "webhook removed",
        "ML backend removed",
        "20 predictions removed",
        "our fields removed from 20 tasks, and our tabs",
        "sampling set back to 'Sequential sampling'",
    ]
    assert not workbench.project.connected and workbench.version is None


def test_disconnect_sets_back_the_sampling_that_there_was(workbench, label_studio):
    label_studio.change_project(workbench.project_id, sampling="Uniform sampling")
    workbench.connect()
    workbench.connect()
    disconnect(workbench.workspace)
    assert workbench.remote["sampling"] == "Uniform sampling"


def test_disconnect_leaves_what_others_put_there(workbench, label_studio):
    label_studio.store_prediction({"task": 1, "result": [], "score": 0.1, "model_version": "theirs"})
    label_studio.add_webhook(
        project=workbench.project_id,
        url="http://other.test/webhook",
        send_payload=True,
        send_for_all_actions=True,
    )
    before = state(label_studio)
    workbench.connect()
    disconnect(workbench.workspace)
    assert state(label_studio) == before


def test_disconnect_twice_is_harmless(connected):
    disconnect(connected.workspace)
    again = disconnect(connected.workspace)
    assert "no ML backend was registered" in again
    assert not any("sampling" in line for line in again)


def test_connecting_again_after_disconnect_uses_a_fresh_version(connected):
    disconnect(connected.workspace)
    report = connected.connect()
    assert report.loop.version == "nl-000002-label-names"
    assert report.in_order and connected.served() == connected.window


def test_webhooks_after_disconnect_are_refused(connected, client):
    reference = connected.project.reference
    disconnect(connected.workspace)
    response = client.post(
        f"/webhook?project={reference}",
        json={"action": "ANNOTATION_CREATED"},
        headers={SECRET_HEADER: WEBHOOK_SECRET},
    )
    assert response.status_code == 404


# Settings of one project


def test_settings_of_the_project_are_kept_in_label_studio_too(workbench):
    workbench.connect(queue_window=5, audit_share=0.0)
    assert workbench.backend["extra_params"] == {EXTRA_PARAMS_KEY: {"queue_window": 5, "audit_share": 0.0}}
    assert len(workbench.window) == 5


def test_settings_of_the_project_stay_when_it_is_connected_again(workbench, label_studio):
    workbench.connect(queue_window=5)
    label_studio.calls.clear()
    assert workbench.connect().changes == []
    workbench.connect(audit_share=0.0)
    assert workbench.project.overrides == {"queue_window": 5, "audit_share": 0.0}


def test_a_changed_setting_of_the_project_changes_the_queue(connected):
    assert len(connected.window) == 10
    report = connected.connect(queue_window=7)
    assert report.changes == ["ML backend updated"]
    assert (report.loop.outcome, len(connected.window)) == ("published", 7)


def test_settings_survive_the_loss_of_the_data_folder(workbench, start, tmp_path):
    workbench.connect(queue_window=6)
    fresh = start(data_dir=tmp_path / "fresh")
    fresh.connect()
    assert fresh.project.overrides == {"queue_window": 6}
    assert len(fresh.window) == 6


@pytest.mark.parametrize("stored", [{"queue_window": 1}, {"no_such": 1}, "text", 7, None, []])
def test_settings_in_label_studio_that_make_no_sense_are_replaced(stored, connected):
    connected.backend["extra_params"] = {EXTRA_PARAMS_KEY: stored}
    assert connected.connect().in_order
    assert connected.backend["extra_params"] is None
    assert connected.backend["state"] == "CO"


def test_settings_changed_in_label_studio_itself_count_from_the_next_look(connected):
    connected.backend["extra_params"] = {EXTRA_PARAMS_KEY: {"queue_window": 8}}
    connected.loop()
    assert connected.project.overrides == {"queue_window": 8}
    connected.loop()
    assert len(connected.window) == 8


# Log-in and secret


def test_the_log_in_is_handed_to_label_studio(start):
    workbench = start(**LOGIN)
    workbench.connect()
    row = workbench.backend
    assert (row["auth_method"], row["basic_auth_user"], row["basic_auth_pass"]) == (
        "BASIC_AUTH",
        "nextlabel",
        "a-password",
    )
    assert row["state"] == "CO"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, LOGIN),
        (LOGIN, {}),
        (LOGIN, LOGIN | {"basic_auth_user": "another"}),
        (LOGIN, LOGIN | {"basic_auth_pass": "another"}),
    ],
    ids=["new", "taken away", "another user", "another password"],
)
def test_a_changed_log_in_reaches_label_studio_once(first, second, start):
    start(**first).connect()
    workbench = start(**second)
    assert workbench.connect().changes == ["ML backend updated"]
    assert workbench.backend["state"] == "CO"
    assert workbench.connect().changes == []
    workbench.label(10)
    assert workbench.loop().outcome == "published"
    assert workbench.served() == workbench.window


@pytest.mark.parametrize("secret", ["another secret", ""])
def test_a_changed_secret_reaches_the_webhook_once(secret, connected, start, label_studio):
    workbench = start(webhook_secret=secret)
    assert workbench.connect().changes == ["webhook mended"]
    assert workbench.connect().changes == []
    label_studio.delivered.clear()
    label_studio.annotate(1, "cats")
    assert label_studio.delivered == [("ANNOTATION_CREATED", 201)]


@pytest.mark.parametrize("settings", [LOGIN, {}])
def test_where_nobody_set_a_secret_the_webhook_carries_one_that_was_made(settings, start, label_studio):
    workbench = start(**settings, webhook_secret="")
    workbench.connect()
    (hook,) = workbench.webhooks
    assert len(hook["headers"][SECRET_HEADER]) == 64
    label_studio.delivered.clear()
    label_studio.annotate(1, "cats")
    assert label_studio.delivered == [("ANNOTATION_CREATED", 201)]


def test_a_webhook_that_lost_its_secret_is_mended_by_the_next_loop(connected, label_studio):
    (hook,) = connected.webhooks
    hook["headers"] = {}
    report = connected.loop()
    assert (report.outcome, report.record.mended) == ("mended", ["webhook"])
    label_studio.annotate(1, "cats")
    assert label_studio.delivered[-1] == ("ANNOTATION_CREATED", 201)
    assert connected.loop().record.mended == []


def test_a_connection_that_failed_leaves_no_project_to_the_clock(workbench, label_studio):
    label_studio.refuses_local_addresses = True
    with pytest.raises(AddressBlocked):
        workbench.connect()
    assert connected_workspaces(workbench.context) == []
    label_studio.refuses_local_addresses = False
    workbench.connect()
    assert len(connected_workspaces(workbench.context)) == 1


def test_a_project_that_is_connected_stays_so_when_connecting_again_fails(connected, label_studio):
    label_studio.before_answering.append(
        lambda request: httpx.Response(403, json={"detail": "no"}) if "/api/ml" in request.url.path else None
    )
    with pytest.raises(NextlabelError):
        connected.connect()
    assert len(connected_workspaces(connected.context)) == 1


# What was there before


def test_a_backend_that_moved_serves_and_the_doctor_finds_no_old_address(connected, start):
    moved = start(backend_url="http://moved.test:9090")
    report = moved.connect()
    assert report.in_order and moved.served() == moved.window
    (finding,) = (f for f in diagnose(moved.context, moved.project_id) if f.check == "ML backend")
    assert (finding.verdict, BACKEND_URL in finding.message) == ("ok", False)


def test_a_backend_added_in_label_studios_own_dialog_is_taken_over(workbench, label_studio):
    remote = workbench.context.label_studio()
    remote.create_ml_backend(project=workbench.project_id, url=BACKEND_URL + "/", title="by hand")
    assert workbench.remote["model_version"] == "by hand"
    report = workbench.connect()
    assert "ML backend registered" not in report.changes
    assert workbench.backend["title"] == workbench.version == workbench.remote["model_version"]
    assert workbench.served() == workbench.window


@pytest.mark.parametrize(
    "fault",
    [
        {"headers": {}},
        {"headers": {SECRET_HEADER: "old"}},
        {"actions": ["ANNOTATION_CREATED"]},
        {"is_active": False},
        {"send_payload": True},
        {"send_for_all_actions": True},
        {"url": f"{BACKEND_URL}/webhook"},
        {"url": f"{BACKEND_URL}/webhook?project=1.1"},
    ],
    ids=str,
)
def test_a_webhook_that_is_not_right_is_mended(fault, connected, label_studio):
    (hook,) = connected.webhooks
    right = copy.deepcopy(hook)
    label_studio.webhooks[hook["id"]] |= fault
    assert connected.connect().changes == ["webhook mended"]
    assert connected.webhooks == [right]


def test_a_webhook_that_is_missing_is_added(connected, label_studio):
    label_studio.webhooks.clear()
    assert connected.connect().changes == ["webhook added"]
    assert len(connected.webhooks) == 1


def test_a_second_webhook_to_the_same_place_is_removed(connected, label_studio):
    label_studio.add_own_webhook(connected.backend)
    connected.connect()
    assert len(connected.webhooks) == 1
    assert connected.connect().changes == []


def test_sampling_that_somebody_changed_is_set_again(connected, label_studio):
    label_studio.change_project(connected.project_id, sampling="Sequential sampling")
    assert connected.connect().changes == ["sampling set to 'Uncertainty sampling'"]
    assert connected.served() == connected.window


def test_suggestions_that_were_switched_off_are_switched_on(workbench, label_studio):
    label_studio.change_project(workbench.project_id, show_collab_predictions=False)
    assert "pre-annotations switched on" in workbench.connect().changes
    assert workbench.served() == workbench.window


def test_imported_predictions_of_others_do_not_keep_us_out(workbench, label_studio):
    label_studio.store_prediction({"task": 9, "result": [], "score": 0.0, "model_version": "theirs"})
    workbench.remote["model_version"] = "theirs"
    assert workbench.connect().in_order
    assert workbench.served() == workbench.window


def test_a_task_that_was_reserved_before_is_explained(workbench, label_studio):
    reserved = label_studio.serve_next(workbench.project_id)["id"]
    report = workbench.connect()
    assert report.in_order
    assert f"gives you task {reserved} first, which it reserved for you earlier" in report.verdict


def test_an_order_that_is_not_ours_is_said_plainly(workbench, label_studio):
    def serve_another(request):
        if request.url.path.endswith("/next"):
            return httpx.Response(200, json={"id": 9999, "queue": "Active learning or random queue"})
        return None

    label_studio.before_answering.append(serve_another)
    report = workbench.connect()
    assert not report.in_order
    assert "NOT the order published" in report.verdict
    assert "nextlabel doctor 1" in report.verdict


def test_a_project_that_is_labelled_already_has_an_empty_queue(workbench, label_studio):
    for task_id in list(label_studio.tasks):
        label_studio.annotate(task_id, "cats")
    report = workbench.connect()
    assert report.in_order
    assert report.verdict == "There is nothing left to label: the queue is empty."


# What goes wrong


def test_an_unknown_project_changes_nothing(workbench, label_studio, context):
    with pytest.raises(NotFound):
        Workbench(context, label_studio, 99).connect()
    assert label_studio.writes == []


def test_a_config_that_cannot_be_learned_changes_nothing(workbench, label_studio):
    label_studio.change_project(workbench.project_id, label_config="<View><Text name='t' value='$t'/></View>")
    with pytest.raises(UnsupportedConfig):
        workbench.connect()
    assert label_studio.writes == []
    assert label_studio.backends == {}


def test_a_refused_token_changes_nothing(start, label_studio):
    with pytest.raises(TokenRefused):
        start(label_studio_api_key="0" * 40).connect()
    assert label_studio.writes == []


def test_a_backend_that_does_not_run_is_named(workbench, label_studio):
    label_studio.serve(BACKEND_URL, None)
    with pytest.raises(BackendUnreachable, match="no good answer from this backend") as caught:
        workbench.connect()
    assert "nextlabel start" in caught.value.hint
    assert label_studio.backends == {} and label_studio.webhooks == {}


def test_a_blocked_address_leaves_no_half_made_row(workbench, label_studio):
    label_studio.refuses_local_addresses = True
    with pytest.raises(AddressBlocked):
        workbench.connect()
    assert label_studio.backends == {}
    label_studio.refuses_local_addresses = False
    assert workbench.connect().in_order


def test_a_half_made_row_of_an_earlier_try_is_completed(workbench, label_studio):
    label_studio.refuses_local_addresses = True
    with pytest.raises(AddressBlocked):
        workbench.context.label_studio().create_ml_backend(
            project=workbench.project_id, url=BACKEND_URL, title="by hand"
        )
    assert workbench.backend["title"] == "by hand" and workbench.webhooks == []
    label_studio.refuses_local_addresses = False
    report = workbench.connect()
    assert "webhook added" in report.changes and report.in_order
    assert workbench.backend["title"] == workbench.version


@pytest.mark.parametrize("writes", range(6))
def test_it_can_be_run_again_after_it_was_interrupted_anywhere(writes, workbench, label_studio):
    left = [True] * writes

    def interrupt(request):
        if request.method != "GET" and (not left or not left.pop()):
            raise httpx.ConnectError("gone", request=request)

    label_studio.before_answering.append(interrupt)
    if writes < 5:  # register, webhook, sampling, predictions, switch
        with pytest.raises(LabelStudioError):
            workbench.connect()
    label_studio.before_answering.clear()
    assert workbench.connect().in_order
    assert len(workbench.webhooks) == 1 and workbench.backend["title"] == workbench.version
    assert workbench.served() == workbench.window
    assert workbench.connect().changes == []


def test_two_projects_are_connected_side_by_side(connected, label_studio, context):
    other = Workbench(context, label_studio, label_studio.add_project(texts=write_texts(12, seed=2)))
    assert other.connect().in_order
    assert connected.connect().changes == []
    disconnect(other.workspace)
    assert connected.served() == connected.window


@pytest.mark.parametrize("old", ["http://old.test:9090", "http://backend.test:9999", "https://old.test/path"])
def test_after_a_change_of_our_address_only_the_new_one_is_left(old, start, label_studio):
    before = start(backend_url=old)
    before.connect()
    version = before.version
    label_studio.serve(old, None)
    now = start()
    report = now.connect()
    assert f"ML backend moved here from {old}" in report.changes
    assert (
        now.backend["url"] == BACKEND_URL and now.backend["title"] == now.remote["model_version"] == version
    )
    assert [hook["url"].partition("?")[0] for hook in now.webhooks] == [f"{BACKEND_URL}/webhook"]
    assert report.in_order and now.connect().changes == []


def test_backends_and_webhooks_of_others_are_left_alone(start, label_studio, project_id, client):
    label_studio.serve("http://somebody.test", client)
    remote = start().context.label_studio()
    remote.create_ml_backend(project=project_id, url="http://somebody.test", title="theirs")
    theirs = {"url": "http://elsewhere.test/webhook?project=x", "actions": [], "send_for_all_actions": False}
    remote.create_webhook(project=project_id, send_payload=False, **theirs)
    workbench = start()
    workbench.connect()
    urls = {hook["url"].partition("?")[0] for hook in workbench.webhooks}
    assert {"http://somebody.test/webhook", "http://elsewhere.test/webhook"} < urls
    assert "http://somebody.test" in {row["url"] for row in label_studio.backends.values()}


def test_disconnect_takes_earlier_addresses_away_too(start, label_studio):
    start(backend_url="http://old.test:9090").connect()
    disconnect(start().workspace)
    assert label_studio.backends == {} and label_studio.webhooks == {}


@pytest.mark.parametrize("token", [f"{LEGACY_TOKEN}\n", f" {LEGACY_TOKEN}\r\n", f"{PERSONAL_TOKEN}\n"])
def test_a_token_with_a_line_feed_at_its_end_signs_in(token, start):
    assert start(label_studio_api_key=token).connect().user == "admin@example.com"


@pytest.mark.parametrize("token", [LEGACY_TOKEN, PERSONAL_TOKEN])
@pytest.mark.parametrize("path", ["/projects/1", "/user/login", "/api"])
def test_an_address_with_a_path_is_named_with_what_to_set(token, path, start, label_studio):
    def unknown_page(request):
        is_api = request.url.path.startswith("/api/") and not request.url.path.startswith("/api/api/")
        return None if is_api else httpx.Response(404, html="<title>404 | Label Studio</title>")

    label_studio.before_answering.append(unknown_page)
    workbench = start(label_studio_url=label_studio.url + path, label_studio_api_key=token)
    with pytest.raises(UnexpectedAnswer, match="is not Label Studio's API: 404") as caught:
        workbench.connect()
    assert label_studio.url + path in caught.value.message + caught.value.hint
    assert "LABEL_STUDIO_URL" in caught.value.hint


@pytest.mark.parametrize("answer", [{"html": "<h1>A blog</h1>"}, {"json": {}}, {"json": []}, {"text": ""}])
@pytest.mark.parametrize("token", [LEGACY_TOKEN, PERSONAL_TOKEN])
def test_whatever_else_answers_is_named_with_what_to_set(answer, token, start, label_studio):
    label_studio.before_answering.append(lambda _request: httpx.Response(200, **answer))
    with pytest.raises(LabelStudioError) as caught:
        start(label_studio_api_key=token).connect()
    assert "LABEL_STUDIO_URL" in caught.value.hint
