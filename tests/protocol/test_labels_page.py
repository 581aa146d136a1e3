"""Labels are merged, renamed and split on the page: a preview, one button, and the way back."""

import re

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.store.relabellings import WRITING
from backend.workflows.views.switched import newest_switch
from tests.answers import form_token

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
SECOND = 2


@pytest.fixture
def project_id(label_studio):
    """Forty texts, three labels, one of them under an alias."""
    texts = [f"text number {number} of its kind" for number in range(40)]
    xml = (
        '<View><Text name="text" value="$text"/><Choices name="topic" toName="text">'
        '<Choice value="cats"/><Choice value="dogs"/><Choice value="Birds" alias="b"/></Choices></View>'
    )
    return label_studio.add_project(label_config=xml, texts=texts)


@pytest.fixture
def bench(workbench):
    """Three tasks answered with cats, dogs and birds, and a loop."""
    workbench.connect()
    first, second, third = list(workbench.tasks)[:3]
    workbench.label_studio.annotate(first, "cats")
    workbench.label_studio.annotate(second, "dogs")
    workbench.label_studio.annotate(third, "b", user=SECOND)
    workbench.loop()
    return workbench


@pytest.fixture
def post(client):
    """post("preview", kind="merge", label=[…], new=…): one of the forms with its token."""

    def send(path, **fields):
        token = form_token(client.get("/projects/1").text)
        return client.post(f"/projects/1/labels/{path}", data={"csrf_token": token, **fields})

    return send


def confirm(client, preview):
    """Press the button of a preview page."""
    fields = {}
    for name, value in HIDDEN.findall(preview.text):
        fields.setdefault(name, []).append(value)
    return client.post("/projects/1/labels/change", data=fields)


def flashed(client):
    return re.findall(r'<p class="flash (\w+)" role="\w+">(.*?)</p>', client.get("/projects/1").text)


def said(bench):
    return [
        annotation["result"][0]["value"]["choices"] if annotation["result"] else []
        for task in bench.tasks.values()
        for annotation in task["annotations"]
    ]


def labels_of(bench):
    return parse_label_config(bench.remote["label_config"]).space.names


def test_the_page_offers_all_three_and_no_way_back_before_a_change(bench, client):
    page = client.get("/projects/1").text
    assert all(words in page for words in ("Merge labels…", "Rename a label…", "Split a label…"))
    assert '<option value="b">Birds</option>' in page and "Take it back" not in page
    assert 'href="#labels"' in page


def test_a_merge_is_previewed_written_and_taken_back(bench, client, post):
    before = said(bench), bench.remote["label_config"]
    bench.label_studio.calls.clear()
    preview = post("preview", kind="merge", question="topic", label=["cats", "b", "dogs"], new="dogs")
    assert "“cats” and “Birds” will be “dogs”." not in preview.text  # one label would be left
    preview = post("preview", kind="merge", question="topic", label=["cats", "dogs"], new="dogs")
    assert preview.status_code == 200 and "“cats” will be “dogs”." in preview.text
    assert "1 annotation of 1 task by 1 person changes, and the labeling config." in preview.text
    assert bench.label_studio.writes == []
    assert confirm(client, preview).status_code == 303
    assert said(bench) == [["dogs"], ["dogs"], ["b"]] and labels_of(bench) == ("dogs", "b")
    page = client.get("/projects/1").text
    assert "Done: 1 annotation changed." in page and "a merge in the question topic" in page
    assert "in the question topic: “cats” into another label." in page
    assert post("undo").status_code == 303
    assert ("done", "Taken back: 1 annotation as before.") in flashed(client)
    assert (said(bench), bench.remote["label_config"]) == before
    assert "Take it back" not in client.get("/projects/1").text


def test_what_a_merge_would_leave_alone_is_refused_in_words(bench, client, post):
    assert post("preview", kind="merge", question="topic", label=["cats", "b"], new="dogs").status_code == 303
    ((kind, line),) = flashed(client)
    assert kind == "error" and "would have a single label" in line


def test_a_label_is_renamed(bench, client, post):
    preview = post("preview", kind="rename", question="topic", label="cats", new="house <cats>")
    assert "“cats” will be called “house &lt;cats&gt;”." in preview.text
    fields = {"kind": "rename", "question": "topic", "label": ["cats", "house <cats>"]}
    assert post("change", **fields).status_code == 303
    assert said(bench)[0] == ["house <cats>"] and labels_of(bench)[0] == "house <cats>"


@pytest.mark.parametrize("again", [False, True])
def test_a_split_says_what_becomes_of_its_tasks(again, bench, client, post):
    fields = {"ask_again": "yes"} if again else {}
    preview = post(
        "preview", kind="split", question="topic", label="cats", new="lions\r\n\r\n tigers ", **fields
    )
    assert "“lions” and “tigers” come in the place of “cats”." in preview.text
    assert ("their tasks are asked again" in preview.text) == again
    assert ("With “Ask these tasks again”" in preview.text) != again
    confirm(client, preview)
    assert labels_of(bench) == ("lions", "tigers", "dogs", "b")
    assert said(bench) == ([["dogs"], ["b"]] if again else [[], ["dogs"], ["b"]])


