"""A config that changes in the middle: answers are kept where they still mean something, and this is told."""

import itertools
import logging

import pytest

from backend.errors import BadRequest
from backend.workflows.project.figures import QuestionSwitch
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import open_workspace
from backend.workflows.record import replay
from backend.workflows.serving.rollback import rollback
from backend.workflows.views.dashboard.history import versions
from backend.workflows.views.loop_records import loop_records
from backend.workflows.views.switched import newest_switch, switch_words
from model.registry import ModelRegistry
from tests.topics import topic_of, write_texts

SEVERAL = 'choice="multiple"'


def choices(name, *labels, form=""):
    inside = "".join(f'<Choice value="{label}"/>' for label in labels or ("cats", "dogs"))
    return f'<Choices name="{name}" toName="text" {form}>{inside}</Choices>'


def rating(most, name="topic"):
    return f'<Rating name="{name}" toName="text" maxRating="{most}"/>'


def config(*tags):
    return '<View><Text name="text" value="$text"/>' + "".join(tags) + "</View>"


def region(name, kind, said):
    return {"from_name": name, "to_name": "text", "type": kind, "value": {kind: said}}


def switched(name="q", **fields):
    nothing = dict.fromkeys(("labels_gone", "labels_new", "kept", "partly", "lost"), 0)
    kinds = {"kind_before": "", "kind": "", "is_shown_otherwise": False}
    return QuestionSwitch(name=name, **(nothing | kinds | fields))


def one(topic):
    return [region("topic", "choices", [topic])]


def both(topic):
    return [*one(topic), region("tone", "choices", [topic])]


def furry(topic):
    return [region("topic", "choices", [topic, "furry"] if topic == "cats" else [topic])]


def grade(topic):
    return [region("topic", "rating", 4 if topic == "cats" else 2)]


def high(topic):
    return [region("topic", "rating", 9 if topic == "cats" else 2)]


@pytest.fixture
def switch(workbench, label_studio):
    """switch(before, after, answer): twelve answers under one config, a loop, another config, its loop."""

    def act(before, after, answer):
        label_studio.change_project(workbench.project_id, label_config=before)
        workbench.connect(queue_window=20)
        for task_id in workbench.window[:12]:
            label_studio.submit(task_id, answer(topic_of(workbench.tasks[task_id]["data"]["text"])))
        assert workbench.loop().record.switched == []
        label_studio.change_project(workbench.project_id, label_config=after)
        return workbench.loop()

    return act


def cats(bench):
    return sum(
        topic_of(task["data"]["text"]) == "cats" for task in bench.tasks.values() if task["annotations"]
    )


