"""Projects of pictures: suggestions, order, audit, replay, and what cannot be read."""

from dataclasses import replace

import numpy as np
import pytest

from backend.workflows.record import replay
from model.encoders.pixels import PixelsEncoder
from model.encoders.table import IMAGE_ENCODERS
from tests.pictures import COLD, WARM, Files, draw
from tests.workbench import Workbench

IMAGE = '<Image name="i" value="$image"/>'
CHOICES = f'<Choices name="c" toName="i"><Choice value="{WARM}"/><Choice value="{COLD}"/></Choices>'
TASKS = 60


def label_of(address):
    return WARM if int(address.rsplit("-", 1)[1].partition(".")[0]) % 2 else COLD


def address_of(number):
    return f"/data/upload/1/p-{number}.png"


@pytest.fixture
def files():
    return Files({address_of(n): draw(label_of(address_of(n)), n) for n in range(TASKS)})


@pytest.fixture
def make_bench(make_settings, make_context, make_app, label_studio, files, monkeypatch):
    """make_bench(config, data of each task): a connected project; short vectors are quick to look through."""
    monkeypatch.setitem(IMAGE_ENCODERS, "pixels", lambda: PixelsEncoder(5))

    def make(config=f"<View>{IMAGE}{CHOICES}</View>", rows=None, **settings):
        context = make_context(make_settings(image_encoder="pixels", **settings))
        context = replace(context, media=lambda: files)
        make_app(context)
        project = label_studio.add_project(label_config=config)
        rows = [{"image": address_of(n)} for n in range(TASKS)] if rows is None else rows
        label_studio.add_tasks(project, rows)
        bench = Workbench(context, label_studio, project)
        bench.connect()
        bench.loop()
        return bench

    return make


def annotate(bench, count, answer=None):
    """Answers the next tasks in the order served; returns their ids."""
    done = []
    for _ in range(count):
        task = bench.label_studio.serve_next(bench.project_id, user=1)
        said = label_of(task["data"]["image"]) if answer is None else answer(task)
        bench.label_studio.annotate(task["id"], said, user=1)
        done.append(task["id"])
    return done


def suggestions(bench):
    """Label by task of those in the window that have one."""
    found = {task_id: bench.result_of(task_id) for task_id in bench.window}
    return {task_id: regions[0]["value"]["choices"][0] for task_id, regions in found.items() if regions}


def test_before_the_first_label_a_window_is_published_and_nothing_is_ticked(make_bench):
    bench = make_bench()
    assert len(bench.window) == 10
    assert suggestions(bench) == {}


def test_labels_teach_and_suggestions_are_right(make_bench):
    bench = make_bench()
    before = bench.version
    annotate(bench, 20)
    assert bench.loop().outcome == "published"
    assert bench.version != before
    found = suggestions(bench)
    right = [said == label_of(bench.tasks[task]["data"]["image"]) for task, said in found.items()]
    assert len(right) >= 5
    assert np.mean(right) >= 0.9
    assert bench.served(len(bench.window)) == bench.window


def test_audit_tasks_come_without_a_suggestion(make_bench):
    bench = make_bench(audit_share=0.5)
    annotate(bench, 10)
    bench.loop()
    assert 0 < len(suggestions(bench)) < len(bench.window)


def test_nothing_is_fetched_twice_and_the_second_loop_does_nothing(make_bench, files):
    bench = make_bench()
    assert sorted(files.asked) == sorted(files.contents)
    bench.loop()
    annotate(bench, 10)
    bench.loop()
    assert len(files.asked) == TASKS


def test_a_loop_is_replayed_to_the_bit(make_bench):
    bench = make_bench()
    annotate(bench, 20)
    bench.loop()
    assert replay(bench.workspace, bench.workspace.loops.newest().id).is_exact
