"""Projects of pictures: suggestions, order, audit, replay, and what cannot be read."""

import io

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select, update

from backend.database import Media
from backend.errors import BadRequest
from backend.label_studio.label_config import parse_label_config
from backend.workflows.connection.doctor import diagnose
from backend.workflows.intake.picture_looks import read_looks
from backend.workflows.intake.unread_pictures import unread_pictures
from backend.workflows.project.account import read_account
from backend.workflows.project.figures import Signals
from backend.workflows.record import replay
from backend.workflows.serving.predict import predict_by_names, predict_tasks
from backend.workflows.views.dashboard.synthetic import shown_verdicts
from backend.workflows.views.dashboard.waiting import find_waiting, gather
from backend.workflows.views.search import like_sentence, like_task
from model.encoders.image_folders import LITE0_FOLDER
from model.synthetic.items import VERDICTS
from tests.pictures import CHOICES, COLD, IMAGE, TASKS, WARM, address_of, draw, label_of


@pytest.fixture
def files(picture_files):
    return picture_files


@pytest.fixture
def make_bench(make_picture_bench):
    return make_picture_bench


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


def broken(files, *numbers):
    """Lets some files be none."""
    for number in numbers:
        files.contents[address_of(number)] = b"no picture"


def make_due(bench):
    """All pauses are over."""
    with bench.context.database.session() as session:
        session.execute(update(Media).values(retry_at=0.0))


def test_a_broken_picture_stops_nothing_and_is_served_without_a_suggestion(make_bench, files):
    broken(files, 3)
    del files.contents[address_of(4)]
    bench = make_bench()
    annotate(bench, 12)
    bench.loop()
    faults = bench.workspace.pictures.faults()
    assert {(group.reason, group.count) for group in faults} == {
        ("it is no picture of a format that is read", 1),
        ("the answer is 404", 1),
    }
    unread = {task for group in faults for task in group.task_ids}
    assert unread == {task for task, row in bench.tasks.items() if row["data"]["image"] in unread_addresses()}
    assert not unread.intersection(bench.window)
    said = next(one for one in diagnose(bench.context, bench.project_id) if one.check == "pictures")
    assert said.verdict == "warning"
    assert said.message.startswith(
        "2 pictures cannot be read: it is no picture of a format that is read (1: task "
    )
    cards = find_waiting(gather(bench.workspace, Signals(), read_account(bench.workspace)))
    assert [card.title for card in cards if card.key == "pictures"] == ["2 pictures cannot be read"]
    served = bench.served(TASKS)
    assert unread.issubset(served)
    assert not unread.intersection(served[: len(bench.window)])


def unread_addresses():
    return {address_of(3), address_of(4)}


def test_a_picture_is_tried_again_when_its_pause_is_over_and_when_its_task_changes(make_bench, files):
    broken(files, 3)
    bench = make_bench()
    asked = files.asked.count(address_of(3))
    bench.loop()
    assert files.asked.count(address_of(3)) == asked
    make_due(bench)
    bench.loop()
    assert files.asked.count(address_of(3)) == asked + 1
    files.contents[address_of(3)] = draw(WARM, 3)
    (task,) = (task for task, row in bench.tasks.items() if row["data"]["image"] == address_of(3))
    bench.label_studio.edit_task(task, {"image": address_of(3), "note": "mended"})
    bench.loop()
    assert files.asked.count(address_of(3)) == asked + 2
    assert bench.workspace.pictures.faults() == ()
    assert bench.workspace.pictures.thumbnail(task).startswith(b"\xff\xd8")


def test_connect_says_why_nothing_is_in_order_where_no_picture_can_be_read(make_bench):
    bench = make_bench(rows=[{"image": f"/data/upload/2/gone-{n}.png"} for n in range(3)])
    said = bench.connect().verdict
    assert said.startswith(
        "There is nothing to put in order: 3 pictures cannot be read: the answer is 404 (tasks "
    )


