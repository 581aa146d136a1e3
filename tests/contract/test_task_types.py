"""Every kind of question of the table, from a config to a queue and back; a new row adds its tests."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from backend.label_studio.controls.table import CONTROLS, control_of
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task
from backend.task_types import TASK_TYPES, task_type
from backend.workflows.intake.question_labels import to_row
from backend.workflows.record import replay
from model.records import Embeddings, Labels, LabelSpace
from model.registry import RECORD_FILE
from model.sealed_tensors import seal, unseal
from tests.topics import topic_of, write_texts
from tests.workbench import forget_hashes

ONE_CHOICE = "single choice"


@dataclass(frozen=True)
class Case:
    """A control of a kind, and what a person answers to texts about cats and about dogs.

    `fields`: what a task shows; in the second one, if any, is a text about the other topic.
    """

    tag: str
    region_type: str
    answers: dict
    key: str = ""
    fields: tuple = ("text",)

    @property
    def shown(self):
        return "".join(f'<Text name="{field}" value="${field}"/>' for field in self.fields)

    @property
    def config(self):
        return f"<View>{self.shown}{self.tag}</View>"

    def region(self, topic):
        value = {self.key or self.region_type: self.answers[topic]}
        return {"from_name": "asked", "to_name": "text", "type": self.region_type, "value": value}


def choices(form, *names):
    inside = "".join(f'<Choice value="{name}"/>' for name in names)
    return f'<Choices name="asked" toName="text" {form}>{inside}</Choices>'


CASES = {
    ONE_CHOICE: Case(choices("", "cats", "dogs"), "choices", {"cats": ["cats"], "dogs": ["dogs"]}),
    "several choices": Case(
        choices('choice="multiple"', "furry", "purrs", "barks", "flies"),
        "choices",
        {"cats": ["furry", "purrs"], "dogs": ["furry", "barks"]},
    ),
    "rating": Case('<Rating name="asked" toName="text" maxRating="5"/>', "rating", {"cats": 5, "dogs": 2}),
    "number": Case('<Number name="asked" toName="text"/>', "number", {"cats": 3.5, "dogs": 9}),
    "taxonomy": Case(
        '<Taxonomy name="asked" toName="text"><Choice value="pets" alias="p"><Choice value="indoor/outdoor">'
        '<Choice value="cats"/></Choice><Choice value="dogs"/></Choice><Choice value="birds"/></Taxonomy>',
        "taxonomy",
        {"cats": [["p", "indoor/outdoor", "cats"]], "dogs": [["p", "dogs"]]},
    ),
    "pairwise": Case(
        '<Pairwise name="asked" toName="text,other"/>',
        "pairwise",
        {"cats": "left", "dogs": "right"},
        key="selected",
        fields=("text", "other"),
    ),
}
EACH_KIND = pytest.mark.parametrize("kind", list(TASK_TYPES))
EACH_OTHER_KIND = pytest.mark.parametrize("kind", [kind for kind in TASK_TYPES if kind != ONE_CHOICE])


def question_of(kind):
    return parse_label_config(CASES[kind].config).questions[0]


def targets(kind, topics):
    """The rows that the answers to texts about these topics are."""
    question = question_of(kind)
    space = LabelSpace(tuple(label.name for label in question.labels))
    found = [control_of(kind).read([CASES[kind].region(topic)], question) for topic in topics]
    return space, np.stack([to_row(target, space, kind) for target in found])


def other_topic(topic):
    return {"cats": "dogs", "dogs": "cats"}[topic]


def some_items(kind, topics):
    """Vectors of which topics can be told; of a question that is about parts those of the parts, joined."""
    rng = np.random.default_rng(0)
    centres = {topic: rng.normal(size=16) for topic in ("cats", "dogs")}

    def vectors_of(topics):
        vectors = np.stack([centres[topic] + rng.normal(size=16) * 0.4 for topic in topics])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    joined = [vectors_of(topics)]
    if question_of(kind).parts:
        joined.append(vectors_of([other_topic(topic) for topic in topics]))
    return Embeddings(np.arange(len(topics)), np.concatenate(joined, axis=1).astype(np.float32), "test")


def train(kind, count=40):
    topics = ["cats", "dogs"] * (count // 2)
    items, (space, rows) = some_items(kind, topics), targets(kind, topics)
    labels = Labels(items.ids, rows, space)
    audit = np.arange(count) % 4 == 0
    learner = TASK_TYPES[kind].learner
    return items, labels, learner.train(items, labels, names=None, audit=audit, rng=np.random.default_rng(1))


def test_every_kind_has_a_case_and_a_control_and_the_other_way_round():
    assert set(TASK_TYPES) == set(CASES) == {control.kind for control in CONTROLS}


@EACH_KIND
def test_a_config_is_parsed_into_a_question_of_this_kind(kind):
    question = question_of(kind)
    assert (question.kind, question.obstacle, task_type(question).kind) == (kind, "", kind)


@EACH_KIND
@pytest.mark.parametrize("topic", ["cats", "dogs"])
def test_what_is_rendered_reads_back_the_same(kind, topic):
    question, control = question_of(kind), control_of(kind)
    target = control.read([CASES[kind].region(topic)], question)
    regions = control.render(question, target, confidence=0.7)
    assert control.read(regions, question) == control.merge([target, target], question) == target
    (region,) = regions
    assert region["value"] == CASES[kind].region(topic)["value"]
    assert (region["type"], region["score"]) == (CASES[kind].region_type, 0.7)


@EACH_KIND
@pytest.mark.parametrize(
    "value",
    [
        *(None, {}, {"choices": "cats"}, {"rating": "4"}, {"number": True}, {"rating": 99}),
        *({"taxonomy": [[]]}, {"selected": "both"}),
    ],
)
def test_answers_of_another_shape_are_none(kind, value):
    regions = [{"from_name": "asked", "value": value}, {"from_name": "asked"}]
    assert control_of(kind).read(regions, question_of(kind)) is None


@EACH_KIND
def test_it_learns_what_was_answered(kind):
    items, labels, trained = train(kind)
    found = trained.head.believe(items, "v")
    off = np.abs(found.answers - labels.targets).max(axis=1)
    assert (off <= (trained.metrics.get("tolerance") or 0.0)).mean() >= 0.9
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all() and (found.uncertainty >= 0).all()


@EACH_KIND
def test_a_head_that_was_saved_says_the_same_bits(kind):
    items, labels, trained = train(kind)
    loaded = TASK_TYPES[kind].learner.load(dict(trained.head.tensors()), labels.space)
    said, again = trained.head.believe(items, "v"), loaded.believe(items, "v")
    for name in ("values", "answers", "confidence", "uncertainty", "mass"):
        assert getattr(said, name).tobytes() == getattr(again, name).tobytes()


@EACH_KIND
def test_an_export_reads_back_as_the_answers_that_were_given(kind):
    case = CASES[kind]
    export = json.loads(
        json.dumps(
            {
                "id": 1,
                "data": dict.fromkeys(case.fields, "whiskers"),
                "annotations": [{"result": [case.region("cats")]}],
            }
        )
    )
    state = read_task(export, parse_label_config(case.config))
    assert state.targets == {"asked": control_of(kind).read([case.region("cats")], question_of(kind))}
    assert state.label and state.outcome == "label"


def show_fields(bench, label_studio, kind):
    """Tasks have all fields that a kind shows."""
    for task in bench.tasks.values() if len(CASES[kind].fields) > 1 else ():
        topic = other_topic(topic_of(task["data"]["text"]))
        (other,) = write_texts(1, topics=(topic,), seed=task["id"])
        label_studio.edit_task(task["id"], task["data"] | {CASES[kind].fields[1]: other})


def label_all(bench, label_studio, kind, count):
    for task in [bench.tasks[task_id] for task_id in bench.window[:count]]:
        label_studio.submit(task["id"], [CASES[kind].region(topic_of(task["data"]["text"]))])


@EACH_KIND
def test_a_loop_publishes_the_next_does_nothing_and_its_replay_is_exact(
    kind, workbench, label_studio, context
):
    show_fields(workbench, label_studio, kind)
    label_studio.change_project(workbench.project_id, label_config=CASES[kind].config)
    workbench.connect(queue_window=20)
    label_all(workbench, label_studio, kind, 12)
    report = workbench.loop()
    assert (report.outcome, report.record.labels, report.record.failed) == ("published", 12, {})
    assert workbench.loop().outcome == "unchanged"
    loop = workbench.workspace.loops.newest_counted()
    assert replay(workbench.workspace, 2).is_exact, loop
    told = [workbench.result_of(task_id) for task_id in workbench.window]
    right = [
        result[0]["value"] == CASES[kind].region(topic_of(workbench.tasks[task_id]["data"]["text"]))["value"]
        for task_id, result in zip(workbench.window, told, strict=True)
        if result
    ]
    assert right and (kind == "number" or np.mean(right) > 0.8)


@EACH_OTHER_KIND
def test_beside_a_single_choice_it_is_answered_and_measured_too(kind, workbench, label_studio):
    first = CASES[ONE_CHOICE].tag.replace("asked", "topic")
    config = f"<View>{CASES[kind].shown}{first}{CASES[kind].tag}</View>"
    show_fields(workbench, label_studio, kind)
    label_studio.change_project(workbench.project_id, label_config=config)
    workbench.connect(queue_window=20)
    for task_id in workbench.window[:14]:
        topic = topic_of(workbench.tasks[task_id]["data"]["text"])
        choice = CASES[ONE_CHOICE].region(topic) | {"from_name": "topic"}
        label_studio.submit(task_id, [choice, CASES[kind].region(topic)])
    report = workbench.loop()
    assert (report.outcome, report.record.failed) == ("published", {})
    (asked,) = report.record.signals.questions
    assert (asked.name, asked.kind, asked.labels) == ("asked", kind, 14)
    names = {region["from_name"] for task in workbench.window for region in workbench.result_of(task)}
    assert names == {"topic", "asked"}
    assert workbench.loop().outcome == "unchanged"
    assert replay(workbench.workspace, 2).is_exact


@EACH_OTHER_KIND
def test_as_the_first_question_it_promises_nothing_that_never_comes(kind, workbench, label_studio, make_app):
    show_fields(workbench, label_studio, kind)
    label_studio.change_project(workbench.project_id, label_config=CASES[kind].config)
    workbench.connect(queue_window=20)
    label_all(workbench, label_studio, kind, 12)
    signals = workbench.loop().record.signals
    assert {wait.of for wait in signals.waits} <= {"accuracy"}
    assert TASK_TYPES[kind].metric in signals.accuracy.words
    page = make_app(workbench.context).test_client().get(f"/projects/{workbench.project_id}").text
    assert "This order beside a random one" not in page
    assert "Not there yet for asked, the first question" in page
    assert f"It is the share of {TASK_TYPES[kind].metric}." in page


TWO_CHOICES = CASES[ONE_CHOICE].tag.replace("asked", "first") + CASES[ONE_CHOICE].tag.replace(
    "asked", "second"
)


def answer_both(bench, label_studio):
    for task_id in bench.window[:8]:
        topic = topic_of(bench.tasks[task_id]["data"]["text"])
        region = CASES[ONE_CHOICE].region(topic)
        label_studio.submit(task_id, [region | {"from_name": name} for name in ("first", "second")])


@pytest.mark.parametrize("questions", ["", "second", "second,first"])
def test_a_replay_asks_the_questions_of_then(questions, workbench, label_studio):
    config = f'<View><Text name="text" value="$text"/>{TWO_CHOICES}</View>'
    label_studio.change_project(workbench.project_id, label_config=config)
    workbench.connect(queue_window=20, questions=questions)
    answer_both(workbench, label_studio)
    report = workbench.loop()
    workbench.connect(queue_window=20, questions="first")
    assert report.outcome == "published" and replay(workbench.workspace, 2).is_exact


def test_a_record_that_names_no_questions_is_of_the_first_alone(workbench, label_studio):
    config = f'<View><Text name="text" value="$text"/>{TWO_CHOICES}</View>'
    label_studio.change_project(workbench.project_id, label_config=config)
    workbench.connect(queue_window=20, questions="first")
    answer_both(workbench, label_studio)
    workbench.loop()
    workspace = workbench.workspace
    folder = workspace.context.settings.model_folder / workspace.key / workspace.version
    tensors = unseal((folder / RECORD_FILE).read_bytes())
    facts = json.loads(tensors["facts"].tobytes())
    assert facts.pop("questions") == ["first"]
    facts["settings"].pop("questions")
    tensors["facts"] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    (folder / RECORD_FILE).write_bytes(seal(tensors))
    forget_hashes(folder)
    assert replay(workspace, 2).is_exact


WRONG = {"cats": "dogs", "dogs": "cats"}


@EACH_OTHER_KIND
def test_an_answer_that_looks_wrong_is_marked_with_its_question(kind, workbench, label_studio, make_app):
    show_fields(workbench, label_studio, kind)
    label_studio.change_project(workbench.project_id, label_config=CASES[kind].config)
    workbench.connect(queue_window=30)
    window = workbench.window[:28]
    for place, task_id in enumerate(window):
        topic = topic_of(workbench.tasks[task_id]["data"]["text"])
        label_studio.submit(task_id, [CASES[kind].region(WRONG[topic] if place == 5 else topic)])
    signals = workbench.loop().record.signals
    (asked,) = signals.questions
    marked = {
        task_id: task["data"]["nextlabel_note"]
        for task_id, task in workbench.tasks.items()
        if task["data"].get("nextlabel_flag") == "suspect"
    }
    assert asked.suspects == signals.suspects and signals.suspects.count == len(marked)
    assert set(marked) <= {window[5]} and all(note.startswith("asked: ") for note in marked.values())
    assert (
        asked.suspects.words
        in make_app(workbench.context).test_client().get(f"/projects/{workbench.project_id}").text
    )
