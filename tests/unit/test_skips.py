"""What people skip teaches: its like wait, somebody is asked once, and what fits a later class comes back."""

from functools import partial

import numpy as np
import pytest

from backend.database import NovelGroup
from backend.errors import BadRequest, NotFound
from backend.label_studio.label_config import parse_label_config
from backend.workflows.findings.classes import add_class, put_label, reject_group
from backend.workflows.findings.skip_answers import answer_skips, reopen_skips
from backend.workflows.intake.second_looks import second_looks
from backend.workflows.project.hints import is_due
from backend.workflows.record import replay
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.skips import read_skips
from backend.workflows.work import run_pending
from model.ranking import LaneQueue, rank
from model.records import Embeddings
from model.skips import wait_for_skips
from model.strategies.inputs import StrategyInput
from tests.answers import form_token
from tests.topics import topic_of, write_texts

SECOND = 2


@pytest.fixture
def project_id(label_studio):
    """A project with labels for cats and dogs, half of whose texts are about birds."""
    return label_studio.add_project(texts=write_texts(120, topics=("cats", "birds", "dogs", "birds")))


@pytest.fixture
def skipping(workbench, bring_to):
    """The same after two loops in which people answered cats and dogs and skipped birds."""

    def act():
        workbench.label_studio.keep_real_time()
        workbench.connect()
        for _ in range(2):
            answer(workbench, 10)
            workbench.loop()

    return bring_to("skipping", workbench, act)


def topic(bench, task_id):
    return topic_of(bench.tasks[task_id]["data"]["text"])


def answer(bench, count):
    """Answer the next tasks truly, and skip those that are about birds."""
    for _ in range(count):
        task = bench.label_studio.serve_next(bench.project_id)
        said = topic(bench, task["id"])
        bench.label_studio.annotate(task["id"], None if said == "birds" else said, cancelled=said == "birds")


def birds(bench, task_ids):
    return [task_id for task_id in task_ids if topic(bench, task_id) == "birds"]


def labels_of(bench):
    return [label.name for label in parse_label_config(bench.remote["label_config"]).labels]


def a_cloud(count, centre, *, first_id, spread=0.4, seed=0):
    rng = np.random.default_rng([seed, first_id])
    vectors = np.eye(16)[centre] + spread * rng.normal(size=(count, 16)) / 4
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(np.arange(first_id, first_id + count), vectors.astype(np.float32), "clouds")


def both(some, others):
    ids = np.concatenate([some.ids, others.ids])
    return Embeddings(ids, np.concatenate([some.vectors, others.vectors]), some.encoder)


def test_the_like_of_what_was_skipped_waits_and_nothing_else():
    pool = both(a_cloud(20, 0, first_id=100), a_cloud(20, 1, first_id=200))
    found = wait_for_skips(a_cloud(9, 0, first_id=1), a_cloud(4, 1, first_id=50), pool, seed=0)
    assert sorted(found.ids.tolist()) == list(range(200, 220))
    assert (np.diff(found.probabilities) >= 0).all() and found.probabilities.min() > 0.3


@pytest.mark.parametrize(("answered", "skipped"), [(0, 9), (1, 9), (9, 2), (9, 0)])
def test_too_few_answers_or_skips_teach_nothing(answered, skipped):
    pool = a_cloud(20, 1, first_id=100)
    found = wait_for_skips(a_cloud(answered, 0, first_id=1), a_cloud(skipped, 1, first_id=50), pool, seed=0)
    assert not len(found.ids)


def test_skips_scattered_among_the_answers_mostly_teach_nothing():
    acted = 0
    for seed in range(20):
        pool, everything = a_cloud(30, 0, first_id=200), a_cloud(40, 0, first_id=1, seed=seed)
        found = wait_for_skips(
            everything.take(np.arange(8, 40)), everything.take(np.arange(8)), pool, seed=seed
        )
        acted += len(found.ids) > 0
    assert acted <= 8


