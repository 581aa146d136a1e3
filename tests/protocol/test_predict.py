"""Live answers: one valid prediction per task, whatever the tasks, the config and the state of the model."""

import shutil

import pytest

from backend.label_studio.queue_order import LIVE_FROM
from tests.answers import assert_error, assert_predictions
from tests.topics import topic_of, write_texts


def view(*labels, texts='<Text name="text" value="$text"/>', to_name="text"):
    choices = "".join(f'<Choice value="{label}"/>' for label in labels)
    return f'<View>{texts}<Choices name="topic" toName="{to_name}">{choices}</Choices></View>'


CATS_DOGS = view("cats", "dogs")


def reference(workbench):
    return workbench.project.reference


def as_tasks(texts, *, first_id=5000):
    return [{"id": first_id + n, "data": {"text": text}} for n, text in enumerate(texts)]


@pytest.fixture
def predict(client):
    """predict(tasks, label_config=…, project=…): the checked predictions."""

    def ask(tasks, *, label_config=CATS_DOGS, project=None):
        body = {"tasks": tasks, "label_config": label_config, "project": project}
        return assert_predictions(client.post("/predict", json=body), len(tasks), label_config)

    return ask


def chosen(prediction):
    return prediction["result"][0]["value"]["choices"][0] if prediction["result"] else None


def test_guesses_from_the_label_names_say_so_in_the_version_and_not_in_the_regions(predict):
    (prediction,) = predict(as_tasks(["all about cats"]))
    assert chosen(prediction) == "cats"
    assert prediction["model_version"] == "nl-000000-label-names"
    assert "meta" not in prediction["result"][0]


def test_a_trained_model_answers_under_its_own_name(predict, connected):
    connected.label(10)
    connected.loop()
    texts = write_texts(20, seed=7)
    predictions = [
        prediction
        for prediction in predict(as_tasks(texts), project=reference(connected))
        if prediction["result"]
    ]
    assert all("meta" not in prediction["result"][0] for prediction in predictions)
    assert {prediction["model_version"] for prediction in predictions} == {"nl-000002"}
    said = [(chosen(p), topic_of(t)) for p, t in zip(predict(as_tasks(texts)), texts, strict=True)]
    assert all(answer == truth for answer, truth in said)


def test_results_stay_with_their_tasks(predict):
    texts = ["dogs", "", "cats", "dogs", "   ", "cats cats"]
    predictions = predict([{"id": n, "data": {"text": text}} for n, text in enumerate(texts)])
    assert [chosen(prediction) for prediction in predictions] == ["dogs", None, "cats", "dogs", None, "cats"]


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"data": None},
        {"data": {}},
        {"data": []},
        {"data": "cats"},
        {"id": 1, "data": {"text": None}},
        {"id": 1, "data": {"text": ""}},
        {"id": 1, "data": {"text": [" "]}},
        {"id": 1, "data": {"text": {"en": "cats"}}},
        {"id": 1, "data": {"other": "cats"}},
    ],
)
def test_a_task_without_text_gets_a_blank_prediction_behind_the_window_that_looks_unsure(task, predict):
    (prediction,) = predict([task])
    assert prediction["result"] == []
    assert prediction["score"] == LIVE_FROM == 0.5


@pytest.mark.parametrize("task_id", [None, "7", 7.5, True, -1, 0, 2**63, -(2**70), 10**400, [], {}])
def test_any_task_id_will_do(task_id, predict, connected):
    predict([{"id": task_id, "data": {"text": "cats"}}], project=reference(connected))


def test_who_is_asked_blind_stays_blind_while_the_version_in_use_knows_no_label_of_the_config(
    predict, connected
):
    connected.connect(audit_share=0.5, queue_window=100)  # every task belongs to the audit sample
    connected.loop()
    tasks = [
        {"id": 1, "data": {"text": "all about lions"}},
        {"id": None, "data": {"text": "all about lions"}},
    ]
    blind, other = predict(tasks, label_config=view("lions", "tigers"), project=reference(connected))
    assert (chosen(blind), chosen(other)) == (None, "lions")


@pytest.mark.parametrize("task_id", [None, "7", -1, 2**63])
def test_a_task_without_a_number_is_no_audit_task(task_id, predict, connected):
    """Who asks about a text that is no task of the project wants an answer, however large the sample is."""
    connected.connect(audit_share=0.5, queue_window=100)  # every task belongs to the audit sample
    connected.loop()
    text = {"text": "all about cats"}
    known, other = predict(
        [{"id": 1, "data": text}, {"id": task_id, "data": text}], project=reference(connected)
    )
    assert (chosen(known), chosen(other)) == (None, "cats")


@pytest.mark.parametrize("text", ["\ud800", "cats \0 dogs", "🐈" * 500, "x" * 100_000, 42, 1e300])
def test_any_text_will_do(text, predict):
    predict([{"id": 1, "data": {"text": text}}])


def test_aliases_and_several_texts_are_answered(predict):
    texts = '<Text name="title" value="$title"/><Text name="body" value="$body"/>'
    config = view("cats", "dogs", texts=texts, to_name="body").replace('"cats"', '"cats" alias="c"')
    tasks = [{"id": 1, "data": {"title": "about cats"}}, {"id": 2, "data": {"body": "about dogs"}}]
    predictions = predict(tasks, label_config=config)
    assert [chosen(prediction) for prediction in predictions] == ["c", "dogs"]
    assert {p["result"][0]["to_name"] for p in predictions} == {"body"}


@pytest.mark.parametrize(
    "config",
    [
        "<View/>",
        '<View><Image name="i" value="$i"/></View>',
        CATS_DOGS.replace("toName", 'perItem="true" toName'),
    ],
)
def test_what_cannot_be_answered_is_left_blank(config, predict):
    predictions = predict(as_tasks(["cats", "dogs"]), label_config=config)
    assert [prediction["result"] for prediction in predictions] == [[], []]


