"""A project of pictures is spoken of as one: no sentence says text where a picture is meant."""

import re
from collections import Counter

import numpy as np
import pytest

from backend.errors import BadRequest
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.shown_noun import EITHER, PICTURE, TEXT, shown_noun
from backend.workflows.connection.doctor import diagnose
from backend.workflows.findings.group_names import propose_names
from backend.workflows.findings.selections import ask_next
from backend.workflows.intake.readable import find_gaps
from backend.workflows.project.account import read_account
from backend.workflows.project.figures import Signals
from backend.workflows.project.skip_states import OPEN
from backend.workflows.views.dashboard.novelty import novel_groups
from backend.workflows.views.dashboard.points import read_cards
from backend.workflows.views.dashboard.synthetic import synthetic_view
from backend.workflows.views.dashboard.waiting import find_waiting, gather
from backend.workflows.views.search import like_task
from model.novelty.decided import Decisions
from model.novelty.grouping import Group
from model.records import Embeddings
from tests.pictures import CHOICES, IMAGE, WARM, address_of

TEXTS = re.compile(r"\btexts?\b", re.IGNORECASE)


def visible(page):
    """What people read of a page, titles and placeholders among it."""
    said = re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', page)
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    return " ".join([bare, *said])


@pytest.fixture
def gappy(make_picture_bench):
    """Some tasks without a picture, some with one that is gone."""
    rows = [{"image": address_of(n), "place": "zoo"} for n in range(30)]
    return make_picture_bench(rows=[*rows, {"image": ""}, {"image": "/gone.png"}])


def test_page_and_doctor_say_picture(gappy, make_app):
    gappy.label_studio.annotate(gappy.window[0], WARM, user=1)
    (bare,) = [task_id for task_id, task in gappy.tasks.items() if not task["data"]["image"]]
    gappy.label_studio.annotate(bare, WARM, user=1)
    gappy.loop()
    page = visible(make_app(gappy.context).test_client().get(f"/projects/{gappy.project_id}").text)
    assert "similar pictures lie near each other" in page and not TEXTS.findall(page)
    found = {one.check: one for one in diagnose(gappy.context, gappy.project_id)}
    assert "1 of 32 tasks have no picture in field image" in found["tasks"].message
    assert "picture from image" in found["labeling config"].message
    said = [words for one in found.values() if one.check != "language" for words in (one.message, one.cure)]
    assert not TEXTS.findall(" ".join(said))
    account = read_account(gappy.workspace)
    assert "1 without a picture" in account.words and "Tasks without a picture" in account.cure
    with pytest.raises(BadRequest, match="no picture that was read"):
        like_task(gappy.workspace, bare, count=2)
    with pytest.raises(BadRequest) as refused:
        ask_next(gappy.workspace, [bare], by="somebody")
    assert "without a picture" in refused.value.hint


@pytest.mark.parametrize(
    ("shows", "noun"),
    [
        ('<Text name="t" value="$text"/>', TEXT),
        (IMAGE, PICTURE),
        (f'<Text name="t" value="$text"/>{IMAGE}', EITHER),
        ("<Header value='All the same'/>", TEXT),
    ],
)
def test_the_noun_follows_from_what_is_shown(shows, noun):
    assert shown_noun(f"<View>{shows}{CHOICES}</View>") is noun


def test_a_field_that_is_missing_is_called_what_it_holds(make_picture_bench):
    config = f'<View><Text name="t" value="$text"/>{IMAGE}{CHOICES}</View>'
    bench = make_picture_bench(
        config, [{"image": address_of(n)} for n in range(3)] + [{"text": "", "image": ""}]
    )
    (said,) = [one for one in diagnose(bench.context, bench.project_id) if one.check == "tasks"]
    assert "4 of 4 tasks have no text in field text" in said.message
    assert "1 of 4 tasks have no text or picture in any of the fields text, image" in said.message
    assert find_gaps(bench.workspace, parse_label_config(bench.remote["label_config"])).noun is EITHER