def test_the_order_of_rows_says_nothing():
    answered, skipped = a_cloud(9, 0, first_id=1), a_cloud(5, 1, first_id=50)
    pool = both(a_cloud(20, 0, first_id=100), a_cloud(20, 1, first_id=200))
    turned = [items.take(np.arange(len(items))[::-1]) for items in (answered, skipped, pool)]
    plain = wait_for_skips(answered, skipped, pool, seed=3)
    assert len(plain.ids) and wait_for_skips(*turned, seed=3).ids.tolist() == plain.ids.tolist()


def test_tasks_like_skipped_ones_wait_behind_the_others(skipping):
    blind = {task_id for task_id in skipping.window if not skipping.result_of(task_id)}
    others = [task_id for task_id in skipping.window if task_id not in blind]
    assert len(others) >= 7 and not birds(skipping, others)
    view = read_skips(skipping.workspace)
    assert view.waiting == sum(question.waiting for question in view.questions) > 20


def test_blind_tasks_come_whatever_they_are_about():
    rng = np.random.default_rng(0)
    pool = both(a_cloud(40, 0, first_id=100), a_cloud(40, 1, first_id=200))
    rank_it = partial(
        rank,
        StrategyInput(pool=pool, probabilities=None, labelled=pool.take(np.arange(0)), batch=10),
        strategy="random",
        window=20,
        audit=np.arange(80) % 8 == 7,
        audit_order=rng.random(80),
        share=0.15,
        queues=[LaneQueue("novelty", np.array([230, 231]), 0.1)],
    )
    behind = np.arange(239, 199, -1)
    plain, taught = (rank_it(rng=np.random.default_rng(1), behind=ids) for ids in (None, behind))
    places = [
        [
            (place, int(item))
            for place, (item, lane) in enumerate(zip(found.ids, found.lanes, strict=True))
            if lane in ("audit", "novelty")
        ]
        for found in (plain, taught)
    ]
    assert places[0] == places[1] and len(taught) == 80
    others = [
        int(item)
        for item, lane in zip(taught.ids, taught.lanes, strict=True)
        if lane in ("informative", "rest")
    ]
    waited = [item for item in others if item >= 200]
    assert others[-len(waited) :] == waited == sorted(waited, reverse=True)
    nobody = rank_it(rng=np.random.default_rng(1), behind=np.zeros(0, dtype=np.int64))
    assert nobody.ids.tolist() == plain.ids.tolist()


def test_a_loop_with_waiting_tasks_can_be_replayed_bit_for_bit(skipping):
    newest = skipping.workspace.loops.newest_eventful(1)[0]
    found = replay(skipping.workspace, newest.id)
    assert found.is_exact and found.tasks == 120


def test_the_second_loop_does_nothing_though_tasks_wait(skipping):
    assert skipping.loop().outcome == "unchanged"


def test_what_was_skipped_with_its_like_gets_no_second_look(skipping):
    assert read_skips(skipping.workspace).questions
    assert second_looks(skipping.workspace) == []
    assert topic(skipping, skipping.served(1, user=SECOND)[0]) != "birds"


def question_of(bench):
    (question,) = read_skips(bench.workspace).questions
    return question


def test_somebody_is_asked_once_in_plain_words(skipping):
    question = question_of(skipping)
    like = f"of different kinds, like {question.skipped} tasks that people skipped"
    assert question.words == f"{question.waiting} open tasks, {like}"
    assert set(birds(skipping, question.typical)) == set(question.typical)
    answer(skipping, 6)
    skipping.loop()
    assert question.number in [again.number for again in read_skips(skipping.workspace).questions]


@pytest.mark.parametrize("settled", ["exclude", "ask"])
def test_an_answer_holds_for_all_that_comes_later(skipping, settled):
    number = question_of(skipping).number
    answer_skips(skipping.workspace, number, settled, name="", by="Ann")
    for _ in range(2):
        skipping.loop()
        answer(skipping, 8)
    skipping.loop()
    assert read_skips(skipping.workspace).questions == ()
    group = skipping.workspace.skip_groups.find(number)
    assert group.state == settled
    decided = skipping.workspace.decisions.newest(1)[0]
    assert (decided.kind, decided.decided_by) == (f"skips-{settled}", "Ann")