def test_drafts_are_named_before_anything_is_written(bench, post):
    preview = post("preview", kind="rename", question="topic", label="cats", new="felines")
    assert "Drafts that nobody submitted keep their old labels" in preview.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "rename", "label": "cats", "new": "Dog"}, "can hardly be told from"),
        ({"kind": "rename", "label": "fish", "new": "trout"}, "has no label"),
        ({"kind": "rename", "label": "cats", "new": ""}, "needs the old name and the new one"),
        ({"kind": "merge", "new": "dogs"}, "No label was chosen"),
        ({"kind": "split", "label": "cats", "new": "lions"}, "two new ones"),
        ({"kind": "eat", "label": "cats"}, "does not say what to do"),
        ({"label": "cats"}, "does not say what to do"),
        ({"kind": "rename", "label": "cats", "new": "x", "question": "tone"}, "no question"),
    ],
)
@pytest.mark.parametrize("path", ["preview", "change"])
def test_what_cannot_be_done_is_said_with_the_cure(path, fields, words, bench, client, post):
    before = said(bench), bench.remote["label_config"]
    assert post(path, **{"question": "topic"} | fields).status_code == 303
    ((kind, line),) = flashed(client)
    assert kind == "error" and words in line.replace("&#39;", "'")
    assert (said(bench), bench.remote["label_config"]) == before


def test_without_a_change_nothing_is_taken_back(bench, client, post):
    post("undo")
    assert flashed(client)[0][0] == "error"


@pytest.mark.parametrize("path", ["preview", "change", "undo"])
@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_its_token_a_form_does_nothing(path, token, bench, client):
    fields = {"kind": "rename", "question": "topic", "label": ["cats", "felines"]}
    bench.label_studio.calls.clear()
    data = fields if token is None else fields | {"csrf_token": token}
    assert client.post(f"/projects/1/labels/{path}", data=data).status_code == 403
    assert bench.label_studio.calls == []


def test_a_running_loop_is_said_in_plain_words(bench, client, post, monkeypatch):
    monkeypatch.setattr("backend.workflows.project.lease._acquire", lambda *_arguments: False)
    monkeypatch.setattr("backend.workflows.views.dashboard.labels.WAIT_S", 0.0)
    post("change", kind="rename", question="topic", label=["cats", "felines"])
    assert flashed(client) == [("error", "It is learning at the moment; try again in a moment.")]


def test_a_change_that_was_broken_off_is_told_and_can_be_taken_back(bench, client, post):
    post("change", kind="rename", question="topic", label=["cats", "felines"])
    relabellings = bench.workspace.relabellings
    with bench.context.database.session() as session:
        row = relabellings.newest("done")
        session.add(row)
        row.state = WRITING
    page = client.get("/projects/1").text
    assert "A change was broken off in the middle" in page
    post("undo")
    assert labels_of(bench) == ("cats", "dogs", "b")


def test_very_many_annotations_are_left_to_the_command_line(bench, post, monkeypatch):
    monkeypatch.setattr("backend.workflows.views.dashboard.labels._MOST_WRITTEN", 0)
    preview = post("preview", kind="rename", question="topic", label="cats", new="house cats")
    command = "nextlabel classes rename --question topic -- 1 cats &#39;house cats&#39;"
    assert command in preview.text and "labels/change" not in preview.text


def test_more_labels_than_anybody_reads_are_left_to_the_command_line(bench, client, monkeypatch):
    monkeypatch.setattr("backend.workflows.views.dashboard.labels._MOST_LABELS", 2)
    page = client.get("/projects/1").text
    assert "Too many labels to list here: topic." in page and "Merge labels" not in page


def test_the_preview_is_a_page_like_the_others(bench, post):
    preview = post("preview", kind="rename", question="topic", label="cats", new="felines")
    assert preview.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "<script" not in preview.text
    assert re.findall(r"<style|\sstyle=|\son\w+=", preview.text) == []


def test_merged_labels_are_told_as_kept_and_not_as_less(bench, client, post):
    post("change", kind="merge", question="topic", label=["cats", "dogs"])
    (found,) = bench.loop().record.switched
    assert (found.kept, found.partly, found.lost, found.labels_gone) == (3, 0, 0, 1)


def switch_said(bench, client):
    """Whether page or status tell of a changed config."""
    return (
        newest_switch(bench.workspace) is not None
        or "labeling config is another" in client.get("/projects/1").text
    )


@pytest.mark.parametrize("fields", [{"kind": "rename", "label": "cats", "new": "felines"}, {"kind": "merge"}])
def test_what_is_changed_here_and_taken_back_is_no_changed_config(fields, bench, client, post):
    labels = {"label": ["cats", "dogs"]} if fields["kind"] == "merge" else {}
    post("change", question="topic", **(fields | labels))
    (found,) = bench.loop().record.switched
    assert found.is_ours and not switch_said(bench, client)
    post("undo")
    (found,) = bench.loop().record.switched
    assert found.is_ours and not switch_said(bench, client)
    bench.label_studio.change_project(
        1, label_config=bench.remote["label_config"].replace('value="dogs"', 'value="hounds"')
    )
    (found,) = bench.loop().record.switched
    assert not found.is_ours and switch_said(bench, client)


def test_questions_without_labels_of_their_own_are_told(bench, client):
    more = (
        '<Rating name="stars" toName="text" maxRating="5"/><Number name="days" toName="text"/>'
        '<Taxonomy name="kind" toName="text"><Choice value="a"/><Choice value="b"/></Taxonomy></View>'
    )
    xml = bench.remote["label_config"].replace("</View>", more)
    bench.label_studio.change_project(1, label_config=xml)
    bench.loop()
    told = "in the labeling config: stars (5 grades), days (number), kind (2 paths)."
    assert told in client.get("/projects/1").text
    stars = '<View><Text name="text" value="$text"/><Rating name="stars" toName="text"/></View>'
    bench.label_studio.change_project(1, label_config=stars)
    bench.loop()
    page = client.get("/projects/1").text
    assert '<a href="#labels">' in page and "in the labeling config: stars (5 grades)." in page
