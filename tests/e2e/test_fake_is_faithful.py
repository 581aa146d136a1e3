"""The Label Studio in memory, which the fast tests use, answers as the real one does."""

from types import SimpleNamespace

import pytest
from flask import Flask, jsonify, request

from backend.errors import LabelStudioError
from backend.label_studio.client import LabelStudio
from backend.label_studio.tabs import PICKED_FIELD, picked_mark, picked_tab
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


class Talk:
    """Both sides of a conversation about one project; tasks are named by their place in it."""

    def __init__(self, remote, person, project, stub):
        self.remote, self.person, self.project, self.stub = remote, person, project, stub
        self.ids = [number for page in remote.task_ids(project) for number in page]
        self.place = {task_id: number for number, task_id in enumerate(self.ids)}

    def whole(self):
        """Every step of it: what was asked and what came back, without what differs by chance."""
        for step in (talk_of_reading, talk_of_predictions, talk_of_backends, talk_of_webhooks, talk_of_order):
            yield from step(self)
        for step in (talk_of_deletions, talk_of_leaving, talk_of_open_tasks, talk_of_begun_tasks):
            yield from step(self)
        for step in (talk_of_a_tab, talk_of_a_cohort):
            yield from step(self)

    def rows(self):
        (page,) = self.remote.tasks(self.project)
        return {self.place[task["id"]]: task for task in page}

    def finished(self):
        return [number for number, task in sorted(self.rows().items()) if task["is_labeled"]]

    def begun(self):
        """Tasks with an answer that others may still add to."""
        rows = sorted(self.rows().items())
        return [number for number, task in rows if task["annotations"] and not task["is_labeled"]]

    def moments(self):
        return {number: task["updated_at"] for number, task in self.rows().items()}

    def next(self):
        task = self.remote.next_task(self.project)
        if task is None:
            return None
        return self.place[task["id"]], [shown["score"] for shown in task["predictions"]]

    def version(self):
        return self.remote.project(self.project)["model_version"]

    def backends(self):
        return [_shown_of_backend(row) for row in self.remote.ml_backends(self.project)]

    def hooks(self):
        names = ("url", "send_payload", "send_for_all_actions", "headers", "is_active", "actions")
        return [{name: hook[name] for name in names} for hook in self.remote.webhooks(self.project)]


def _shown_of_backend(row):
    names = ("state", "title", "model_version", "url", "auth_method", "extra_params")
    return {name: row[name] for name in names}


def talk_of_reading(talk):
    yield "counts", talk.remote.counts(talk.project)
    (page,) = talk.remote.tasks(talk.project)
    yield "fields of a task", sorted(page[0])
    yield "ends of the ids", [talk.place[task_id] for task_id in talk.remote.id_range(talk.project)]
    drawn = [*talk.ids[5:7], *range(UNKNOWN, UNKNOWN + 298)]
    found = talk.remote.tasks_of(talk.project, drawn)
    yield "drawn tasks", [(talk.place[task["id"]], sorted(task)) for task in found]
    yield "who", sorted({"id", "email"} & set(talk.remote.whoami()))


def talk_of_predictions(talk):
    remote, project, ids = talk.remote, talk.project, talk.ids
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
    yield "what is stored", sorted((talk.place[row["task"]], row["score"]) for row in stored)
    unknown = [a_prediction(ids[0]), a_prediction(UNKNOWN)]
    yield "unknown task", refusal(remote.import_predictions, project, unknown)
    yield "nothing to import", remote.import_predictions(project, [])
    yield "versions", remote.model_versions(project)
    yield "version that is none", refusal(remote.update_project, project, model_version="nl-000077")[0]
    yield "sampling that is none", refusal(remote.update_project, project, sampling="By the moon")[0]