def test_a_config_that_does_not_parse_is_refused_with_the_cure(client):
    response = client.post("/predict", json={"tasks": as_tasks(["cats"]), "label_config": "<View"})
    error = assert_error(response, 400, "bad-request")
    assert "not valid XML" in error["message"] and error["hint"]


def test_a_tick_is_left_to_people(predict):
    (prediction,) = predict(as_tasks(["all about cats"]), label_config=view("cats"))
    assert prediction["result"] == []


def test_a_list_is_read_as_it_is_shown(predict):
    (prediction,) = predict([{"id": 1, "data": {"text": ["about", "dogs"]}}])
    assert chosen(prediction) == "dogs"


def test_what_the_model_is_less_sure_of_comes_sooner(predict, connected):
    connected.label(10)
    connected.loop()
    sure, unsure = predict(
        as_tasks(["purr purr cats", "purr bark cats dogs"], first_id=10**6), project=reference(connected)
    )
    assert unsure["score"] < sure["score"]


def test_audit_tasks_stay_blank_whoever_opens_them(predict, connected):
    blind = {task_id for task_id in connected.window if not connected.result_of(task_id)}
    assert blind
    tasks = [connected.tasks[task_id] for task_id in connected.window]
    predictions = predict(tasks, project=reference(connected))
    assert {
        task["id"] for task, p in zip(tasks, predictions, strict=True) if not p["result"]
    } == blind  # fmt: skip


def test_audit_tasks_outside_the_window_are_blank_too(predict, connected):
    connected.label(10)
    connected.loop()
    tasks = list(connected.tasks.values())
    predictions = predict(tasks, project=reference(connected))
    blind = [task["id"] for task, p in zip(tasks, predictions, strict=True) if not p["result"]]
    assert len(blind) == 3  # 15 % of 10 labels and a window of 10
    assert all(not connected.result_of(task_id) for task_id in connected.window if task_id in blind)


def test_what_the_time_does_not_suffice_for_goes_out_blank(predict, monkeypatch):
    monkeypatch.setattr("backend.workflows.serving.predict._BUDGET_S", 0.0)
    assert [p["result"] for p in predict(as_tasks(["purr", "bark"]))] == [[], []]


def test_ten_thousand_tasks_in_one_request(predict, connected):
    texts = [f"cats {n % 50}" for n in range(10_000)]
    predictions = predict(as_tasks(texts), project=reference(connected))
    assert sum(chosen(prediction) == "cats" for prediction in predictions) > 9_000


def test_where_the_whole_model_store_is_lost_nothing_is_guessed_under_the_name_of_a_version(
    predict, connected, settings
):
    connected.label(10)
    connected.loop()
    shutil.rmtree(settings.model_folder)
    (prediction,) = predict(as_tasks(["all about cats"]), project=reference(connected))
    assert prediction["result"] == []


def test_labels_that_left_the_config_are_never_suggested(predict, connected):
    connected.label(10)
    connected.loop()
    tasks = as_tasks(["purr whiskers cats meow"])
    (prediction,) = predict(tasks, label_config=view("dogs", "birds"), project=reference(connected))
    assert chosen(prediction) in {"dogs", "birds", None}


def test_a_config_with_other_labels_altogether_is_answered_by_their_names(predict, connected):
    tasks = as_tasks(["about birds"])
    (prediction,) = predict(tasks, label_config=view("fish", "birds"), project=reference(connected))
    assert chosen(prediction) == "birds"


def test_projects_do_not_see_each_others_models(predict, connected, label_studio, set_up):
    connected.label(10)
    connected.loop()
    set_up("77.1700000000")
    (other,) = predict(as_tasks(["purr whiskers"]), project="77.1700000000")
    assert other["model_version"] == "nl-000000-label-names"
    assert "meta" not in other["result"][0]


def test_the_same_id_with_another_birth_is_another_project(predict, connected, client):
    stranger = f"{connected.project_id}.1600000000"
    body = {"tasks": as_tasks(["cats"]), "label_config": CATS_DOGS, "project": stranger}
    assert_error(client.post("/predict", json=body), 404, "not-found")


def test_a_task_opened_outside_the_window_is_pre_annotated_and_waits_behind_it(connected, label_studio):
    outside = next(task_id for task_id in connected.tasks if task_id not in connected.window)
    (stored,) = label_studio.open_task(outside)
    assert stored["model_version"] == connected.version
    assert connected.served(11) == [*connected.window, outside]


def test_retrieving_predictions_adds_none_to_tasks_of_the_window(connected, label_studio):
    label_studio.retrieve_predictions(list(connected.tasks))
    scores = connected.scores
    assert len(label_studio.predictions) == len(scores) == len(connected.tasks)
    assert connected.served(10) == connected.window


def test_the_same_texts_are_encoded_once(predict, encoder, context, monkeypatch):
    predict(as_tasks(["cats", "dogs", "cats"]))
    monkeypatch.setattr(type(encoder), "encode", None)
    predict(as_tasks(["dogs", "cats"]))


@pytest.mark.parametrize("part", ["INSERT INTO embeddings", "INSERT"])
def test_a_full_disk_takes_no_pre_annotation_away(part, predict, connected, database_fails):
    with database_fails(part):
        (prediction,) = predict(as_tasks(["something new about cats"]), project=reference(connected))
    assert chosen(prediction) == "cats"


def test_a_guess_below_the_floor_is_not_shown(connected, client, label_studio):
    connected.connect(preannotate_floor=0.99999)
    task = next(task for task in connected.tasks.values() if task["id"] not in connected.window)
    (answer,) = label_studio.open_task(task["id"])
    assert answer["result"] == []
