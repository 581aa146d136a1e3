"""What is said before the first answer is what happened: names of labels were looked at, or nothing was."""

import pytest

from backend.workflows.project.card import describe
from backend.workflows.views.dashboard.points import map_points
from backend.workflows.views.signals import newest_signals
from backend.workflows.views.versions import list_versions
from tests.contract.test_task_types import CASES, question_of
from tests.topics import write_texts
from tests.workbench import Workbench

NAMED = ("single choice", "several choices", "taxonomy")
EACH_KIND = pytest.mark.parametrize("kind", list(CASES))


@pytest.fixture
def bench_of(context, app, label_studio):
    def make(kind):
        cats, dogs = write_texts(12, topics=("cats",)), write_texts(12, topics=("dogs",))
        project = label_studio.add_project(label_config=CASES[kind].config)
        rows = [{"text": one, "other": other} for one, other in zip(cats, dogs, strict=True)]
        label_studio.add_tasks(project, rows)
        bench = Workbench(context, label_studio, project)
        bench.connect()
        bench.loop()
        return bench

    return make


def said_of(bench):
    """The kind of the version, its name, and whether each place that speaks of it speaks of names."""
    (version,) = list_versions(bench.workspace)
    waits = {row.of: row.known for row in newest_signals(bench.workspace).signals.waits}
    return (
        version["kind"],
        bench.version,
        ["names" in waits["accuracy"], "names" in describe(bench.workspace)],
    )


@EACH_KIND
def test_a_first_model_is_named_after_what_it_goes_by(bench_of, kind):
    bench = bench_of(kind)
    named = ("label-names", "nl-000001-label-names", [True, True])
    assert said_of(bench) == (named if kind in NAMED else ("untaught", "nl-000001", [False, False]))
    assert kind in NAMED or not any(bench.result_of(task_id) for task_id in bench.window)


@EACH_KIND
def test_the_page_says_where_the_guesses_come_from(bench_of, make_app, kind):
    bench = bench_of(kind)
    page = make_app(bench.context).test_client().get(f"/projects/{bench.project_id}").text
    by_names, nothing = "the guesses come from the names of the labels", "nothing is guessed before the first"
    assert (by_names in page, nothing in page) == (kind in NAMED, kind not in NAMED)
    assert ("model 1, by label names" in page) == (kind in NAMED)


@EACH_KIND
def test_the_first_answer_makes_a_trained_version_of_every_kind(bench_of, kind):
    bench = bench_of(kind)
    asked = question_of(kind)
    assert asked.kind == kind
    for task_id in bench.window[:6]:
        bench.label_studio.submit(task_id, [CASES[kind].region("cats")])
    bench.loop()
    assert [row["kind"] for row in list_versions(bench.workspace)][:1] == ["trained"]
    assert bench.version == "nl-000002"


def test_pictures_without_names_have_an_untaught_model_and_no_colours(make_picture_bench, make_app):
    bench = make_picture_bench()
    assert said_of(bench) == ("untaught", "nl-000001", [False, False])
    points = map_points(bench.workspace)["points"]
    assert points["predicted"] and not any(place is not None for place in points["predicted"])
    page = make_app(bench.context).test_client().get(f"/projects/{bench.project_id}").text
    assert "names of the labels" not in page and "no task has a colour" in page
    assert "nothing is guessed before the first answer" in page
