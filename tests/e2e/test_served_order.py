"""What annotators are served is what was published."""

from model.audit import audit_slots
from tests.e2e.connected import assert_valid_result

WINDOW = 12


def test_one_annotator_is_served_the_published_order_with_audit_tasks_blank(connect_project):
    connected = connect_project(queue_window=WINDOW, retrain_every_labels=1000, audit_share=0.25)
    served, blank = [], []
    for place in range(WINDOW):
        task = connected.project.serve_next()
        served.append(task["id"])
        (prediction,) = task["predictions"]
        assert prediction["model_version"] == connected.version
        if prediction["result"]:
            assert_valid_result(prediction["result"])
        else:
            blank.append(place)
        connected.annotate(task["id"])
    assert served == connected.order()
    assert blank == audit_slots(WINDOW, 0.25).tolist()


def test_two_annotators_are_served_the_window_in_order_and_no_task_twice(connect_project, make_annotator):
    connected = connect_project(queue_window=WINDOW, retrain_every_labels=1000)
    people = [connected.project, connected.project.as_seen_by(make_annotator())]
    held = [person.serve_next()["id"] for person in people]
    served = list(held)
    while len(served) < WINDOW:
        turn = len(served) % 2
        people[turn].annotate(held[turn], connected.truth[held[turn]])
        held[turn] = people[turn].serve_next()["id"]
        served.append(held[turn])
    assert served == connected.order()
