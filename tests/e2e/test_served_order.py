"""What annotators are served is what was published."""

from model.audit import audit_slots
from tests.e2e.connected import assert_valid_result

WINDOW = 20
ALONE = 8
AUDIT_SHARE = 0.25


def test_the_window_is_served_in_order_to_one_annotator_and_to_two_in_turn(connect_project, make_annotator):
    connected = connect_project(
        queue_window=WINDOW, retrain_every_labels=1000, audit_share=AUDIT_SHARE, preannotate_floor=0.0
    )
    version, order = connected.version, connected.window()
    served, blank = [], []

    def serve(person):
        task = person.serve_next()
        (prediction,) = task["predictions"]
        assert prediction["model_version"] == version
        if prediction["result"]:
            assert_valid_result(prediction["result"])
        else:
            blank.append(len(served))
        served.append(task["id"])
        return task["id"]

    for _ in range(ALONE):
        connected.annotate(serve(connected.project))
    assert served == order[:ALONE]

    people = [connected.project, connected.project.as_seen_by(make_annotator())]
    held = [serve(person) for person in people]
    while len(served) < WINDOW:
        turn = len(served) % 2
        people[turn].annotate(held[turn], connected.truth[held[turn]])
        held[turn] = serve(people[turn])
    assert served == order
    assert blank == audit_slots(WINDOW, AUDIT_SHARE).tolist()
