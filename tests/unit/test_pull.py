"""A Label Studio that cannot call us: nothing is registered there, and a worker asks what changed."""

import threading

import httpx
import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.errors import AddressBlocked, NotFound
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.connection.doctor import diagnose
from backend.workflows.project.progress import Silent
from backend.workflows.project.pull import Puller, pull_forever
from backend.workflows.serving.rollback import rollback
from backend.workflows.views.status import project_status
from backend.workflows.work import run_pending


@pytest.fixture
def pulled(workbench):
    """A project in which nothing is registered, looked at once."""
    workbench.label_studio.refuses_local_addresses = True
    workbench.connect(pull=True)
    return workbench


@pytest.fixture
def puller(pulled):
    """What asks Label Studio; its first look is over, and no hint waits."""
    puller = Puller()
    puller.look(pulled.workspace)
    pulled.workspace.hints.forget(up_to=pulled.workspace.hints.newest())
    return puller


def hints(workbench):
    return workbench.workspace.hints.count_kinds()


def test_nothing_is_registered_and_the_order_is_served_all_the_same(pulled):
    assert pulled.label_studio.backends == {}
    assert pulled.label_studio.webhooks == {}
    assert pulled.served(5) == pulled.window[:5]
    assert pulled.label_studio.projects[pulled.project_id]["model_version"] == pulled.version


def test_connecting_again_without_a_word_leaves_it_so(pulled):
    assert pulled.connect().is_pulled
    assert pulled.label_studio.backends == {}


def test_a_second_loop_does_nothing(pulled):
    before = len(pulled.label_studio.writes)
    assert pulled.loop().outcome == "unchanged"
    assert len(pulled.label_studio.writes) == before


def test_a_project_that_was_registered_is_taken_out(connected):
    assert connected.label_studio.backends
    changes = connected.connect(pull=True).changes
    assert {"ML backend removed", "webhook removed"} <= set(changes)
    assert connected.label_studio.backends == {}
    assert connected.label_studio.webhooks == {}
    assert connected.served(5) == connected.window[:5]


def test_a_pulled_project_can_be_registered_later(pulled):
    pulled.label_studio.refuses_local_addresses = False
    assert "ML backend registered" in pulled.connect(pull=False).changes
    assert len(pulled.label_studio.webhooks) == 1
    assert not pulled.workspace.state.is_pulled


def test_every_answer_and_every_skip_is_a_hint(pulled, puller):
    pulled.label_studio.annotate(1, "cats")
    pulled.label_studio.annotate(2, "dogs")
    pulled.label_studio.skip(3)
    puller.look(pulled.workspace)
    assert hints(pulled) == {"labels": 3}
    puller.look(pulled.workspace)
    assert hints(pulled) == {"labels": 3}


def test_a_changed_answer_is_a_hint(pulled, puller):
    annotation = pulled.label_studio.annotate(1, "cats")
    puller.look(pulled.workspace)
    pulled.label_studio.change_annotation(annotation, "dogs")
    puller.look(pulled.workspace)
    assert hints(pulled) == {"labels": 2}


def test_two_workers_count_an_answer_once(pulled, puller):
    other = Puller()
    other.look(pulled.workspace)
    pulled.workspace.hints.forget(up_to=pulled.workspace.hints.newest())
    pulled.label_studio.annotate(1, "cats")
    for one in (puller, other):
        pulled.workspace.refresh()
        one.look(pulled.workspace)
    assert hints(pulled) == {"labels": 1}


def test_new_and_deleted_tasks_and_a_changed_config_ask_for_a_loop_at_once(pulled, puller):
    pulled.label_studio.add_tasks(pulled.project_id, [{"text": "one more"}])
    puller.look(pulled.workspace)
    assert hints(pulled)["tasks"] == 1
    pulled.label_studio.delete_tasks([1])
    puller.look(pulled.workspace)
    assert hints(pulled)["tasks"] == 2
    config = pulled.label_studio.projects[pulled.project_id]["label_config"]
    more = config.replace("</Choices>", '<Choice value="birds"/></Choices>')
    pulled.label_studio.change_project(pulled.project_id, label_config=more)
    puller.look(pulled.workspace)
    assert hints(pulled)["config"] == 1


