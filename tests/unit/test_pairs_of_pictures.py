"""Pairs whose sides are pictures: learned and answered by the sides alone, whichever stands left."""

import io

import numpy as np
import pytest
from PIL import Image

from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.record import replay
from backend.workflows.serving.predict import predict_tasks
from backend.workflows.views.dashboard.history import versions
from tests.pictures import COLD, WARM, FewPixels, draw

PAIR = '<Pairwise name="better" toName="left,right"/>'
SIDES = '<Image name="left" value="$one"/><Image name="right" value="$two"/>'
CONFIG = f'<View><Text name="prompt" value="$prompt"/>{SIDES}{PAIR}</View>'
QUESTION = parse_label_config(CONFIG).questions[0]
PAIRS = 30


def address_of(label, number):
    return f"/data/upload/1/{label}-{number}.png"


def pairs_of(count):
    """Pairs of a warm and a cold picture, the warm one now left, now right."""
    rows = []
    for number in range(count):
        sides = [address_of(WARM, number), address_of(COLD, number)][:: 1 if number % 2 else -1]
        rows.append({"one": sides[0], "two": sides[1], "prompt": f"Which is nicer, {number}?"})
    return rows


def swapped(row):
    return row | {"one": row["two"], "two": row["one"]}


def better_side(data):
    return "left" if WARM in str(data["one"]) else "right"


@pytest.fixture
def pair_files(picture_files):
    for number in range(PAIRS):
        for label in (WARM, COLD):
            picture_files.contents[address_of(label, number)] = draw(label, 1000 + number)
    return picture_files


def region(side):
    return {"from_name": "better", "to_name": "left", "type": "pairwise", "value": {"selected": side}}


def teach(bench, count):
    """Answers the next tasks of the window that have both sides, and runs a loop."""
    whole = [task_id for task_id in bench.window if "two" in bench.tasks[task_id]["data"]]
    for task_id in whole[:count]:
        bench.label_studio.submit(task_id, [region(better_side(bench.tasks[task_id]["data"]))])
    return bench.loop()


def items_of(bench, config=CONFIG):
    question = parse_label_config(config).questions[0]
    snapshot = take_snapshot(bench.workspace, parse_label_config(config))
    return snapshot.items.of(question, snapshot.embeddings)


def warmth(picture):
    """How much more red than blue there is, on average."""
    red, _green, blue = np.asarray(picture, dtype=np.float64).mean(axis=(0, 1))
    return red - blue


def sides_said(bench):
    said = {task_id: bench.result_of(task_id) for task_id in bench.window}
    return {task_id: regions[0]["value"]["selected"] for task_id, regions in said.items() if regions}


def test_pairs_of_pictures_go_through_the_loop_and_are_replayed_to_the_bit(make_picture_bench, pair_files):
    bench = make_picture_bench(CONFIG, pairs_of(PAIRS), queue_window=PAIRS, preannotate_floor=0.0)
    assert sides_said(bench) == {}
    assert teach(bench, 16).outcome == "published"
    said = sides_said(bench)
    right = [side == better_side(bench.tasks[task_id]["data"]) for task_id, side in said.items()]
    assert len(right) >= 8 and np.mean(right) >= 0.9
    assert {regions[0]["to_name"] for task_id in said if (regions := bench.result_of(task_id))} == {"left"}
    assert replay(bench.workspace, bench.workspace.loops.newest().id).is_exact
    assert len(pair_files.asked) == 2 * PAIRS
    assert bench.loop().outcome == "unchanged"


def test_the_head_sees_the_sides_alone_and_swapped_pairs_are_the_same_bits(make_picture_bench, pair_files):
    rows = pairs_of(10)
    bench = make_picture_bench(CONFIG, [*rows, *map(swapped, rows)])
    items = items_of(bench)
    width = FewPixels(5).dimensions
    assert items.vectors.shape == (20, 2 * width)
    first, second = items.vectors[:10], items.vectors[10:]
    assert np.array_equal(first, np.roll(second, width, axis=1))
    assert np.allclose(np.linalg.norm(first[:, :width], axis=1), 1.0, atol=1e-5)


def test_an_unseen_pair_and_its_mirror_are_answered_with_the_same_confidence(make_picture_bench, pair_files):
    bench = make_picture_bench(CONFIG, pairs_of(PAIRS), queue_window=PAIRS, preannotate_floor=0.0)
    teach(bench, 16)
    pair_files.contents |= {"/w.png": draw(WARM, 7), "/c.png": draw(COLD, 7)}
    row = {"one": "/w.png", "two": "/c.png", "prompt": "new"}
    data = [row, swapped(row), row | {"two": "/gone.png"}, {"one": "/w.png", "prompt": "new"}]
    tasks = [{"id": 9000 + place, "data": one} for place, one in enumerate(data)]
    there, mirrored, broken, lacking = predict_tasks(bench.workspace, tasks, parse_label_config(CONFIG))
    assert [one["result"][0]["value"]["selected"] for one in (there, mirrored)] == ["left", "right"]
    assert there["result"][0]["score"] == mirrored["result"][0]["score"]
    assert broken["result"] == lacking["result"] == []


