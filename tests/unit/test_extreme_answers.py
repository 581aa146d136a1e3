"""Answers and configs that no person means: they are passed over, and no loop fails on them."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.workflows.record import replay

RATING = '<Rating name="asked" toName="text" maxRating="5"/>'
NUMBER = '<Number name="asked" toName="text"/>'


def config(control):
    return f'<View><Text name="text" value="$text"/>{control}</View>'


def start(bench, label_studio, control):
    label_studio.change_project(bench.project_id, label_config=config(control))
    bench.connect(queue_window=20)


@pytest.mark.parametrize("control", [RATING, NUMBER])
@pytest.mark.parametrize("value", [10**400, -(10**400), 1e300, "NaN"])
def test_what_is_too_large_is_passed_over_and_teaches_nothing(control, value, workbench, label_studio):
    start(workbench, label_studio, control)
    kind = "rating" if control is RATING else "number"
    for at, task_id in enumerate(workbench.window[:8]):
        given = value if at == 0 else at % 3 + 1
        region = {"from_name": "asked", "to_name": "text", "type": kind, "value": {kind: given}}
        label_studio.submit(task_id, [region])
    report = workbench.loop()
    assert (report.outcome, report.record.labels) == ("published", 7)


def test_a_number_of_grades_with_thousands_of_digits_is_refused():
    stars, days = RATING.replace("5", "9" * 5000), NUMBER.replace("asked", "days")
    assert [question.name for question in parse_label_config(config(stars + days)).questions] == ["days"]


@pytest.mark.parametrize("control", [RATING, NUMBER])
def test_before_the_first_label_a_loop_without_news_publishes_nothing(control, workbench, label_studio):
    start(workbench, label_studio, control)
    version = workbench.version
    assert workbench.loop().outcome == "unchanged"
    assert workbench.version == version
    assert replay(workbench.workspace, 1).is_exact