def test_an_answer_deleted_in_bulk_asks_for_a_loop(pulled, puller):
    annotation = pulled.label_studio.annotate(1, "cats")
    puller.look(pulled.workspace)
    pulled.label_studio.delete_annotation(annotation, quietly=True)
    puller.look(pulled.workspace)
    assert hints(pulled) == {"labels": 1, "tasks": 1}


def test_somebody_who_sets_another_version_is_noticed(pulled, puller):
    pulled.label_studio.change_project(pulled.project_id, model_version="")
    puller.look(pulled.workspace)
    run_pending(pulled.context, pulled.workspace.id)
    assert pulled.label_studio.projects[pulled.project_id]["model_version"] == pulled.version


def test_ten_answers_give_a_new_order(pulled, puller):
    before = pulled.version
    pulled.label(10)
    puller.look(pulled.workspace)
    run_pending(pulled.context, pulled.workspace.id)
    pulled.workspace.refresh()
    assert pulled.version != before
    assert pulled.served(3) == pulled.window[:3]
    assert rollback(pulled.workspace, before, progress=Silent()) > 0
    assert pulled.label_studio.projects[pulled.project_id]["model_version"] == before


class So(threading.Event):
    """Stops after so many looks, and does something before each."""

    def __init__(self, *before):
        super().__init__()
        self._before = list(before)

    def wait(self, timeout=None):
        if not self._before:
            return True
        self._before.pop(0)()
        return False


def test_the_thread_looks_until_it_is_told_to_stop(pulled):
    pull_forever(pulled.context, So(list, lambda: pulled.label_studio.annotate(1, "cats")))
    assert hints(pulled) == {"timer": 1, "labels": 1}


def test_a_label_studio_that_is_away_is_asked_again(pulled, label_studio):
    refuse = [lambda request: httpx.Response(500)]
    pull_forever(
        pulled.context,
        So(lambda: label_studio.before_answering.extend(refuse), label_studio.before_answering.clear),
    )
    assert hints(pulled) == {"timer": 1}
    assert not pulled.context.survived.is_failing(f"asking for project {pulled.project_id}")


def test_a_project_that_was_deleted_is_not_asked_for_ever(pulled, puller):
    pulled.label_studio.delete_project(pulled.project_id)
    for _ in range(2):
        with pytest.raises(NotFound):
            puller.look(pulled.workspace)
    assert hints(pulled) == {"timer": 1}
    run_pending(pulled.context, pulled.workspace.id)
    pulled.workspace.refresh()
    assert not pulled.workspace.state.connected


def test_doctor_status_and_page_say_who_asks(pulled):
    findings = {found.check: found for found in diagnose(pulled.context, pulled.project_id)}
    assert findings["connection"].verdict == "ok"
    assert findings["version"].verdict == "ok"
    assert "webhook" not in findings
    assert project_status(pulled.workspace)["is_pulled"]


def test_disconnect_takes_all_back(pulled):
    disconnect(pulled.workspace)
    assert pulled.label_studio.predictions == {}
    assert not pulled.project.connected


def test_whoever_cannot_be_called_learns_of_pull(workbench):
    workbench.label_studio.refuses_local_addresses = True
    with pytest.raises(AddressBlocked) as refused:
        workbench.connect()
    assert "--pull" in refused.value.hint


def test_the_command_explains_pull():
    assert "--pull" in CliRunner().invoke(app, ["connect", "--help"]).output


@pytest.mark.parametrize("is_given_away", [False, True])
def test_of_a_deleted_project_the_connection_is_forgotten(is_given_away, pulled):
    pulled.label_studio.delete_project(pulled.project_id)
    if is_given_away:
        pulled.label_studio.add_project(project_id=pulled.project_id, texts=["another one"])
        pulled.label_studio.change_project(pulled.project_id, sampling="Uniform sampling")
    (done,) = disconnect(pulled.workspace)
    assert "no such project any more" in done and not pulled.project.connected
    if is_given_away:
        assert pulled.remote["sampling"] == "Uniform sampling"


def test_after_a_disconnect_a_project_is_registered_as_any_other(pulled):
    disconnect(pulled.workspace)
    (gone,) = [one for one in diagnose(pulled.context, pulled.project_id) if one.check == "connection"]
    assert (gone.verdict, gone.cure) == ("fault", f"Run: nextlabel connect {pulled.project_id}")
    pulled.label_studio.refuses_local_addresses = False
    assert not pulled.connect().is_pulled
    assert len(pulled.label_studio.backends) == 1
