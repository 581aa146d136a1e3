"""Whatever people do between two loops: the next one puts it right, and the one after does nothing."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.database import Task
from backend.workflows.intake.published import window_for
from tests.fake_label_studio import is_valid_prediction
from tests.topics import write_texts
from tests.workbench import Workbench

CONFIG = '<View><Text name="text" value="$text"/><Choices name="topic" toName="text">{}</Choices></View>'
LABELS = ["cats", "dogs", "birds"]
NEWCOMER = 99  # has annotated and reserved nothing

some_task = st.integers(0, 40)
actions = st.one_of(
    st.tuples(st.just("annotate"), some_task, st.sampled_from(LABELS), st.sampled_from([1, 2, 3])),
    st.tuples(st.just("skip"), some_task),
    st.tuples(st.just("change"), some_task, st.sampled_from(LABELS)),
    st.tuples(st.just("take_back"), some_task, st.booleans()),
    st.tuples(st.just("delete"), some_task),
    st.tuples(st.just("add"), st.sampled_from(["new text", "", "purr about cats", "purr about cats"])),
    st.tuples(st.just("edit"), some_task, st.sampled_from(["another text", ""])),
    st.tuples(st.just("open"), some_task),
    st.tuples(st.just("configure"), st.integers(2, 3)),
    st.tuples(st.just("rename")),
    st.tuples(st.just("reset_version")),
    st.tuples(st.just("lose_predictions"), st.integers(1, 5)),
    st.tuples(st.just("loop")),
)


class Day:
    """What people and mishaps do to one project; a number means the n-th task there is, round and round."""

    def __init__(self, workbench):
        self.workbench = workbench
        self.studio = workbench.label_studio

    def task(self, number):
        tasks = list(self.workbench.tasks.values())
        return tasks[number % len(tasks)]

    def annotate(self, number, label, user):
        self.studio.annotate(self.task(number)["id"], label, user=user)

    def skip(self, number):
        self.studio.skip(self.task(number)["id"])

    def change(self, number, label):
        for annotation in self.task(number)["annotations"][:1]:
            self.studio.change_annotation(annotation["id"], label)

    def take_back(self, number, quietly):
        for annotation in self.task(number)["annotations"][:1]:
            self.studio.delete_annotation(annotation["id"], quietly=quietly)

    def delete(self, number):
        if len(self.workbench.tasks) > 2:
            self.studio.delete_tasks([self.task(number)["id"]])

    def add(self, text):
        self.studio.add_tasks(self.workbench.project_id, [{"text": text}])

    def edit(self, number, text):
        self.studio.edit_task(self.task(number)["id"], {"text": text})

    def open(self, number):
        self.studio.open_task(self.task(number)["id"])

    def configure(self, count):
        choices = "".join(f'<Choice value="{label}"/>' for label in LABELS[:count])
        self.studio.change_project(self.workbench.project_id, label_config=CONFIG.format(choices))

    def rename(self):
        self.workbench.backend["title"] = "renamed"

    def reset_version(self):
        self.workbench.remote["model_version"] = ""

    def lose_predictions(self, count):
        mine = [
            key for key, row in self.studio.predictions.items() if row["project"] == self.workbench.project_id
        ]
        for key in mine[-count:]:
            del self.studio.predictions[key]

    def loop(self):
        self.workbench.loop()


def majority(task, label_config):
    """The label of a task, found the slow and obvious way: of one person the latest that the config has."""
    said = {}
    for annotation in sorted(task["annotations"], key=lambda one: one["created_at"]):
        if not annotation["was_cancelled"]:
            label = annotation["result"][0]["value"]["choices"][0]
            if f'"{label}"' in label_config:
                said[annotation["completed_by"]] = label
    votes = Counter(said.values()).most_common()
    return votes[0][0] if votes and (len(votes) == 1 or votes[0][1] > votes[1][1]) else None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(day=st.lists(actions, max_size=12), overlap=st.sampled_from([1, 2]))
def test_after_any_day_the_loop_puts_everything_right(day, overlap, context, app, label_studio):
    project_id = label_studio.add_project(texts=write_texts(16), maximum_annotations=overlap)
    workbench = Workbench(context, label_studio, project_id)
    workbench.connect()
    people = Day(workbench)
    for name, *arguments in day:
        getattr(people, name)(*arguments)

    workbench.loop()
    label_studio.calls.clear()
    assert workbench.loop().outcome == "unchanged"
    assert label_studio.writes == []

    config = workbench.remote["label_config"]
    with context.database.session() as session:
        rows = session.execute(
            select(Task.task_id, Task.label).where(Task.project_id == workbench.project.id)
        )
        assert dict(rows.all()) == {task["id"]: majority(task, config) for task in workbench.tasks.values()}
    version = workbench.version
    assert {
        workbench.remote["model_version"],
        workbench.backend["title"],
        workbench.backend["model_version"],
    } == {version}
    expected = window_for(workbench.workspace, NEWCOMER)
    served = workbench.served(len(expected), user=NEWCOMER)
    if overlap == 1:  # else Label Studio serves first, and at random, what others have begun
        assert served == expected
    for task_id in expected:
        task = workbench.tasks[task_id]
        assert not task["is_labeled"] and task["data"]["text"]
    for row in label_studio.predictions.values():
        if row["project"] == project_id and row["model_version"] == version:
            assert is_valid_prediction(row, config)