def test_answers_to_pictures_that_cannot_be_read_are_not_counted_as_learned(make_bench, files, make_app):
    broken(files, *range(10, TASKS))
    bench = make_bench()
    annotate(bench, 14)
    assert bench.loop().record.labels == 10
    account = read_account(bench.workspace)
    assert (
        account.words == "10 of 14 answered tasks can be learned from: 4 with a picture that cannot be read"
    )
    assert "doctor" in account.cure
    page = make_app(bench.context).test_client().get(f"/projects/{bench.project_id}").text
    assert "4 answers to pictures that cannot be read." in page and "without a label" not in page
    assert "nothing left to label" not in page and "nothing left whose picture can be read" in page
    window = next(one for one in diagnose(bench.context, bench.project_id) if one.check == "window")
    assert window.message.startswith("empty: everything whose picture can be read is labelled")


def test_answers_of_which_none_is_learned_are_answers(make_bench, files, make_app, run_command):
    broken(files, *range(TASKS))
    bench = make_bench()
    annotate(bench, 3)
    bench.loop()
    page = make_app(bench.context).test_client().get(f"/projects/{bench.project_id}").text
    assert "Nobody has answered yet" not in page
    assert "No answer is learned from yet: nothing is guessed before the first answer." in page
    said = run_command(bench.context, "status", str(bench.project_id)).output
    assert "nothing left whose picture can be read" in said


def test_answers_that_all_lost_their_label_are_answers_on_the_map_too(make_bench, make_app):
    bench = make_bench()
    annotate(bench, 12)
    bench.loop()
    renamed = '<Choices name="c" toName="i"><Choice value="hot"/><Choice value="icy"/></Choices>'
    bench.label_studio.change_project(bench.project_id, label_config=f"<View>{IMAGE}{renamed}</View>")
    bench.loop()
    page = make_app(bench.context).test_client().get(f"/projects/{bench.project_id}").text
    assert "Nobody has answered yet" not in page
    assert "No answer is learned from yet: nothing is guessed, and no task has a colour." in page


def test_hundreds_of_broken_pictures_end_in_one_loop(make_bench, files):
    gone = [f"/data/upload/2/gone-{n}.png" for n in range(500)]
    rows = [{"image": address} for address in [*gone, *(address_of(n % TASKS) for n in range(100))]]
    bench = make_bench(rows=rows)
    (group,) = bench.workspace.pictures.faults()
    assert (group.reason, group.count) == ("the answer is 404", 500)
    assert len(bench.window) == 10
    numbers = ", ".join(map(str, group.task_ids))
    said = f"500 pictures cannot be read: the answer is 404 (tasks {numbers}, …)"
    assert unread_pictures(bench.workspace).words == said


def test_several_choices_a_rating_and_a_text_beside_the_picture(make_bench):
    config = (
        f'<View>{IMAGE}<Text name="t" value="$text"/>'
        f'<Choices name="c" toName="i" choice="multiple">'
        f'<Choice value="{WARM}"/><Choice value="{COLD}"/></Choices>'
        '<Rating name="r" toName="i" maxRating="3"/></View>'
    )
    rows = [{"image": address_of(n), "text": f"picture number {n}"} for n in range(TASKS)]
    bench = make_bench(config, rows)
    for task_id in bench.served(14):
        label = label_of(bench.tasks[task_id]["data"]["image"])
        stars = 3 if label == WARM else 1
        bench.label_studio.submit(
            task_id,
            [
                {"from_name": "c", "to_name": "i", "type": "choices", "value": {"choices": [label]}},
                {"from_name": "r", "to_name": "i", "type": "rating", "value": {"rating": stars}},
            ],
        )
    bench.loop()
    regions = [bench.result_of(task_id) for task_id in bench.window]
    said = {region["from_name"] for result in regions for region in result}
    assert said == {"c", "r"}