def test_groups_are_named_by_fields_and_files_and_else_by_number(make_picture_bench):
    rows = [{"image": address_of(n), "kind": "red panda" if n < 9 else ""} for n in range(30)]
    bench = make_picture_bench(rows=rows)
    ids = sorted(bench.tasks)

    class Seen:
        embeddings = Embeddings(np.array(ids), np.zeros((len(ids), 2), np.float32), "none")

    class Learned:
        seen = Seen

    groups = [Group(tuple(ids[:9]), 0.9), Group((ids[9], ids[20], ids[25]), 0.8)]
    assert propose_names(bench.workspace, Learned, groups) == ["red panda", ""]


def test_what_has_no_name_is_held_by_no_name():
    nothing = Decisions([], np.zeros((0, 2), np.float32), 2.0)
    assert not nothing.hold(Group((1, 2, 3), 0.9), "", Embeddings(np.array([1]), np.ones((1, 2)), "none"))


def test_a_group_without_a_name_shows_eight_pictures_and_asks_for_one(make_picture_bench):
    bench = make_picture_bench()
    members = bench.window[:10]
    row = bench.workspace.groups.new(3, name="group 3", version=bench.version)
    row.members, row.typical = list(members), list(members[:3])
    bench.workspace.groups.renew([row], gone=[])
    (group,) = novel_groups(bench.workspace)
    assert (group["name"], group["label"], len(group["typical"])) == ("group 3", "", 8)
    found = gather(bench.workspace, Signals(), read_account(bench.workspace))
    (card,) = [card for card in find_waiting(found) if card.key == "group-3"]
    assert all(shown["picture"] and not shown["text"] for shown in card.tasks)
    assert card.buttons[0].ask.value == ""


def test_a_card_of_the_map_says_of_which_possible_class_a_task_is(make_picture_bench):
    bench = make_picture_bench()
    members = bench.window[:6]
    row = bench.workspace.groups.new(3, name="group 3", version=bench.version)
    row.members, row.typical = list(members), list(members[:3])
    bench.workspace.groups.renew([row], gone=[])
    note = bench.tasks[members[0]]["data"]["nextlabel_note"]
    first, other = read_cards(bench.workspace, [members[0], bench.window[8]])
    assert first["why"] == f"Possible new class: group 3. {note}" and "group 3" not in other["why"]


def test_a_map_without_some_tasks_calls_itself_no_sample(gappy, make_app):
    page = make_app(gappy.context).test_client().get(f"/projects/{gappy.project_id}").text
    assert (
        "30 of 32 tasks, those whose picture could be read; similar pictures" in page
        and "random sample" not in page
    )
    assert "The answer is 404 (task 32)" in page and ">Open task 32<" in page


def test_skipped_pictures_are_shown_eight_at_a_time_and_a_group_without_a_name_asks_for_one(
    make_picture_bench,
):
    bench = make_picture_bench()
    row = bench.workspace.skip_groups.new(2, name="group 2", state=OPEN)
    row.skipped, row.waiting = bench.window[:9], bench.window[9:10]
    bench.workspace.skip_groups.renew([row], gone=[])
    (card,) = [
        card
        for card in find_waiting(gather(bench.workspace, Signals(), read_account(bench.workspace)))
        if card.key == "skips-2"
    ]
    assert card.title == "People skipped 9 tasks like these" and len(card.tasks) == 8
    assert card.words.startswith("1 open task is like them, and waits behind the others")
    assert card.buttons[0].ask.value == ""


def test_synthetic_pictures_are_not_called_texts(make_picture_bench):
    made = {"source": "synthetic", "label": WARM, "generator": "A"}
    bench = make_picture_bench(rows=[{"image": address_of(n)} | (made if n > 50 else {}) for n in range(60)])
    said = synthetic_view(bench.workspace, Signals(), flagged=Counter())
    assert said["words"].startswith("Tasks that a program made") and not TEXTS.findall(said["words"])
