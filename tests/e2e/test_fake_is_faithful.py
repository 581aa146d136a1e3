"""The Label Studio in memory, which the fast tests use, answers as the real one does."""

from types import SimpleNamespace

import pytest
from flask import Flask, jsonify, request

from backend.errors import LabelStudioError
from backend.label_studio.client import LabelStudio
from demo.project import LabelingProject
from tests.fake_label_studio import LEGACY_TOKEN, FakeLabelStudio
from tests.http_server import serving

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="topic" toName="text">'
    '<Choice value="A" alias="a"/><Choice value="B"/></Choices></View>'
)
TEXTS = [f"text {number}" for number in range(8)]
UNKNOWN = 10**9


@pytest.fixture
def stub():
    """A backend that answers with the version it is told, and its address."""
    app = Flask("stub")
    state = SimpleNamespace(app=app, version="nl-000000", asked=[], url="")

    @app.before_request
    def note():
        state.asked.append(request.path)

    app.get("/health", endpoint="health")(lambda: jsonify({"status": "UP"}))
    app.post("/setup", endpoint="setup")(lambda: jsonify({"model_version": state.version}))
    app.post("/webhook", endpoint="webhook")(lambda: ("", 201))

    @app.post("/predict")
    def predict():
        answer = {"result": [], "score": 0.9, "model_version": state.version}
        return jsonify({"results": [answer for _ in request.json["tasks"]]})

    with serving(app) as state.url:
        yield state