THREE = ("cats", "dogs", "furry")
# before, after, answers, what the record holds of `topic` where all answers are kept
KEPT = {
    "one choice becomes several": (choices("topic"), choices("topic", form=SEVERAL), one, {}),
    "several become one": (choices("topic", form=SEVERAL), choices("topic"), one, {}),
    "more stars": (rating(5), rating(10), grade, {"labels_new": 5}),
    "a label more": (choices("topic"), choices("topic", *THREE), one, {"labels_new": 1}),
    "another spelling": (choices("topic"), choices("topic", "Cats", "dogs "), one, {}),
    "another order": (choices("topic"), choices("topic", "dogs", "cats"), one, {}),
    "an alias": (
        choices("topic"),
        choices("topic").replace('value="cats"', 'value="cats" alias="c"'),
        one,
        {},
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_answers_are_kept_where_they_still_mean_something(name, switch, workbench):
    before, after, answer, more = KEPT[name]
    report = switch(config(before), config(after), answer)
    (found,) = report.record.switched
    assert (found.name, found.kept, found.lost, report.record.labels) == ("topic", 12, 0, 12)
    assert found.to_json().items() >= more.items()
    assert found.labels_gone == 0 and found.labels_new == more.get("labels_new", 0)
    assert workbench.loop().outcome == "unchanged"


def test_a_question_that_is_shown_less_often_loses_the_answers_where_it_is_not(switch, workbench):
    when = 'visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="cats"'
    before, after = choices("tone"), choices("tone", form=when)
    (found,) = switch(config(choices("topic"), before), config(choices("topic"), after), both).record.switched
    assert (found.name, found.is_shown_otherwise, found.kept) == ("tone", True, cats(workbench))
    assert found.lost == 12 - found.kept


def test_a_removed_label_is_taken_out_of_answers_that_say_more(switch, workbench):
    before, after = choices("topic", *THREE, form=SEVERAL), choices("topic", form=SEVERAL)
    (found,) = switch(config(before), config(after), furry).record.switched
    assert (found.kept, found.partly, found.lost, found.labels_gone) == (12, cats(workbench), 0, 1)


LOST = {
    "a label is gone": (choices("topic", *THREE), choices("topic", "dogs", "furry"), one),
    "several ticks for one": (choices("topic", *THREE, form=SEVERAL), choices("topic", *THREE), furry),
    "a label is renamed by hand": (choices("topic"), choices("topic", "felines", "dogs"), one),
    "fewer stars": (rating(10), rating(5), high),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_answers_that_mean_nothing_any_more_are_counted(name, switch, workbench, label_studio):
    before, after, answer = LOST[name]
    report = switch(config(before), config(after), answer)
    (found,) = report.record.switched
    assert (found.kept, found.lost) == (12 - cats(workbench), cats(workbench))
    assert report.record.labels == found.kept
    label_studio.change_project(workbench.project_id, label_config=config(before))
    (back,) = workbench.loop().record.switched
    assert back.kept == found.kept and workbench.loop().record.labels == 12


def test_a_question_comes_and_another_goes(switch, workbench):
    report = switch(
        config(choices("topic"), choices("tone")), config(choices("mood"), choices("topic")), both
    )
    assert report.record.labels == 12 and workbench.project.question == "topic"
    came, went = report.record.switched
    assert came == switched(name="mood", kind="single choice")
    assert went == switched(name="tone", kind_before="single choice", lost=12)


@pytest.mark.parametrize("form", ["", SEVERAL])
def test_a_question_that_moves_to_the_first_place_changes_nothing(form, switch, workbench):
    tone = choices("tone", form=form)
    report = switch(config(choices("topic"), tone), config(tone, choices("topic")), both)
    assert (report.outcome, report.record.switched, workbench.project.question) == ("unchanged", [], "topic")


@pytest.mark.parametrize("name", [*KEPT, *LOST])
def test_loops_from_before_a_switch_replay_as_ever(name, switch, workbench):
    before, after, answer, *_ = (KEPT | LOST)[name]
    switch(config(before), config(after), answer)
    workspace = workbench.workspace
    assert all(replay(workspace, number).is_exact for number in (1, 2, 3))


# No version answers another question than the one it was made for


def test_a_question_on_an_object_of_another_name_is_published_anew(workbench, label_studio):
    workbench.connect()
    other = workbench.remote["label_config"].replace('name="text"', 'name="post"')
    label_studio.change_project(
        workbench.project_id, label_config=other.replace('toName="text"', 'toName="post"')
    )
    assert workbench.loop().outcome == "published" and workbench.loop().outcome == "unchanged"
    told = [region for task_id in workbench.window for region in workbench.result_of(task_id)]
    assert told and {one["to_name"] for one in told} == {"post"}


def test_until_the_next_loop_a_new_first_question_is_answered_by_names(trained, label_studio, client):
    xml = config(choices("subject"))
    label_studio.change_project(trained.project_id, label_config=xml)
    body = {
        "tasks": [{"id": 40, "data": {"text": "all about cats"}}],
        "label_config": xml,
        "project": trained.project.reference,
    }
    (told,) = client.post("/predict", json=body).json["results"]
    assert told["model_version"] != trained.version
    trained.loop()
    (told,) = client.post("/predict", json=body).json["results"]
    assert told["model_version"] == trained.version


GONE = {
    "another question": (config(choices("topic")), config(choices("subject"))),
    "another kind": (config(choices("topic", form=SEVERAL)), config(choices("topic"))),
    "other labels": (config(choices("topic")), config(choices("topic", "x", "y"))),
}


@pytest.mark.parametrize("name", GONE)
def test_a_version_of_another_question_does_not_come_back(name, switch, workbench):
    before, after = GONE[name]
    switch(before, after, both if "tone" in before else one)
    now = workbench.version
    with pytest.raises(BadRequest, match="another question"):
        rollback(workbench.workspace, "nl-000002", progress=Silent())
    assert workbench.version == now and workbench.loop().outcome == "unchanged"


@pytest.mark.parametrize("name", GONE)
def test_the_page_offers_no_way_back_to_another_question(name, switch, workbench, client):
    before, after = GONE[name]
    switch(before, after, one)
    rows = {row["version"]: row for row in versions(workbench.workspace)}
    assert (rows["nl-000002"]["can_serve"], rows["nl-000002"]["why_not"]) == (
        False,
        "made for another question",
    )
    page = client.get(f"/projects/{workbench.project_id}").text
    assert "made for another question" in page and 'value="nl-000002"' not in page


def test_the_page_offers_a_way_back_to_a_version_with_a_label_less(switch, workbench, client):
    switch(config(choices("topic")), config(choices("topic", *THREE)), one)
    rows = {row["version"]: row["can_serve"] for row in versions(workbench.workspace)}
    assert rows["nl-000002"] and not rows[workbench.version]
    assert 'value="nl-000002"' in client.get(f"/projects/{workbench.project_id}").text


def test_a_version_comes_back_with_what_it_has_for_the_question_that_is_left(switch, workbench):
    tone = choices("tone", form=SEVERAL)
    switch(config(choices("topic"), tone), config(tone), both)
    rollback(workbench.workspace, "nl-000002", progress=Silent())
    told = [workbench.result_of(task_id) for task_id in workbench.window]
    assert max(map(len, told)) == 1 and {one["from_name"] for result in told for one in result} == {"tone"}


def test_a_version_with_a_label_less_comes_back(switch, workbench):
    switch(config(choices("topic")), config(choices("topic", *THREE)), one)
    assert rollback(workbench.workspace, "nl-000002", progress=Silent()) == 20


def test_a_loop_that_failed_in_between_loses_nothing_of_it(switch, workbench, label_studio, monkeypatch):
    workbench.connect(queue_window=20)
    workbench.label(8)
    workbench.loop()
    label_studio.change_project(workbench.project_id, label_config=config(choices("topic", form=SEVERAL)))
    with monkeypatch.context() as patch:
        patch.setattr("backend.workflows.loop.learn", lambda *_arguments, **_more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            workbench.loop()
    (found,) = workbench.loop().record.switched
    assert (found.kept, found.kind) == (8, "several choices")


def test_a_version_whose_record_is_gone_tells_nothing(connected, label_studio):
    folder = connected.context.settings.model_folder / connected.workspace.key / connected.version
    for path in folder.iterdir():
        if "record" in path.name:
            path.unlink()
    label_studio.change_project(connected.project_id, label_config=config(choices("topic", form=SEVERAL)))
    report = connected.loop()
    assert (report.outcome, report.record.switched) == ("published", [])


# It is told


def test_the_page_status_and_the_records_tell_it_and_the_log_has_no_label(
    switch, workbench, client, run_command, caplog
):
    with caplog.at_level(logging.INFO):
        switch(config(choices("topic", *THREE)), config(choices("topic", "dogs", "furry")), one)
    lost = cats(workbench)
    words = f"The question topic lacks 1 label of before. {12 - lost} answers were kept; {lost} say nothing"
    assert words in client.get("/projects/1").text
    assert words in " ".join(run_command(workbench.context, "status", "1").stdout.split())
    assert loop_records(workbench.workspace)[-1]["switched"][0]["lost"] == lost
    lines = [record.getMessage() for record in caplog.records if "switched" in record.getMessage()]
    assert lines == [f"config switched project=1 questions=1 kept={12 - lost} lost={lost}"]


def test_a_project_whose_config_stayed_has_no_such_notice(trained, client):
    assert newest_switch(trained.workspace) is None
    assert "labeling config is another one" not in client.get("/projects/1").text


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"kind": "rating"}, "The question q is answered as well."),
        ({"kind_before": "rating"}, "The question q is not answered here any more."),
        (
            {"kind_before": "rating", "lost": 1},
            "The question q is not answered here any more; 1 answer to it stays in Label Studio.",
        ),
        (
            {"kind_before": "rating", "kind": "number", "lost": 1},
            "The question q is a number now. No answer was kept; 1 says nothing that fits now: it stays in "
            "Label Studio, and counts again where the config is as before.",
        ),
        (
            {"kind_before": "rating", "kind": "rating", "labels_new": 5, "kept": 2},
            "The question q has 5 new grades. 2 answers were kept with the same number of stars.",
        ),
        (
            {"kind_before": "rating", "kind": "rating", "is_shown_otherwise": True},
            "The question q is shown under other conditions. Nobody had answered it.",
        ),
        (
            {"kind_before": "single choice", "kind": "single choice", "labels_gone": 1},
            "The question q lacks 1 label of before. Nobody had answered it.",
        ),
    ],
)
def test_each_switch_is_a_sentence_or_two(row, words):
    assert switch_words([switched(**row)]) == [words]


