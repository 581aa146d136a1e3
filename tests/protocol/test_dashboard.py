"""The pages over HTTP: what browsers get, what they may send, and what other sites may not."""

import csv
import io
import json
import re
import stat

import pytest
from sqlalchemy import select

from backend.database import Decision, NovelGroup, Task
from backend.shared_secret import read_secret, shared_secret
from tests.answers import assert_error, form_token
from tests.measured import add_rich_project, write_signals
from tests.topics import write_texts

EVIL = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>'
LOGIN = ("an-admin", "a-password")
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def rich(context):
    return add_rich_project(context, texts=write_texts(60))


@pytest.fixture
def press(client):
    """press(path, field=…): load the page of the project and send one of its forms."""

    def send(path, *, project=1, headers=None, **fields):
        page = client.get(f"/projects/{project}", headers=BROWSER)
        token = form_token(page.get_data(as_text=True))
        return client.post(
            f"/projects/{project}/{path}", data={"csrf_token": token, **fields}, headers=headers or {}
        )

    return send


@pytest.fixture
def group(connected):
    with connected.context.database.session() as session:
        session.add(
            NovelGroup(
                project_id=connected.project.id,
                number=1,
                name="birds",
                members=[1, 2],
                typical=[1, 2],
                version="x",
            )
        )
    return connected


def text_of(response):
    return response.get_data(as_text=True)


def flashed(client, project=1):
    page = text_of(client.get(f"/projects/{project}"))
    return re.findall(r'<p class="flash (\w+)" role="\w+">(.*?)</p>', page)


def test_the_page_of_a_project(client, rich):
    response = client.get("/projects/7")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    page = text_of(response)
    for words in (
        "Support requests",
        "Between 77 and 88 %, from 142 blind answers.",
        "Keep labeling",
        "group about 1",
        "Not a class",
        "no effect shown (−0.9 to +1.1)",
        "model 5",
        "Nobody answers at http://localhost:8080.",
        'id="map"',
    ):
        assert words in page


def test_the_page_of_a_project_without_anything(client):
    client.post("/setup", json={"project": "7.1700000000"})
    page = text_of(client.get("/projects/7"))
    assert "Nobody has answered yet: the guesses come from the names of the labels alone." in page
    assert "About one task in 7 is asked blind" in page and "oo early" not in page


def test_the_connected_projects_are_listed_with_links(client, rich):
    page = text_of(client.get("/projects"))
    assert 'href="projects/7"' in page and "Support requests" in page


def test_before_the_first_project_the_list_says_how_to_connect_one(client):
    assert "nextlabel connect PROJECT_ID" in text_of(client.get("/projects"))


@pytest.mark.parametrize(
    "path", ["/projects", "/projects/7", "/projects/7/state.json", "/projects/99", "/no"]
)
def test_nothing_from_elsewhere_may_run_on_a_page(path, client, rich):
    headers = client.get(path, headers=BROWSER).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_a_page_names_no_other_address_but_label_studios(client, rich, settings):
    page = text_of(client.get("/projects/7"))
    addresses = set(re.findall(r'(?:href|src|action|formaction)="(https?://[^/"]+)', page))
    assert addresses == {settings.label_studio_url}


