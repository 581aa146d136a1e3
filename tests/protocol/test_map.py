"""What the map asks over HTTP: by whom it may be asked, and how faults are said."""

import pytest

from tests.answers import assert_error, form_token
from tests.measured import add_rich_project
from tests.topics import write_texts

LOGIN = ("an-admin", "a-password")


@pytest.fixture
def send(client):
    """send(path, field=…): a form of the project's map, with the token of its page."""

    def post(path, *, project=1, headers=None, **fields):
        page = client.get(f"/projects/{project}").get_data(as_text=True)
        data = {"csrf_token": form_token(page), **fields}
        return client.post(f"/projects/{project}/{path}", data=data, headers=headers or {})

    return post


def test_texts_are_asked_for_by_task(trained, client):
    wanted = list(trained.tasks)[:3]
    response = client.get(f"/projects/1/tasks.json?task={','.join(map(str, wanted))},x,987654")
    assert [card["task"] for card in response.json["tasks"]] == wanted
    assert response.json["tasks"][0]["text"] == trained.tasks[wanted[0]]["data"]["text"]
    assert (response.headers["Cache-Control"], response.headers["X-Content-Type-Options"]) == (
        "no-store",
        "nosniff",
    )


@pytest.mark.parametrize(("count", "found"), [("5", 5), ("", 40), ("1", 1), ("9999", 40)])
def test_a_search_finds_as_many_as_one_wants(count, found, trained, send):
    first = next(iter(trained.tasks))
    tasks = send("search", task=first, count=count).json["tasks"]
    assert len(tasks) == found and tasks[:1] == [first][:found]
    assert len(send("search", sentence="purr meow", count=count).json["tasks"]) == found


def test_a_tab_and_the_next_places_answer_in_words(trained, send):
    tasks = ",".join(map(str, trained.tasks))
    made = send("tabs", tasks=tasks, title="Odd ones").json
    (tab,) = (row for row in trained.label_studio.tabs.values() if row["data"]["title"] == "Odd ones")
    assert made["words"] == "The tab is there, with 40 tasks."
    assert made["link"].endswith(f"/projects/1/data?tab={tab['id']}")
    assert send("ask-next", tasks=tasks).json["asked"] == 20
    assert send("ask-next/undo").json["asked"] == 0


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        ("search", {}, 400, "bad-request"),
        ("search", {"task": "x"}, 400, "bad-request"),
        ("search", {"task": "987654"}, 404, "not-found"),
        ("tabs", {"tasks": ""}, 400, "bad-request"),
        ("tabs", {"tasks": "987654"}, 400, "bad-request"),
        ("ask-next", {}, 400, "bad-request"),
    ],
)
def test_what_cannot_be_done_is_said_as_json(path, fields, status, code, trained, send):
    assert_error(send(path, **fields), status, code)


@pytest.mark.parametrize("path", ["tabs", "ask-next", "ask-next/undo"])
def test_without_the_token_of_a_page_nothing_is_done(path, trained, client):
    before = dict(trained.label_studio.tabs)
    response = client.post(f"/projects/1/{path}", data={"tasks": "1,2,3"})
    assert response.status_code == 403 and "out of date" in response.json["error"]["message"]
    assert trained.label_studio.tabs == before and trained.workspace.selections.to_ask() == []


@pytest.mark.parametrize("path", ["search", "tabs", "ask-next", "ask-next/undo"])
def test_the_page_of_another_site_can_do_nothing(path, trained, send):
    response = send(path, tasks="1", task="1", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403


@pytest.mark.parametrize("path", ["tasks.json?task=1", "search", "tabs", "ask-next", "ask-next/undo"])
def test_the_map_asks_for_the_log_in(path, make_context, make_app, make_settings):
    context = make_context(make_settings(basic_auth_user=LOGIN[0], basic_auth_pass=LOGIN[1]))
    add_rich_project(context, texts=write_texts(20), synthetic=0)
    client = make_app(context).test_client()
    ask = client.get if "json" in path else client.post
    assert ask(f"/projects/7/{path}").status_code == 401


@pytest.mark.parametrize("path", ["tabs", "ask-next"])
def test_a_project_that_is_not_there_is_named(path, trained, send, client):
    token = form_token(client.get("/projects/1").get_data(as_text=True))
    assert_error(client.post(f"/projects/99/{path}", data={"csrf_token": token}), 404, "not-found")