class RealPerson:
    """Somebody in front of the real one."""

    def __init__(self, client):
        self.client = client

    def annotate(self, task_id, label, *, cancelled=False):
        region = {"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
        body = {"result": [] if label is None else [region], "was_cancelled": cancelled}
        return self.client.post(f"/api/tasks/{task_id}/annotations/", json=body).json()["id"]

    def skip(self, task_id):
        return self.annotate(task_id, None, cancelled=True)

    def delete_annotation(self, annotation_id):
        self.client.delete(f"/api/annotations/{annotation_id}/").raise_for_status()

    def delete_tasks(self, task_ids):
        for task_id in task_ids:
            self.client.delete(f"/api/tasks/{task_id}/").raise_for_status()

    def open_task(self, task_id):
        return self.client.get(f"/api/tasks/{task_id}").json()["predictions"]


def refusal(call, *arguments, **options):
    """What kind of error a call ends in, with the number in it made comparable."""
    try:
        return call(*arguments, **options)
    except LabelStudioError as error:
        return type(error).__name__, getattr(error, "task_id", None)


def a_prediction(task_id, label="B", *, score=0.3, version="nl-000001", **region):
    plain = {"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
    return {"task": task_id, "model_version": version, "score": score, "result": [plain | region]}


def talk(remote, person, project, stub):
    """A long conversation; yields what was asked and what came back, without what differs by chance."""
    ids = [number for page in remote.task_ids(project) for number in page]
    place = {task_id: n for n, task_id in enumerate(ids)}

    def seen(task):
        return None if task is None else (place[task["id"]], [p["score"] for p in task["predictions"]])

    def row_of(backend):
        names = ("state", "title", "model_version", "url", "auth_method", "extra_params")
        return {name: backend[name] for name in names}

    def hooks():
        names = ("url", "send_payload", "send_for_all_actions", "headers", "is_active", "actions")
        return [{name: hook[name] for name in names} for hook in remote.webhooks(project)]

    def version():
        return remote.project(project)["model_version"]

    yield "counts", remote.counts(project)
    (page,) = remote.tasks(project)
    yield "fields of a task", sorted(page[0])
    yield "who", sorted({"id", "email"} & set(remote.whoami()))

    kept = [
        a_prediction(ids[0], "a"),
        a_prediction(ids[1], "A"),
        a_prediction(ids[2], "Z"),
        a_prediction(ids[3], from_name="x"),
        a_prediction(ids[4], score=1.5),
        a_prediction(ids[5], score="x"),
        a_prediction(ids[6], to_name="x"),
        a_prediction(ids[7], score=0.83) | {"result": []},
    ]
    yield "what is kept", remote.import_predictions(project, kept)
    stored = remote.predictions_of(project, "nl-000001")
    yield "what is stored", sorted((place[row["task"]], row["score"]) for row in stored)
    yield (
        "unknown task",
        refusal(remote.import_predictions, project, [a_prediction(ids[0]), a_prediction(UNKNOWN)]),
    )
    yield "nothing to import", remote.import_predictions(project, [])
    yield "versions", remote.model_versions(project)
    yield "version that is none", refusal(remote.update_project, project, model_version="nl-000077")[0]
    yield "sampling that is none", refusal(remote.update_project, project, sampling="By the moon")[0]

    made = remote.create_ml_backend(
        project=project, url=stub.url, title="nl-000000", extra_params={"nextlabel": {"x": 1}}
    )
    yield "registered", row_of(made)
    yield "project takes the title", version()
    yield "own webhook", hooks()
    stub.version = "nl-000001"
    yield "a look follows /setup", [row_of(row) for row in remote.ml_backends(project)]
    changed = {"project": project, "url": stub.url, "title": "nl-000001", "auth_method": "NONE"}
    remote.update_ml_backend(made["id"], **changed)
    yield "title moved", [row_of(row) for row in remote.ml_backends(project)]
    yield "project moved along", version()
    yield "without url", refusal(remote.update_ml_backend, made["id"], project=project, title="x")[0]
    login = {"auth_method": "BASIC_AUTH", "basic_auth_user": "u", "basic_auth_pass": "p"}
    remote.update_ml_backend(made["id"], **(changed | login))
    remote.update_ml_backend(made["id"], **changed)
    (after,) = remote.ml_backends(project)
    yield "log-in taken away", (after["auth_method"], after["basic_auth_user"])

    (own,) = remote.webhooks(project)
    right = {"url": f"{stub.url}/webhook?project=1.2", "send_payload": False, "send_for_all_actions": False}
    right |= {"actions": ["TASKS_CREATED", "ANNOTATION_CREATED"], "headers": {"X": "y"}}
    remote.update_webhook(own["id"], **right)
    yield "webhook changed", hooks()

    remote.update_project(project, sampling="Uncertainty sampling")
    yield "lowest score first", seen(remote.next_task(project))
    yield "reserved", seen(remote.next_task(project))
    yield "said to be reserved", "lock" in remote.next_task(project)["queue"].lower()
    person.annotate(ids[0], "a")
    yield "second", seen(remote.next_task(project))
    person.skip(ids[7])
    yield "opened live", [row["score"] for row in person.open_task(ids[3])]
    yield "live answers wait behind", seen(remote.next_task(project))
    first = person.annotate(ids[3], "B")
    yield "random rest is predicted live", seen(remote.next_task(project))[1]
    yield "counts with annotations", remote.counts(project)
    (page,) = remote.tasks(project)
    read = {place[task["id"]]: task for task in page}
    yield "annotated", sorted(read[0]["annotations"][0]), read[0]["is_labeled"]
    yield "skipped", read[7]["annotations"][0]["was_cancelled"], read[7]["is_labeled"]
    moment = read[3]["updated_at"]
    person.delete_annotation(first)
    (page,) = remote.tasks(project, updated_after=moment)
    yield "changed after", [place[task["id"]] for task in page if place[task["id"]] == 3]

    person.delete_tasks(ids[4:6])
    yield "tasks deleted", remote.counts(project)
    yield "unknown after deletion", refusal(remote.import_predictions, project, [a_prediction(ids[4])])[0]
    yield "prediction deleted twice", [remote.delete_prediction(stored[0]["id"]) for _ in range(2)]
    remote.delete_version(project, "nl-000001")
    yield "a deleted version is taken from the project", version()
    remote.update_project(project, model_version="nl-000001")
    yield "a title is a version", version()
    remote.update_project(project, show_collab_predictions=False)
    yield "suggestions off", version()
    remote.update_project(project, show_collab_predictions=True, model_version="nl-000001")
    remote.delete_ml_backend(made["id"])
    yield "backend removed", version(), len(remote.webhooks(project))
    remote.delete_webhook(own["id"])
    yield "webhook removed", remote.webhooks(project)
    yield from talk_of_open_tasks(remote, person, project, place)


def talk_of_open_tasks(remote, person, project, place):
    """Bulk edits, skips, empty answers and several answers for each task."""

    def rows():
        (page,) = remote.tasks(project)
        return {place[task["id"]]: task for task in page}

    def finished():
        return [number for number, task in sorted(rows().items()) if task["is_labeled"]]

    def moments():
        return {number: task["updated_at"] for number, task in rows().items()}

    ids = {number: task_id for task_id, number in place.items()}
    names = ("sampling", "maximum_annotations", "skip_queue", "show_overlap_first")
    remote.update_project(project, sampling="Sequential sampling")
    settings = remote.project(project)
    yield "settings of the queue", [settings[name] for name in names]
    before = moments()
    remote.set_task_field(project, [ids[1]], "text", "edited in bulk")
    yield "a bulk edit changes the data", rows()[1]["data"]["text"]
    yield "and moves nothing", moments() == before
    yield "finished so far", finished()
    person.annotate(ids[1], None)
    yield "an empty answer finishes a task", finished()
    before = moments()
    remote.update_project(project, maximum_annotations=2)
    yield "more answers for each open what was finished", finished()
    yield "without a new moment", moments() == before
    first = remote.next_task(project)
    # which of those that others have begun comes first is left to chance
    yield "what one answered is not served again", place[first["id"]] != 1
    remote.update_project(project, maximum_annotations=1)
    yield "finished again", finished()
    remote.update_project(project, skip_queue="IGNORE_SKIPPED")
    yield "where skips count as answers they finish", finished()
    remote.update_project(project, skip_queue="REQUEUE_FOR_ME")
    yield "and where not, not", finished()
    skips = remote.skips(project, place)
    yield "skips", [(place[task_id], len(found)) for task_id, found in skips.items()]
    before = moments()
    yield "a skip taken back twice", [remote.delete_annotation(skips[ids[7]][0]) for _ in range(2)]
    yield "nobody skipped", remote.skips(project, place), rows()[7]["annotations"], finished()
    yield "the task has changed, and no other", [n for n, at in moments().items() if at != before[n]]


def test_it_answers_as_the_real_one_does(label_studio, admin, stub):
    project = LabelingProject.create(
        admin, title="Faithful", label_config=CONFIG, tasks=[{"text": text} for text in TEXTS]
    )
    remote = LabelStudio(label_studio.url, label_studio.token)
    real = list(talk(remote, RealPerson(admin), project.id, stub))
    remote.close()

    stub.version = "nl-000000"
    fake = FakeLabelStudio()
    fake.serve(stub.url, stub.app.test_client())
    number = fake.add_project(label_config=CONFIG, texts=TEXTS)
    remote = LabelStudio(fake.url, LEGACY_TOKEN, transport=fake.transport)
    assert list(talk(remote, fake, number, stub)) == real