def test_a_pair_with_a_picture_that_cannot_be_read_or_is_missing_is_served_without_a_side(
    make_picture_bench, pair_files
):
    rows = pairs_of(PAIRS)
    pair_files.contents[rows[3]["two"]] = b"no picture"
    del rows[4]["two"]
    bench = make_picture_bench(CONFIG, rows, queue_window=PAIRS, preannotate_floor=0.0)
    teach(bench, 16)
    unread, lacking = (sorted(bench.tasks)[place] for place in (3, 4))
    assert not {unread, lacking} & set(items_of(bench).ids.tolist())
    assert unread not in bench.window
    assert lacking in bench.window and not bench.result_of(lacking)
    assert bench.workspace.pictures.faults()[0].task_ids == (unread,)
    assert bench.workspace.tasks.count_missing_fields() == {"two": 1}
    assert {unread, lacking} <= set(bench.served(PAIRS))


def test_a_side_of_several_pages_is_their_mean(make_picture_bench, pair_files):
    config = CONFIG.replace('value="$two"', 'valueList="$two"')
    rows = [row | {"two": [row["two"], address_of(WARM, 0)]} for row in pairs_of(6)]
    bench = make_picture_bench(config, rows)
    items, width = items_of(bench, config), FewPixels(5).dimensions
    assert items.vectors.shape == (6, 2 * width)
    assert np.allclose(np.linalg.norm(items.vectors[:, width:], axis=1), 1.0, atol=1e-5)


def test_the_page_shows_both_sides_of_a_pair_as_they_stand(make_picture_bench, pair_files, make_app):
    rows = pairs_of(6)
    pair_files.contents[rows[3]["two"]] = b"no picture"
    bench = make_picture_bench(CONFIG, rows)
    client = make_app(bench.context).test_client()
    first, *_rest = tasks = sorted(bench.tasks)
    answer = client.get(f"/projects/{bench.project_id}/tasks/{first}/picture.jpg")
    both = Image.open(io.BytesIO(answer.data))
    assert (answer.mimetype, both.size) == ("image/jpeg", (70, 32))
    left, right = (warmth(both.crop((at, 0, at + 32, 32))) for at in (0, 38))
    assert (left > right) == (better_side(rows[0]) == "left")
    alone = client.get(f"/projects/{bench.project_id}/tasks/{tasks[3]}/picture.jpg")
    assert Image.open(io.BytesIO(alone.data)).size == (32, 32)


def test_a_model_of_before_the_first_answer_is_not_said_to_be_of_another_question(
    make_picture_bench, pair_files
):
    bench = make_picture_bench(CONFIG, pairs_of(PAIRS), queue_window=PAIRS)
    teach(bench, 16)
    newest, first = versions(bench.workspace)
    assert newest["is_active"] and first["can_serve"] and first["why_not"] == ""


def test_a_text_is_compared_with_a_picture(make_picture_bench, pair_files):
    config = f'<View><Text name="left" value="$prompt"/><Image name="right" value="$two"/>{PAIR}</View>'
    bench = make_picture_bench(config, pairs_of(8))
    items = items_of(bench, config)
    words, pixels = bench.context.encoder.get().dimensions, FewPixels(5).dimensions
    left, right = items.vectors[:, : words + pixels], items.vectors[:, words + pixels :]
    assert left.shape == right.shape == (8, words + pixels)
    assert left[:, :words].any(axis=1).all() and not left[:, words:].any()
    assert not right[:, :words].any() and right[:, words:].any(axis=1).all()


def test_a_picture_that_two_tags_show_is_found_by_either(make_picture_bench, pair_files):
    config = f'<View><Image name="again" value="$one"/>{SIDES}<Image name="more" value="$two"/>{PAIR}</View>'
    bench = make_picture_bench(config, pairs_of(6))
    assert len(items_of(bench, config)) == 6


def test_parts_are_found_where_the_tasks_were_encoded_before_anybody_asked_about_them(
    make_picture_bench, pair_files
):
    stars = CONFIG.replace(PAIR, '<Rating name="stars" toName="left"/>')
    bench = make_picture_bench(stars, pairs_of(6))
    bench.label_studio.change_project(bench.project_id, label_config=CONFIG)
    bench.loop()
    assert len(items_of(bench)) == 6
    assert len(pair_files.asked) == 12