def test_who_wants_to_be_asked_on_is_asked_on(skipping):
    answer_skips(skipping.workspace, question_of(skipping).number, "ask", name="", by="Ann")
    skipping.loop()
    assert birds(skipping, skipping.window)
    assert read_skips(skipping.workspace).waiting == 0


def test_a_new_class_brings_back_what_was_skipped_before_it(skipping):
    question = question_of(skipping)
    skipped = {task_id for task_id in skipping.tasks if skipping.tasks[task_id]["annotations"]}
    skipped &= set(birds(skipping, skipping.tasks))
    answer_skips(skipping.workspace, question.number, "class", name="birds", by="Ann")
    assert labels_of(skipping)[-1] == "birds"
    skipping.loop()
    (again,) = read_skips(skipping.workspace).reopenings
    assert (again.label, again.tasks) == ("birds", len(skipped))
    assert again.words == f"{len(skipped)} tasks that people skipped look like “birds”"
    flagged = {
        task_id for task_id, task in skipping.tasks.items() if task["data"].get("nextlabel_flag") == "skipped"
    }
    assert flagged == skipped
    assert skipping.label_studio.tabs[again.tab]["data"]["title"] == "Look again"
    assert reopen_skips(skipping.workspace, again.number, by="Ann") == len(skipped)
    assert not any(skipping.tasks[task_id]["annotations"] for task_id in skipped)
    skipping.loop()
    assert read_skips(skipping.workspace).reopenings == ()
    reopened = [task_id for task_id in skipping.window if task_id in skipped]
    assert reopened
    assert skipping.result_of(reopened[0])[0]["value"]["choices"] == ["birds"]


def test_a_class_of_a_group_that_fits_no_label_brings_back_its_skipped_tasks(skipping):
    skipped = {task_id for task_id in skipping.tasks if skipping.tasks[task_id]["annotations"]}
    skipped &= set(birds(skipping, skipping.tasks))
    with skipping.context.database.session() as session:
        fields = {"name": "group 77", "typical": [], "version": skipping.version}
        members = birds(skipping, skipping.tasks)
        project = skipping.project.id
        session.add(NovelGroup(project_id=project, number=77, members=members, **fields))
    add_class(skipping.workspace, 77, name="birds", by="Ann")
    skipping.loop()
    (again,) = read_skips(skipping.workspace).reopenings
    assert (again.label, again.tasks) == ("birds", len(skipped))


def test_skipped_tasks_can_be_said_to_be_of_a_label_there_is(skipping):
    put_label(skipping.workspace, "birds")
    before = labels_of(skipping)
    answer_skips(skipping.workspace, question_of(skipping).number, "class", name=" birds", by="Ann")
    assert labels_of(skipping) == before
    skipping.loop()
    (again,) = read_skips(skipping.workspace).reopenings
    assert again.label == "birds"


def test_only_skips_are_taken_back(skipping):
    answer_skips(skipping.workspace, question_of(skipping).number, "class", name="birds", by="Ann")
    skipping.loop()
    (again,) = read_skips(skipping.workspace).reopenings
    task_id = skipping.workspace.skip_groups.find(again.number).skipped[0]
    skipping.label_studio.annotate(task_id, "birds", user=SECOND)
    reopen_skips(skipping.workspace, again.number, by="Ann")
    (left,) = skipping.tasks[task_id]["annotations"]
    assert left["completed_by"] == SECOND and not left["was_cancelled"]


def test_what_is_skipped_once_there_is_the_class_is_not_offered_again(skipping):
    answer_skips(skipping.workspace, question_of(skipping).number, "class", name="birds", by="Ann")
    skipping.loop()
    task_id = birds(skipping, skipping.served(60))[0]
    skipping.label_studio.skip(task_id)
    skipping.loop()
    (again,) = read_skips(skipping.workspace).reopenings
    assert task_id not in skipping.workspace.skip_groups.find(again.number).skipped