def test_words_and_pictures_both_count(make_bench):
    config = f'<View>{IMAGE}<Text name="t" value="$text"/>{CHOICES}</View>'
    rows = [{"image": address_of(n), "text": "a warm day" if n % 2 else "a cold day"} for n in range(TASKS)]
    bench = make_bench(config, rows)
    vectors = bench.workspace.tasks.read_vectors(bench.workspace.encoder.revision)
    found = np.stack([np.frombuffer(one, dtype=np.float32) for one in vectors.values()])
    words = bench.context.encoder.get().dimensions
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    assert np.allclose(np.linalg.norm(found[:, :words], axis=1), 0.5**0.5, atol=1e-5)
    assert suggestions(bench) != {}


def test_live_answers_look_at_pictures_within_their_time(make_bench, files, monkeypatch):
    bench = make_bench()
    annotate(bench, 20)
    bench.loop()
    files.contents["/new-1.png"] = draw(WARM, 1001)
    config = parse_label_config(bench.remote["label_config"])
    tasks = [{"id": 9001, "data": {"image": "/new-1.png"}}, {"id": 9002, "data": {"image": "/gone.png"}}]
    first, second = predict_tasks(bench.workspace, tasks, config)
    assert [region["value"]["choices"] for region in first["result"]] == [[WARM]]
    assert second["result"] == []
    before = len(files.asked)
    predict_tasks(bench.workspace, tasks, config)
    assert len(files.asked) == before
    monkeypatch.setattr("backend.workflows.serving.predict._BUDGET_S", 0.0)
    files.contents["/late.png"] = draw(WARM, 1002)
    (late,) = predict_tasks(bench.workspace, [{"id": 9003, "data": {"image": "/late.png"}}], config)
    assert late["result"] == []


def test_pictures_of_tasks_that_are_not_there_are_no_fault_of_the_project(make_bench):
    bench = make_bench()
    config = parse_label_config(bench.remote["label_config"])
    tasks = [{"id": 99_999, "data": {"image": "/gone-1.png"}}, {"data": {"image": "/gone-2.png"}}]
    predict_tasks(bench.workspace, tasks, config)
    assert bench.workspace.pictures.faults() == ()
    known = {"id": bench.window[0], "data": {"image": "/gone-3.png"}}
    predict_tasks(bench.workspace, [known], config)
    assert [group.count for group in bench.workspace.pictures.faults()] == [1]


def test_tasks_of_an_unknown_project_are_answered_with_nothing(make_bench):
    bench = make_bench()
    config = parse_label_config(bench.remote["label_config"])
    (answer,) = predict_by_names(bench.context, [{"id": 1, "data": {"image": address_of(1)}}], config)
    assert answer["result"] == []


@pytest.mark.skipif(not LITE0_FOLDER.is_dir(), reason="EfficientNet-Lite0 is not installed")
def test_the_network_that_is_installed_looks_at_pictures(make_bench):
    bench = make_bench(image_encoder="")
    encoder = bench.context.encoders.images
    assert encoder.revision == encoder.get().revision
    assert len(bench.window) == 10
    assert len(bench.workspace.tasks.read_vectors(bench.workspace.encoder.revision)) == TASKS


def test_the_page_loads_small_pictures_of_tasks(make_bench, make_app):
    bench = make_bench()
    client = make_app(bench.context).test_client()
    task_id = bench.window[0]
    answer = client.get(f"/projects/{bench.project_id}/tasks/{task_id}/picture.jpg")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(answer.data)).size == (32, 32)
    (card,) = client.get(f"/projects/{bench.project_id}/tasks.json?task={task_id}").json["tasks"]
    assert card["picture"] is True
    page = client.get(f"/projects/{bench.project_id}").text
    assert f'data-picture="{bench.project_id}/tasks/0/picture.jpg"' in page
    missing = client.get(f"/projects/{bench.project_id}/tasks/99999/picture.jpg")
    assert (missing.status_code, missing.json["error"]["code"]) == (404, "not-found")


def test_a_group_of_a_possible_new_class_shows_its_pictures(make_bench, make_app):
    bench = make_bench()
    members = bench.window[:10]
    row = bench.workspace.groups.new(1, name="stripes", version=bench.version)
    row.members, row.typical = list(members), list(members)
    bench.workspace.groups.renew([row], gone=[])
    page = make_app(bench.context).test_client().get(f"/projects/{bench.project_id}").text
    assert all(f'src="{bench.project_id}/tasks/{one}/picture.jpg"' in page for one in members[:3])