def talk_of_backends(talk):
    remote, project, stub = talk.remote, talk.project, talk.stub
    made = remote.create_ml_backend(
        project=project, url=stub.url, title="nl-000000", extra_params={"nextlabel": {"x": 1}}
    )
    yield "registered", _shown_of_backend(made)
    yield "project takes the title", talk.version()
    yield "own webhook", talk.hooks()
    stub.version = "nl-000001"
    yield "a look follows /setup", talk.backends()
    changed = {"project": project, "url": stub.url, "title": "nl-000001", "auth_method": "NONE"}
    remote.update_ml_backend(made["id"], **changed)
    yield "title moved", talk.backends()
    yield "project moved along", talk.version()
    yield "without url", refusal(remote.update_ml_backend, made["id"], project=project, title="x")[0]
    login = {"auth_method": "BASIC_AUTH", "basic_auth_user": "u", "basic_auth_pass": "p"}
    remote.update_ml_backend(made["id"], **(changed | login))
    remote.update_ml_backend(made["id"], **changed)
    (after,) = remote.ml_backends(project)
    yield "log-in taken away", (after["auth_method"], after["basic_auth_user"])


def talk_of_webhooks(talk):
    (own,) = talk.remote.webhooks(talk.project)
    right = {"url": f"{talk.stub.url}/webhook?project=1.2", "send_payload": False}
    right |= {"send_for_all_actions": False, "headers": {"X": "y"}}
    right |= {"actions": ["TASKS_CREATED", "ANNOTATION_CREATED"]}
    talk.remote.update_webhook(own["id"], **right)
    yield "webhook changed", talk.hooks()


def talk_of_order(talk):
    remote, person, project, ids = talk.remote, talk.person, talk.project, talk.ids
    remote.update_project(project, sampling="Uncertainty sampling")
    yield "lowest score first", talk.next()
    yield "reserved", talk.next()
    yield "said to be reserved", "lock" in remote.next_task(project)["queue"].lower()
    person.annotate(ids[0], "a")
    yield "second", talk.next()
    person.skip(ids[7])
    yield "opened live", [row["score"] for row in person.open_task(ids[3])]
    yield "live answers wait behind", talk.next()
    first = person.annotate(ids[3], "B")
    yield "random rest is predicted live", talk.next()[1]
    yield "counts with annotations", remote.counts(project)
    read = talk.rows()
    yield "annotated", sorted(read[0]["annotations"][0]), read[0]["is_labeled"]
    yield "skipped", read[7]["annotations"][0]["was_cancelled"], read[7]["is_labeled"]
    moment = read[3]["updated_at"]
    person.delete_annotation(first)
    (page,) = remote.tasks(project, updated_after=moment)
    yield "changed after", [talk.place[task["id"]] for task in page if talk.place[task["id"]] == 3]


def talk_of_deletions(talk):
    remote, project, ids = talk.remote, talk.project, talk.ids
    stored = remote.predictions_of(project, "nl-000001")
    talk.person.delete_tasks(ids[4:6])
    yield "tasks deleted", remote.counts(project)
    yield "unknown after deletion", refusal(remote.import_predictions, project, [a_prediction(ids[4])])[0]
    yield "prediction deleted twice", [remote.delete_prediction(stored[0]["id"]) for _ in range(2)]
    remote.delete_version(project, "nl-000001")
    yield "a deleted version is taken from the project", talk.version()


def talk_of_leaving(talk):
    remote, project = talk.remote, talk.project
    remote.update_project(project, model_version="nl-000001")
    yield "a title is a version", talk.version()
    remote.update_project(project, show_collab_predictions=False)
    yield "suggestions off", talk.version()
    remote.update_project(project, show_collab_predictions=True, model_version="nl-000001")
    (made,) = remote.ml_backends(project)
    remote.delete_ml_backend(made["id"])
    hooks = remote.webhooks(project)
    yield "backend removed", talk.version(), len(hooks)
    for hook in hooks:
        remote.delete_webhook(hook["id"])
    yield "webhook removed", remote.webhooks(project)


def talk_of_open_tasks(talk):
    """Bulk edits and empty answers."""
    remote, project, ids = talk.remote, talk.project, talk.ids
    names = ("sampling", "maximum_annotations", "skip_queue", "show_overlap_first")
    remote.update_project(project, sampling="Sequential sampling")
    settings = remote.project(project)
    yield "settings of the queue", [settings[name] for name in names]
    before = talk.moments()
    remote.set_task_field(project, [ids[1]], "text", "edited in bulk")
    yield "a bulk edit changes the data", talk.rows()[1]["data"]["text"]
    yield "and moves nothing", talk.moments() == before
    yield "finished so far", talk.finished()
    talk.person.annotate(ids[1], None)
    yield "an empty answer finishes a task", talk.finished()


