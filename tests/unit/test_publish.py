"""Publishing: the window, everything else on demand, and the sweep of what served before."""

from backend.workflows.loop import run_loop, tidy
from backend.workflows.project.lease import lease
from backend.workflows.project.progress import Silent
from backend.workflows.publish_all import publish_project
from backend.workflows.serving import publish
from backend.workflows.serving.rollback import rollback
from tests.fake_label_studio import is_valid_prediction
from tests.workbench import Workbench


class Counting:
    """Progress that adds up what it is told."""

    def __init__(self):
        self.totals, self.steps, self.current = {}, {}, None

    def stage(self, name, *, total=None):
        self.current, self.totals[name], self.steps[name] = name, total, 0

    def advance(self, steps):
        self.steps[self.current] += steps


def publish_everything(workbench, progress=None):
    return publish_project(workbench.workspace, everything=True, progress=progress or Silent())


def test_publishing_runs_a_loop(connected):
    connected.label(10)
    sent = publish_project(connected.workspace, everything=False, progress=Silent())
    assert (sent, connected.version) == (0, "nl-000002")
    assert connected.served() == connected.window


def test_everything_gets_a_suggestion_behind_the_window(connected):
    assert publish_everything(connected) == 30
    assert len(connected.scores) == 40
    assert connected.served(10) == connected.window
    assert all(connected.scores[task_id] >= 0.5 for task_id in set(connected.scores) - set(connected.window))
    for row in connected.label_studio.predictions.values():
        assert is_valid_prediction(row, connected.remote["label_config"])


def test_everything_is_served_in_the_order_of_the_ranking(connected):
    publish_everything(connected)
    scores = connected.scores
    order = connected.served(40)
    assert [scores[task_id] for task_id in order] == sorted(scores.values())
    assert len(set(scores.values())) == 40


def test_audit_tasks_outside_the_window_stay_blank(connected):
    connected.label(10)
    publish_everything(connected)
    blind = {task_id for task_id in connected.scores if not connected.result_of(task_id)}
    asked = {task_id for task_id, task in connected.tasks.items() if task["is_labeled"]}
    assert len(connected.scores) == 30 and not blind & asked
    assert 0 < len(blind) <= 3  # 15 % of ten labels and a window of ten, less those labelled already


def test_everything_twice_adds_nothing(connected):
    publish_everything(connected)
    assert publish_everything(connected) == 0
    assert len(connected.label_studio.predictions) == 40


def test_progress_counts_what_is_sent(connected):
    progress = Counting()
    publish_everything(connected, progress)
    assert progress.totals["pre-annotating"] == progress.steps["pre-annotating"] == 30


def test_many_tasks_are_sent_in_parts(connected, monkeypatch):
    monkeypatch.setattr("backend.workflows.publish_all._CHUNK", 7)
    connected.label_studio.calls.clear()
    assert publish_everything(connected) == 30
    imports = [path for method, path in connected.label_studio.writes if path.endswith("/import/predictions")]
    assert len(imports) == 5
    assert connected.served(10) == connected.window


def test_a_task_deleted_while_everything_is_sent_does_not_stop_the_rest(connected, label_studio):
    gone = next(task_id for task_id in connected.tasks if task_id not in connected.window)

    def delete(request):
        if "import/predictions" in request.url.path and gone in label_studio.tasks:
            label_studio.delete_tasks([gone])

    label_studio.before_answering.append(delete)
    assert publish_everything(connected) == 29


def test_the_loop_after_that_leaves_everything_as_it_is(connected):
    publish_everything(connected)
    connected.label_studio.calls.clear()
    assert connected.loop().outcome == "unchanged"
    assert connected.label_studio.writes == []


def test_the_sweep_stops_when_it_is_told_to(connected):
    connected.label(10)
    publish_everything(connected)
    remote = connected.context.label_studio()
    answers = iter([False, False, False, True])
    swept = publish.sweep(
        connected.workspace,
        remote,
        kept=lambda: {connected.version},
        interrupted=lambda: next(answers),
    )
    assert swept == 3
    assert len(connected.label_studio.published(connected.project_id, "nl-000001-label-names")) == 7


def test_the_sweep_is_not_interrupted_while_more_than_some_windows_are_left(connected, monkeypatch):
    connected.label(10)
    publish_everything(connected)
    monkeypatch.setattr("backend.workflows.serving.publish._MOST_WINDOWS_LEFT", 0.4)
    remote = connected.context.label_studio()
    keep = {connected.version}
    swept = publish.sweep(connected.workspace, remote, kept=lambda: keep, interrupted=lambda: True)
    assert swept == 6
    assert len(connected.label_studio.published(connected.project_id, "nl-000001-label-names")) == 4


def test_a_version_that_somebody_goes_back_to_is_swept_no_further(connected, label_studio):
    for _ in range(2):
        connected.label(4)
        with lease(connected.workspace):
            run_loop(connected.workspace, reason="test", progress=Silent())
    first, pressed = "nl-000001-label-names", []

    def press(request):
        if request.method == "DELETE" and not pressed:
            pressed.append(request.url.path)
            rollback(connected.workspace, first, progress=Silent(), wait_s=0)

    label_studio.before_answering.append(press)
    tidy(connected.workspace)
    assert pressed and connected.version == first
    assert len(connected.scores) == len(connected.window) == 10
    assert connected.served() == connected.window


def test_the_sweep_leaves_the_places_that_a_rollback_has_just_written_down(connected):
    connected.label(4)
    connected.loop()
    workspace, coming = connected.workspace, "nl-000001-label-names"
    remote = connected.context.label_studio()
    publish.clear_version(workspace, remote, version=coming)
    workspace.windows.add(coming, [(0, connected.window[0], "informative", "")])
    assert connected.context.projects.take_lease(
        workspace.id, "another-host/1/1", seconds=60, dead_owner=None
    )
    publish.sweep(
        workspace,
        remote,
        kept=lambda: {connected.version},
        interrupted=lambda: True,
    )
    assert workspace.windows.task_ids(coming) == {connected.window[0]}


def test_the_sweep_never_takes_the_version_away_from_the_project(connected):
    for _ in range(3):
        connected.label(4)
        connected.loop()
        assert connected.remote["model_version"] == connected.version


def test_a_prediction_that_is_gone_already_does_not_stop_the_sweep(connected, label_studio):
    connected.label(4)
    connected.loop()
    connected.label(4)
    gone = []

    def vanish(request):
        if request.method == "DELETE" and not gone:
            gone.append(int(request.url.path.rsplit("/", 1)[1]))
            del label_studio.predictions[gone[0]]

    label_studio.before_answering.append(vanish)
    connected.loop()
    assert label_studio.published(connected.project_id, "nl-000001-label-names") == {}


def test_a_window_larger_than_the_pool_holds_the_pool(
    make_context, make_app, make_settings, label_studio, project_id
):
    context = make_context(make_settings(queue_window=500))
    make_app(context)
    workbench = Workbench(context, label_studio, project_id)
    workbench.connect()
    assert len(workbench.window) == 40
    assert workbench.served(40) == workbench.window