def test_pictures_alone_are_like_tasks_and_not_like_sentences(make_bench):
    bench = make_bench()
    task_id = bench.window[0]
    found = like_task(bench.workspace, task_id, count=10)
    alike = {label_of(bench.tasks[one]["data"]["image"]) for one in found}
    assert found[0] == task_id and alike == {label_of(bench.tasks[task_id]["data"]["image"])}
    with pytest.raises(BadRequest, match="pictures alone"):
        like_sentence(bench.workspace, "a red disc", count=5)


def look_of_each(bench):
    """What is kept of the look of each picture, by the hash of its address."""
    with bench.context.database.session() as session:
        return dict(session.execute(select(Media.address_hash, Media.look)).all())


@pytest.fixture
def make_synthetic(make_bench, files):
    """60 real tasks, 40 of them labelled, and 16 synthetic ones: copies, small copies, and new pictures."""
    made = []
    for n in range(16):
        address, base = f"/data/upload/3/made-{n}.png", n % 4
        label = label_of(address_of(base))
        if n < 4:
            files.contents[address] = files.contents[address_of(base)]
        elif n < 8:
            out = io.BytesIO()
            Image.open(io.BytesIO(files.contents[address_of(base)])).resize((28, 28)).save(out, "PNG")
            files.contents[address] = out.getvalue()
        else:
            files.contents[address] = draw(label, 100 + n)
        made.append({"image": address, "source": "synthetic", "label": label, "generator": "A"})
    bench = make_bench(rows=[*({"image": address_of(n)} for n in range(TASKS)), *made])
    for task_id, task in list(bench.tasks.items())[:40]:
        bench.label_studio.annotate(task_id, label_of(task["data"]["image"]), user=1)
    bench.loop()
    return bench


def test_synthetic_pictures_have_verdicts_that_name_the_picture_they_repeat(make_synthetic, make_app):
    bench = make_synthetic
    numbers = list(bench.tasks)
    found = {row.task_id: row for row in bench.workspace.verdicts.of_kinds(VERDICTS)}
    assert sorted(found) == numbers[TASKS:]
    copies = [found[numbers[TASKS + n]] for n in range(4)]
    assert [row.duplicate_of for row in copies] == numbers[:4]
    assert copies[0].reason == f"The same picture as real item {numbers[0]} ({COLD})."
    assert [row.verdict for row in copies] == ["redundant"] * 4
    assert sum(found[one].duplicate_of is not None for one in numbers[TASKS + 8 :]) <= 2
    page = make_app(bench.context).test_client().get(f"/projects/{bench.project_id}").text
    assert "Pictures that harm or repeat others" in page
    shown = shown_verdicts(bench.workspace)
    assert 1 < len(shown) <= 6
    for one in shown:
        assert one["reason"] in page
        assert one["rows"][0]["caption"] == f"synthetic task {one['task']}"
        assert f"task {found[one['task']].duplicate_of}</span>" in page
        assert [row["task"] for row in one["rows"]] == [one["task"], found[one["task"]].duplicate_of]
        for row in one["rows"]:
            assert f'src="{bench.project_id}/tasks/{row["task"]}/picture.jpg"' in page


def test_pictures_read_before_looks_were_kept_are_looked_at_again_and_not_fetched(make_synthetic, files):
    bench = make_synthetic
    before, asked = look_of_each(bench), len(files.asked)
    assert all(before.values())
    kept = read_looks(bench.workspace, list(bench.tasks))
    with bench.context.database.session() as session:
        session.execute(update(Media).values(look=None))
    again = read_looks(bench.workspace, list(bench.tasks))
    assert np.array_equal(again.hashes, kept.hashes)
    assert np.array_equal(again.statistics, kept.statistics)
    assert list(again.contents) == list(kept.contents)
    assert (look_of_each(bench), len(files.asked)) == (before, asked)