def test_a_page_has_no_script_style_or_handler_of_its_own(client, rich):
    page = text_of(client.get("/projects/7"))
    assert re.findall(r"<script(?![^>]* src=)(?![^>]*application/json)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []


@pytest.mark.parametrize(
    "name",
    [
        "dashboard.css",
        "charts.js",
        "live.js",
        "map.js",
        "map.css",
        "map/gestures.js",
        "map/groups.js",
        "map/names.js",
        "map/page.js",
        "map/panel.js",
        "map/picking.js",
        "map/picture.js",
        "map/pixels.js",
        "map/server.js",
        "map/view.js",
        "theme.js",
        "icon.svg",
        "uplot/uPlot.iife.min.js",
        "uplot/uPlot.min.css",
    ],
)
def test_what_the_page_loads_is_served_by_ourselves(name, client):
    with client.get(f"/static/{name}") as response:
        assert response.status_code == 200


def test_texts_and_labels_are_escaped_wherever_they_stand(context, client):
    labels = (EVIL, "plain")
    add_rich_project(
        context,
        texts=[EVIL] * 60,
        labels=labels,
        signals=write_signals(labels, suspects={"words": EVIL, "count": 1}),
    )
    with context.database.session() as session:
        for group in session.scalars(select(NovelGroup)):
            group.name = EVIL
    page = text_of(client.get("/projects/7"))
    assert "<img" not in page and "<script>alert" not in page
    assert page.count("&lt;img src=x onerror=&#34;alert(1)&#34;&gt;") > 5
    data = re.search(r'id="figures">(.*?)</script>', page, re.DOTALL).group(1)
    assert json.loads(data)["curve"]["ours"]


def test_the_points_of_the_map_are_json(client, rich):
    response = client.get("/projects/7/map.json")
    assert response.is_json and len(response.json["points"]["task"]) == 60


def test_the_state_is_json(client, rich):
    response = client.get("/projects/7/state.json")
    assert response.is_json and response.json["items"]["version"]["words"] == "model 5"


PROJECT_FILES = ["", "/state.json", "/map.json", "/wanted.json", "/wanted.csv", "/loops.json", "/loops.csv"]


@pytest.mark.parametrize("file", PROJECT_FILES)
def test_a_missing_project_is_named_with_the_cure_on_a_page_or_as_json(file, client):
    assert_error(client.get(f"/projects/99{file}"), 404, "not-found")
    response = client.get(f"/projects/99{file}", headers=BROWSER)
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "Project 99 is not connected to this backend." in text_of(response)
    assert "nextlabel connect 99" in text_of(response)


@pytest.mark.parametrize("path", ["/nowhere", "/projects/x", "/projects/7/nothing", "/projects/99.json"])
def test_a_wrong_address_is_a_page_for_people_and_json_for_programs(path, client, rich):
    assert_error(client.get(path), 404, "not-found")
    assert_error(client.get(path, headers={"Accept": "*/*"}), 404, "not-found")
    response = client.get(path, headers=BROWSER)
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "All connected projects" in text_of(response)
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


def test_what_programs_send_wrongly_stays_json(client):
    assert_error(client.post("/projects/99/retrain"), 404, "not-found")


def test_the_first_address_leads_people_to_the_projects(client):
    response = client.get("/", headers=BROWSER)
    assert (response.status_code, response.headers["Location"]) == (302, "./projects")


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}])
def test_the_first_address_tells_programs_that_it_is_alive(headers, client):
    assert client.get("/", headers=headers).json["status"] == "UP"


@pytest.mark.parametrize("words", ["loop", "window", "lane", "kappa", "cohesion", "webhook", "oo early"])
def test_the_first_screens_have_the_words_of_their_readers(words, client, rich):
    page = text_of(client.get("/projects/7"))
    first = page[page.index("<main") : page.index('id="map"')]
    assert words not in re.sub(r"<[^>]+>", " ", first).lower()
    assert words not in re.sub(r"<[^>]+>", " ", text_of(client.get("/projects"))).lower()


@pytest.mark.parametrize("route", ["rollback", "add-class"])
def test_a_button_that_reaches_far_says_what_will_happen_and_asks_once(route, client, trained, rich):
    page = text_of(client.get("/projects/1" if route == "rollback" else "/projects/7"))
    (asked, *_others) = re.findall(
        rf'<details class="ask">.*?action="[^"]*{route}".*?</details>', page, re.DOTALL
    )
    assert {"rollback": "No answer is lost.", "add-class": "becomes a label"}[route] in asked
    assert page.count(f'/{route}"') == len(
        re.findall(rf'<details class="ask">(?:(?!</details>).)*/{route}"', page, re.DOTALL)
    )


def test_a_page_is_light_without_the_map(context, client):
    add_rich_project(context, texts=write_texts(200), loops=25, groups=20)
    parts = [
        "/projects/7",
        "/static/dashboard.css",
        "/static/live.js",
        "/static/charts.js",
        "/static/theme.js",
    ]
    parts += ["/static/uplot/uPlot.iife.min.js", "/static/uplot/uPlot.min.css", "/static/icon.svg"]
    size = 0
    for path in parts:
        with client.get(path) as response:
            size += len(response.get_data())
    assert size <= 150_000


def test_what_to_make_next_is_there_as_json_and_csv(client, rich):
    wanted = client.get("/projects/7/wanted.json").json["wanted"]
    assert [row["count"] for row in wanted] == [40, 25]
    response = client.get("/projects/7/wanted.csv")
    assert response.mimetype == "text/csv" and "wanted-7.csv" in response.headers["Content-Disposition"]
    heading, first, second = csv.reader(io.StringIO(text_of(response)))
    assert heading == ["label", "count", "reason", "example_1", "example_2", "example_3"]
    assert first[:2] == ["card arrival", "40"] and len(first) == 6
    assert second[3] == write_texts(4)[3]


