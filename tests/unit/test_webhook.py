"""Events of Label Studio become hints, whatever webhook brings them."""

import pytest
from sqlalchemy import func, select

from backend.database import Hint, Loop
from tests.fake_label_studio import SOMEBODY_ELSE


@pytest.fixture(params=["our webhook", "label studio's own, with payload"])
def listening(request, connected, label_studio):
    """A connected project, with the webhook that connect set up or the one Label Studio adds itself."""
    if request.param != "our webhook":
        (hook,) = connected.webhooks
        hook |= {"url": hook["url"].partition("?")[0], "send_payload": True, "send_for_all_actions": True}
    with connected.context.database.session() as session:
        session.query(Hint).delete()
    connected.context.jobs.enqueued.clear()
    label_studio.delivered.clear()
    return connected


def hints(workbench):
    with workbench.context.database.session() as session:
        return list(session.scalars(select(Hint.kind).order_by(Hint.id)))


def test_every_label_counts(listening, label_studio):
    annotation = label_studio.annotate(1, "cats")
    label_studio.change_annotation(annotation, "dogs")
    label_studio.annotate(2, "cats", user=SOMEBODY_ELSE)
    label_studio.skip(3)
    label_studio.delete_annotation(annotation)
    assert hints(listening) == ["labels"] * 5
    assert {status for _action, status in label_studio.delivered} == {201}
    assert listening.context.jobs.enqueued == []


def test_tasks_ask_for_a_loop_at_once(listening, label_studio):
    new = label_studio.add_tasks(1, [{"text": "one"}, {"text": "two"}])
    label_studio.delete_tasks(new)
    assert hints(listening) == ["tasks", "tasks"]
    assert len(listening.context.jobs.enqueued) == 2


def test_a_changed_config_asks_for_a_loop_at_once(listening, label_studio):
    config = label_studio.projects[1]["label_config"].replace(
        "</Choices>", '<Choice value="birds"/></Choices>'
    )
    label_studio.change_project(1, label_config=config)
    assert hints(listening) == ["config"]


def test_the_button_asks_for_a_loop_at_once(listening, label_studio):
    assert label_studio.start_training(1) == 201
    assert hints(listening) == ["training"]


def test_an_event_that_is_lost_is_made_good_by_the_next_loop(listening, label_studio):
    label_studio.webhooks.clear()
    label_studio.annotate(1, "cats")
    assert hints(listening) == []
    assert listening.loop().figures["labels"] == 1


def loops(workbench):
    with workbench.context.database.session() as session:
        return session.scalar(select(func.count()).select_from(Loop))


def test_a_webhook_never_trains(listening, label_studio):
    version, before = listening.version, loops(listening)
    versions = listening.context.registry.versions(listening.project.key)
    label_studio.calls.clear()
    for task_id in range(1, 13):
        label_studio.annotate(task_id, "cats")
    assert label_studio.start_training(1) == 201
    assert listening.context.jobs.enqueued  # a worker is asked to
    assert listening.version == version
    assert loops(listening) == before
    assert listening.context.registry.versions(listening.project.key) == versions
    assert label_studio.calls == []  # nothing was read or written for it