def test_what_looks_like_a_new_name_says_what_to_do():
    came = switched(name="subject", kind="single choice")
    went = switched(name="topic", kind_before="single choice", lost=12)
    assert "Under its old name its answers count again" in switch_words([came, went])[-1]
    renamed = switched(kind_before="single choice", kind="single choice", labels_gone=1, labels_new=1, lost=3)
    assert "Was a label only renamed?" in switch_words([renamed])[0]


def test_a_model_of_before_is_not_compared(switch, workbench):
    switch(config(choices("topic")), config(choices("topic", form=SEVERAL)), one)
    now, before, *_first = versions(workbench.workspace)
    assert now["is_active"] and before["beside"] == "before the config changed"


UNTAUGHT = {
    "stars": config(rating(5)),
    "a number": config('<Number name="topic" toName="text" min="1" max="9"/>'),
    "a pair": '<View><Text name="one" value="$text"/><Text name="two" value="$other"/>'
    '<Pairwise name="topic" toName="one,two"/></View>',
}


def answer_untaught(name, topic):
    said = {"stars": 4, "a number": 7, "a pair": "left"}[name]
    kind, value = {"stars": ("rating", "rating"), "a number": ("number", "number")}.get(
        name, ("pairwise", "selected")
    )
    to_name = "one" if name == "a pair" else "text"
    return [{"from_name": "topic", "to_name": to_name, "type": kind, "value": {value: said}}]