def test_the_record_of_every_loop_is_there_as_json_and_csv(client, trained):
    loops = client.get("/projects/1/loops.json").json["loops"]
    assert [loop["labels"] for loop in loops] == [0, 6, 12]
    response = client.get("/projects/1/loops.csv")
    assert response.mimetype == "text/csv" and "loops-1.csv" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(text_of(response))))
    assert [row["fingerprint"] for row in rows] == [loop["fingerprint"] for loop in loops]
    assert "loops.csv" in text_of(client.get("/projects/1"))


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_no_cell_of_the_csv_is_a_formula(formula, context, client):
    add_rich_project(context, texts=write_texts(60))
    with context.database.session() as session:
        session.scalars(select(Task).where(Task.task_id == 1)).one().content = formula + " x"
    _heading, first, _second = csv.reader(io.StringIO(text_of(client.get("/projects/7/wanted.csv"))))
    assert first[3] in (f"'{formula} x", f"'{formula.strip()} x")


def test_a_group_is_added_as_a_class_with_one_button(group, press, client):
    response = press("add-class", group="1", name="parrots")
    assert (response.status_code, response.headers["Location"]) == (303, "../1")
    assert 'value="parrots"' in group.remote["label_config"]
    ((kind, line),) = flashed(client)
    assert kind == "done" and "“parrots” is a class now." in line
    with group.context.database.session() as session:
        assert session.scalars(select(Decision.decided_by)).all() == ["dashboard"]


def test_a_group_is_rejected_with_the_other_button(group, press, client):
    assert press("reject-group", group="1").status_code == 303
    ((kind, line),) = flashed(client)
    assert kind == "done" and "not a class" in line


def test_an_earlier_version_serves_again_with_one_button(trained, press, client):
    assert press("rollback", version="nl-000002").status_code == 303
    assert trained.version == "nl-000002"
    assert flashed(client)[0][0] == "done"


def test_a_loop_is_asked_for_with_one_button(connected, press, client):
    connected.context.jobs.enqueued.clear()
    assert press("loop").status_code == 303
    assert connected.context.jobs.enqueued == [connected.project.id]
    assert flashed(client) == [("done", "A worker looks for new answers in a moment.")]


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("rollback", {"version": "nl-000099"}, "no version"),
        ("rollback", {}, "no version"),
        ("add-class", {"group": "9", "name": "x"}, "no group 9"),
        ("add-class", {"group": "x", "name": "x"}, "number of the group is missing"),
        ("skips/answer", {"group": "9", "answer": "ask"}, "no group 9"),
        ("skips/answer", {"group": "9", "answer": "never"}, "no answer"),
        ("skips/reopen", {"group": "x"}, "number of the group is missing"),
        ("reject-group", {}, "number of the group is missing"),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page_with_the_cure(path, fields, words, connected, press, client):
    assert press(path, **fields).status_code == 303
    ((kind, line),) = flashed(client)
    assert kind == "error" and words in line and len(line) > len(words) + 10


def test_an_error_of_label_studio_is_said_on_the_page(group, press, client, label_studio):
    label_studio.legacy_tokens_enabled = False
    assert press("add-class", group="1", name="parrots").status_code == 303
    ((kind, _line),) = flashed(client)
    assert kind == "error"


def test_a_running_loop_is_said_in_plain_words(group, press, client, monkeypatch):
    monkeypatch.setattr("backend.workflows.views.dashboard.actions.WAIT_S", 0.0)
    monkeypatch.setattr("backend.workflows.project.lease._acquire", lambda *_arguments: False)
    assert press("add-class", group="1", name="parrots").status_code == 303
    assert flashed(client) == [("error", "It is learning at the moment; try again in a moment.")]


BUTTONS = ["loop", "add-class", "reject-group", "rollback", "skips/answer", "skips/reopen"]


@pytest.mark.parametrize("button", BUTTONS)
@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_without_its_token_a_form_does_nothing(button, token, trained, client):
    client.get("/projects/1")
    fields = {} if token is None else {"csrf_token": token}
    response = client.post(f"/projects/1/{button}", data={"version": "nl-000002", "group": "1"} | fields)
    assert (response.status_code, response.mimetype) == (403, "text/html")
    assert "load the page again" in text_of(response)
    assert trained.version == "nl-000003"


