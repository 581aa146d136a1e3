"""What is said of pictures that cannot be read: how many, why, in which tasks, and the way out."""

import io

import pytest
from rich.console import Console

from backend import report
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.media.errors import AddressRefused
from backend.simulation.left_out import left_out_note
from backend.store.pictures import FaultGroup
from backend.workflows.connection.doctor import diagnose
from backend.workflows.intake.unread_pictures import UnreadPictures
from backend.workflows.project.account import read_account
from backend.workflows.project.figures import Signals
from backend.workflows.serving.predict import predict_tasks
from backend.workflows.views.dashboard.waiting import find_waiting, gather
from backend.workflows.views.status import project_status
from tests.pictures import CHOICES, IMAGE, TASKS, address_of

PRIVATE = FaultGroup("10.0.0.9 is a private address", 1, (222,))
BROKEN = FaultGroup("it is no picture", 1, (1,))
MANY = FaultGroup("the answer is 404", 9, (3, 4, 5))


def printed(print_it, what):
    stream = io.StringIO()
    print_it(Console(file=stream, width=300), what)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ((BROKEN,), "1 picture cannot be read: it is no picture (task 1)"),
        ((MANY,), "9 pictures cannot be read: the answer is 404 (tasks 3, 4, 5, …)"),
        (
            (PRIVATE, BROKEN),
            "2 pictures cannot be read: 10.0.0.9 is a private address (1: task 222); "
            "it is no picture (1: task 1)",
        ),
    ],
)
def test_counts_do_not_read_as_the_numbers_of_a_list(groups, words):
    assert UnreadPictures(groups).words == words


def test_one_picture_has_its_task_and_several_have_their_tasks():
    assert UnreadPictures((BROKEN,)).outlook.startswith("Its task comes without")
    assert UnreadPictures((BROKEN, PRIVATE)).outlook.startswith("Their tasks come without")


@pytest.mark.parametrize(("groups", "is_named"), [((PRIVATE, MANY), True), ((BROKEN, MANY), False)])
def test_the_way_out_is_named_where_it_is_one(groups, is_named):
    assert ("MEDIA_ALLOW" in UnreadPictures(groups).outlook) == is_named


@pytest.fixture
def bench(make_picture_bench, picture_files, monkeypatch):
    """A project of pictures of which one lies at a private address."""
    fetch = picture_files.fetch

    def refuse(address, *, task_id):
        if address == address_of(3):
            raise AddressRefused("10.0.0.9 is a private address")
        return fetch(address, task_id=task_id)

    monkeypatch.setattr(picture_files, "fetch", refuse)
    return make_picture_bench()


def test_connect_status_doctor_and_page_say_the_same(bench):
    (task,) = (task for task, row in bench.tasks.items() if row["data"]["image"] == address_of(3))
    words = f"1 picture cannot be read: 10.0.0.9 is a private address (task {task})"
    said = printed(report.print_connect, bench.connect())
    assert f"{words}. Its task comes" in said and "MEDIA_ALLOW" in said
    row = project_status(bench.workspace)
    assert (row["unread_pictures"], row["unread_words"]) == (1, words)
    assert words in printed(report.print_statuses, [row])
    found = {one.check: one for one in diagnose(bench.context, bench.project_id)}
    assert found["pictures"].message == words and "MEDIA_ALLOW" in found["pictures"].cure
    assert found["tasks"].message == f"all {TASKS} tasks have the address of a picture in image"
    cards = find_waiting(gather(bench.workspace, Signals(), read_account(bench.workspace)))
    (card,) = (card for card in cards if card.key == "pictures")
    assert "Its task comes" in card.words and "MEDIA_ALLOW" in card.words


def test_where_all_can_be_read_nothing_is_said(make_picture_bench):
    bench = make_picture_bench()
    row = project_status(bench.workspace)
    assert (row["unread_pictures"], row["unread_words"]) == (0, "")
    assert "cannot be read" not in printed(report.print_statuses, [row])


def test_served_alone_its_task_shows_no_sure_score(bench):
    (task,) = (row for row in bench.tasks.values() if row["data"]["image"] == address_of(3))
    config = parse_label_config(f"<View>{IMAGE}{CHOICES}</View>")
    (told,) = predict_tasks(bench.workspace, [task], config)
    assert (told["result"], told["score"]) == ([], 0.5)


def test_doctor_names_the_encoder_of_pictures_and_that_of_texts_only_where_a_text_is_shown(
    bench, make_picture_bench
):
    def named(one):
        return {row.check: row.message for row in diagnose(one.context, one.project_id)}["encoder"]

    images, texts = bench.context.encoders.images.revision, bench.context.encoder.revision
    assert named(bench) == f"there: {images} for pictures"
    text = '<Text name="t" value="$text"/>'
    both = make_picture_bench(
        f"<View>{text}{IMAGE}{CHOICES}</View>",
        [{"image": address_of(n), "text": f"picture {n}"} for n in range(20)],
    )
    assert named(both) == f"there: {texts} and {images} for pictures"


def test_one_row_is_left_out_and_has_what_several_have():
    assert left_out_note([("a", "have no text")], of=9) == "1 of 9 rows is left out: 1 has no text (a)."
    said = left_out_note([("a", "have no text"), ("b", "have no text")], of=9)
    assert said == "2 of 9 rows are left out: 2 have no text (a, b)."