def test_wrong_answers_are_named(skipping):
    number = question_of(skipping).number
    with pytest.raises(BadRequest, match="no answer"):
        answer_skips(skipping.workspace, number, "never", name="", by="Ann")
    with pytest.raises(NotFound, match="no group 99"):
        answer_skips(skipping.workspace, 99, "ask", name="", by="Ann")
    with pytest.raises(BadRequest, match="already"):
        answer_skips(skipping.workspace, number, "class", name="Cats", by="Ann")
    with pytest.raises(BadRequest, match="waits for no such answer"):
        reopen_skips(skipping.workspace, number, by="Ann")
    assert question_of(skipping).number == number


def test_the_command_line_lists_settles_and_opens_again(skipping, run_command):
    context, number = skipping.context, question_of(skipping).number
    assert "that people skipped" in run_command(context, "skips", "list", "1").output
    done = run_command(context, "skips", "answer", "1", str(number), "class", "--name", "birds")
    assert "“birds” is a class now" in done.output
    skipping.loop()
    (again,) = read_skips(skipping.workspace).reopenings
    assert "look like “birds”" in run_command(context, "skips", "list", "1").output
    done = run_command(context, "skips", "reopen", "1", str(again.number))
    assert f"{again.tasks} skipped tasks will be asked again." in done.output
    skipping.loop()
    assert "Nothing that people skipped" in run_command(context, "skips", "list", "1").output


def test_skips_alone_start_a_loop_once_they_change_what_comes_next(workbench):
    workbench.label_studio.keep_real_time()
    workbench.connect(queue_window=40)
    run_pending(workbench.context, workbench.workspace.id)
    known = [task_id for task_id in workbench.window if topic(workbench, task_id) != "birds"]
    for task_id in known[:10]:
        workbench.label_studio.annotate(task_id, topic(workbench, task_id))
    run_pending(workbench.context, workbench.workspace.id)
    before = workbench.version
    for task_id in birds(workbench, workbench.window)[:10]:
        workbench.label_studio.skip(task_id)
    run_pending(workbench.context, workbench.workspace.id)
    assert workbench.version != before
    assert not is_due(workbench.workspace)


def test_the_page_asks_and_its_buttons_answer(skipping, make_app):
    question = question_of(skipping)
    card = next(
        card for card in build_dashboard(skipping.workspace)["waiting"] if card["key"].startswith("skips-")
    )
    assert card["title"] == f"People skipped {question.skipped} tasks like these"
    assert card["words"].startswith(
        f"They are of different kinds. {question.waiting} open tasks are like them"
    )
    assert "wait behind the others" in card["words"] and len(card["tasks"]) == 3
    assert {row["task"] for row in card["tasks"]} <= set(question.typical) and card["tasks"]
    page = make_app(skipping.context).test_client()
    token = form_token(page.get(f"/projects/{skipping.project_id}").text)
    for button in card["buttons"]:
        assert f'value="{button["fields"]["answer"]}"' in page.get(f"/projects/{skipping.project_id}").text
    form = {"csrf_token": token, "group": question.number, "answer": "class", "name": "birds"}
    assert page.post(f"/projects/{skipping.project_id}/skips/answer", data=form).status_code == 303
    assert labels_of(skipping)[-1] == "birds"
    skipping.loop()
    cards = {card["key"]: card for card in build_dashboard(skipping.workspace)["waiting"]}
    (again,) = (card for key, card in cards.items() if key.startswith("reopen-"))
    assert again["title"].endswith("skipped tasks again?") and again["links"]
    form = {"csrf_token": token, "group": again["buttons"][0]["fields"]["group"]}
    assert page.post(f"/projects/{skipping.project_id}/skips/reopen", data=form).status_code == 303
    assert read_skips(skipping.workspace).reopenings == ()


@pytest.mark.parametrize("number", [-1, 0, 2**31, 10**23])
def test_numbers_that_no_row_has_are_said_to_be_unknown(number, connected):
    workspace = connected.workspace
    for ask in (
        partial(reopen_skips, workspace, number, by="an admin"),
        partial(answer_skips, workspace, number, "ask", name="", by="an admin"),
        partial(add_class, workspace, number, name="birds", by="an admin"),
        partial(reject_group, workspace, number, by="an admin"),
    ):
        with pytest.raises(NotFound, match="has no group"):
            ask()
    assert workspace.loops.by_number(number) is None