def test_a_token_of_another_browser_is_worth_nothing(trained, app):
    somebody, somebody_else = app.test_client(), app.test_client()
    token = form_token(text_of(somebody.get("/projects/1")))
    somebody_else.get("/projects/1")
    response = somebody_else.post("/projects/1/rollback", data={"version": "nl-000002", "csrf_token": token})
    assert response.status_code == 403
    assert trained.version == "nl-000003"


ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
]
HERE = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Origin": "http://backend.test:9090"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_of_another_site_can_start_nothing(headers, connected, client, press):
    connected.context.jobs.enqueued.clear()
    assert_error(client.post("/projects/1/retrain", headers=headers), 403, "forbidden")
    assert press("loop", headers=headers).status_code == 403
    assert connected.context.jobs.enqueued == []


@pytest.mark.parametrize("headers", HERE)
def test_a_cron_job_needs_no_token_to_retrain(headers, connected, client):
    assert client.post("/projects/1/retrain", headers=headers).status_code == 202


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_reading_is_no_business_of_that_guard(headers, connected, client):
    assert client.get("/projects/1", headers=headers).status_code == 200


@pytest.fixture
def locked(make_context, make_app, make_settings):
    """A client of a backend that asks for the log-in, and its context."""
    settings = make_settings(basic_auth_user=LOGIN[0], basic_auth_pass=LOGIN[1])
    context = make_context(settings)
    return make_app(context).test_client(), context


@pytest.mark.parametrize("path", ["/projects", "/projects/7", "/projects/7/state.json", "/static/map.js"])
def test_pages_ask_for_the_log_in(path, locked):
    client, context = locked
    add_rich_project(context, texts=write_texts(20), synthetic=0)
    response = client.get(path)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Basic realm="Nextlabel"')
    response = client.get(path, headers=BROWSER)
    assert response.status_code == 303
    assert response.headers["Location"].split("?")[0].endswith("login")
    with client.get(path, headers=BROWSER, auth=LOGIN) as response:
        assert response.status_code == 200


def test_a_button_knows_who_pressed_it(locked):
    client, context = locked
    add_rich_project(context, texts=write_texts(20), synthetic=0)
    token = form_token(text_of(client.get("/projects/7", auth=LOGIN)))
    client.post("/projects/7/reject-group", data={"csrf_token": token, "group": "1"}, auth=LOGIN)
    with context.database.session() as session:
        assert session.scalars(select(Decision.decided_by).order_by(Decision.id.desc())).first() == LOGIN[0]


def test_the_session_cookie_goes_nowhere_else(client, rich):
    cookie = client.get("/projects/7").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie


def test_the_secret_is_made_once_and_readable_by_nobody_else(tmp_path):
    first = read_secret(tmp_path)
    assert len(first) == 64 and read_secret(tmp_path) == first
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["", "a-key-of-ours"])
def test_a_form_of_one_web_process_is_taken_by_another(key, make_app, make_context, make_settings, tmp_path):
    shared = f"sqlite:///{tmp_path / 'shared.db'}"
    first = make_context(make_settings(secret_key=key, database_url=shared))
    add_rich_project(first, texts=write_texts(60))
    other = make_context(make_settings(secret_key=key, data_dir=tmp_path / "other", database_url=shared))
    one, two = make_app(first).test_client(), make_app(other).test_client()
    token = form_token(text_of(one.get("/projects/7")))
    two.set_cookie("nextlabel", one.get_cookie("nextlabel").value)
    assert two.post("/projects/7/loop", data={"csrf_token": token}).status_code == 303


def test_the_secret_of_forms_needs_more_than_the_database(make_settings, tmp_path):
    salt, shared = "5a17", {"database_url": "postgresql+psycopg://host/one"}
    (tmp_path / "data").mkdir()
    secrets = {
        shared_secret(make_settings(secret_key="one"), "forms", salt),
        shared_secret(make_settings(secret_key="two"), "forms", salt),
        shared_secret(make_settings(), "forms", salt),
        shared_secret(make_settings(**shared), "forms", salt),
        shared_secret(make_settings(**shared, label_studio_api_key="another"), "forms", salt),
        shared_secret(make_settings(), "forms", "another"),
        shared_secret(make_settings(), "webhooks", salt),
    }
    assert len(secrets) == 7 and salt not in secrets


def test_on_one_machine_a_changed_token_changes_no_secret(make_settings, tmp_path):
    (tmp_path / "data").mkdir()
    before, after = make_settings(), make_settings(label_studio_api_key="another")
    assert shared_secret(before, "webhooks", "5a17") == shared_secret(after, "webhooks", "5a17")