def talk_of_begun_tasks(talk):
    """Several answers for each task, and what skips do."""
    remote, project = talk.remote, talk.project
    before = talk.moments()
    remote.update_project(project, maximum_annotations=2)
    yield "more answers for each open what was finished", talk.finished()
    yield "which are begun then", talk.begun()
    yield "without a new moment", talk.moments() == before
    (served, _scores) = talk.next()
    # which comes first of those that this person has not answered is left to chance
    yield "what one answered is not served again", served in set(talk.rows()) - set(talk.begun())
    remote.update_project(project, maximum_annotations=1)
    yield "finished again", talk.finished(), talk.begun()
    remote.update_project(project, skip_queue="IGNORE_SKIPPED")
    yield "where skips count as answers they finish", talk.finished(), talk.begun()
    remote.update_project(project, skip_queue="REQUEUE_FOR_ME")
    yield "and where not, not", talk.finished(), talk.begun()
    skips = remote.skips(project, talk.place)
    yield "skips", [(talk.place[task_id], len(found)) for task_id, found in skips.items()]
    before = talk.moments()
    (skipped,) = skips
    yield "a skip taken back twice", [remote.delete_annotation(skips[skipped][0]) for _ in range(2)]
    yield "nobody skipped", remote.skips(project, talk.place), talk.finished(), talk.begun()
    yield "the task has changed, and no other", [n for n, at in talk.moments().items() if at != before[n]]


def talk_of_a_tab(talk):
    """Which tasks a tab shows."""
    remote, project = talk.remote, talk.project
    waiting = sorted(talk.place)[-3:]
    remote.set_task_field(project, waiting[:2], PICKED_FIELD, picked_mark([7]))
    remote.set_task_field(project, waiting[2:], PICKED_FIELD, picked_mark([77]))
    tab = remote.create_tab(project, picked_tab("Odd ones", 7))["id"]
    yield "it is there", [row["data"]["title"] for row in remote.tabs(project) if row["id"] == tab]
    for most in (5, 1):
        yield "its tasks", most, [talk.place[task] for task in remote.tab_tasks(project, tab, most=most)]
    remote.delete_tab(tab)


def talk_of_a_cohort(talk):
    """Several answers for some of the tasks: those that are begun, chosen anew when tasks come or go."""
    remote, project = talk.remote, talk.project
    for number in talk.begun():
        talk.person.annotate(talk.ids[number], "B")  # no two differ in whether their one answer was a skip
    rows = talk.rows()
    untouched = [number for number, task in sorted(rows.items()) if not task["annotations"]]
    yield "answers of each", [len(task["annotations"]) for _, task in sorted(rows.items())]
    remote.update_project(project, skip_queue="REQUEUE_FOR_OTHERS", maximum_annotations=3)
    share = 100 * (len(rows) - len(untouched)) // len(rows)
    before = talk.moments()
    remote.update_project(project, overlap_cohort_percentage=share)
    yield "all that are begun are the cohort", talk.finished(), talk.begun()
    yield "without a new moment", talk.moments() == before
    talk.person.delete_tasks([talk.ids[number] for number in untouched])
    yield "tasks that go finish others", len(talk.finished()), len(talk.begun())


def test_it_answers_as_the_real_one_does(label_studio, admin, stub):
    project = LabelingProject.create(
        admin, title="Faithful", label_config=CONFIG, tasks=[{"text": text} for text in TEXTS]
    )
    remote = LabelStudio(label_studio.url, label_studio.token)
    real = list(Talk(remote, RealPerson(admin), project.id, stub).whole())
    remote.close()

    stub.version = "nl-000000"
    fake = FakeLabelStudio()
    fake.serve(stub.url, stub.app.test_client())
    number = fake.add_project(label_config=CONFIG, texts=TEXTS)
    remote = LabelStudio(fake.url, LEGACY_TOKEN, transport=fake.transport)
    assert list(Talk(remote, fake, number, stub).whole()) == real