@pytest.fixture
def untaught(workbench, label_studio):
    """untaught(name): a project whose first version was made before any answer, and a second one."""

    def act(name):
        label_studio.change_project(workbench.project_id, label_config=UNTAUGHT[name])
        texts = [{"text": one, "other": two} for one, two in itertools.pairwise(write_texts(41, seed=8))]
        label_studio.add_tasks(workbench.project_id, texts)
        workbench.connect(queue_window=20)
        whole = [row for row in workbench.window if "other" in workbench.tasks[row]["data"]]
        for task_id in whole[:12]:
            text = workbench.tasks[task_id]["data"]["text"]
            label_studio.submit(task_id, answer_untaught(name, topic_of(text)))
        assert workbench.loop().outcome == "published"
        return versions(workbench.workspace)[-1]

    return act


@pytest.mark.parametrize("name", UNTAUGHT)
def test_a_version_from_before_the_first_answer_is_of_no_other_question(name, untaught, workbench):
    first = untaught(name)
    assert (first["can_serve"], first["why_not"]) == (True, "")
    assert rollback(workbench.workspace, first["version"], progress=Silent()) > 0
    assert workbench.version == first["version"]


def test_nor_is_it_where_nobody_knows_what_was_asked(untaught, workbench, settings, make_context):
    first = untaught("a pair")
    folder = settings.model_folder / workbench.project.key / first["version"]
    (folder / "record.safetensors").unlink()
    another_process = open_workspace(make_context(settings), workbench.project_id)
    assert versions(another_process)[-1]["can_serve"]


def test_what_a_version_was_asked_is_read_of_its_record_once(untaught, workbench, monkeypatch):
    untaught("a pair")
    monkeypatch.setattr(ModelRegistry, "load_record", lambda *_: pytest.fail("read again"))
    assert versions(workbench.workspace)[-1]["can_serve"]


def test_it_is_of_another_question_where_another_one_was_asked(untaught, workbench, label_studio):
    untaught("a pair")
    label_studio.change_project(
        workbench.project_id, label_config=UNTAUGHT["a pair"].replace('"topic"', '"better"')
    )
    workbench.loop()
    rows = versions(workbench.workspace)
    assert {row["why_not"] for row in rows if not row["is_active"]} == {"made for another question"}
