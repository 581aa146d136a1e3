"""What orders the tasks of a project follows from what it asks, not from what is learned already."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.record import replay
from backend.workflows.serving import window
from backend.workflows.serving.serving import load_serving
from tests.pictures import CHOICES, IMAGE

ONE = f"<View>{IMAGE}{CHOICES}</View>"
TINT = CHOICES.replace('name="c"', 'name="tint"')
TWO = f"<View>{IMAGE}{CHOICES}{TINT}</View>"


def ordered_by(bench):
    return bench.workspace.loops.newest_published(1)[0].figures["strategy"]


@pytest.mark.parametrize("wanted", ["auto", "margin"])
def test_two_questions_of_which_none_is_learned_are_ordered_by_largest_need(wanted, make_picture_bench):
    bench = make_picture_bench(TWO, strategy=wanted)
    assert ordered_by(bench) == "largest-need"
    assert replay(bench.workspace, 1).is_exact


@pytest.mark.parametrize(("wanted", "found"), [("auto", "balanced-herding"), ("margin", "margin")])
def test_one_single_choice_is_ordered_by_what_is_set(wanted, found, make_picture_bench):
    assert ordered_by(make_picture_bench(ONE, strategy=wanted)) == found


@pytest.mark.parametrize("then", ["balanced-herding", "random"])
def test_a_loop_that_another_strategy_ordered_replays_as_it_was(then, make_picture_bench, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(window, "_strategy", lambda *_: then)
        bench = make_picture_bench(TWO)
    assert ordered_by(bench) == then
    assert replay(bench.workspace, 1).is_exact


def test_while_only_one_is_learned_largest_need_is_the_order_of_that_one(make_picture_bench):
    workspace = make_picture_bench(TWO).workspace
    config = parse_label_config(TWO)
    snapshot = take_snapshot(workspace, config)
    serving = load_serving(workspace, snapshot, config=config, version=workspace.state.active_version)
    orders = [
        window.rank_pool(workspace, serving, strategy=name).ids.tolist()
        for name in ("largest-need", "balanced-herding", "random")
    ]
    assert orders[0] == orders[1] != orders[2]
