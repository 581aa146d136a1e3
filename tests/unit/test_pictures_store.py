"""What is kept of the pictures of a project."""

import pytest

from backend.database import Database, Project
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task
from backend.store.embeddings import Vectors
from backend.store.pictures import Fault, FaultGroup, Picture, Pictures
from backend.store.tasks import Tasks

CONFIG = parse_label_config(
    '<View><Image name="i" valueList="$pages"/>'
    '<Choices name="c" toName="i"><Choice value="A"/><Choice value="B"/></Choices></View>'
)


@pytest.fixture
def database(tmp_path):
    return Database(f"sqlite:///{tmp_path}/fresh.db", lock_folder=tmp_path)


@pytest.fixture
def project(database):
    with database.session() as session:
        row = Project(label_studio_id=1, created_stamp=2)
        session.add(row)
    return row.id


@pytest.fixture
def vectors(database, tmp_path):
    return Vectors(database, tmp_path / "vectors")


@pytest.fixture
def pictures(database, project, vectors):
    return Pictures(database, project, vectors)


def write_tasks(database, project, vectors, **pages):
    states = [
        read_task({"id": int(name[1:]), "data": {"pages": shown}, "annotations": []}, CONFIG)
        for name, shown in pages.items()
    ]
    Tasks(database, project, vectors).write(states)
    return {state.task_id: state for state in states}


def read(address, task_id=1, content="0" * 64):
    return Picture(address, task_id, content, 10, 4, 3, b"jpeg of " + address.encode())


def write_vector(vectors, encoder, content):
    vectors.write(encoder, {content: b"1234"})


def test_what_has_no_vector_waits_and_each_address_once(database, project, pictures, vectors):
    states = write_tasks(database, project, vectors, t1=["a", "b"], t2=["b", "c"], t3=[])
    write_vector(vectors, "joined", states[1].content_hash)
    tasks = list(pictures.unfinished("joined"))
    assert [(task.task_id, task.addresses) for task in tasks] == [(2, ["b", "c"])]
    assert dict(pictures.waiting(pictures.unfinished("other"), "image", now=0.0)) == {"a": 1, "b": 1, "c": 2}


def test_what_was_read_and_encoded_is_not_fetched_again(database, project, pictures, vectors):
    write_tasks(database, project, vectors, t1=["a", "b"])
    pictures.keep([read("a", content="a" * 64), read("b", content="b" * 64)])
    write_vector(vectors, "image", "a" * 64)
    assert dict(pictures.waiting(pictures.unfinished("joined"), "image", now=0.0)) == {"b": 1}
    assert pictures.contents(["a", "b", "c"]) == {"a": "a" * 64, "b": "b" * 64}


def test_a_fault_is_tried_again_with_growing_pauses(database, project, pictures, vectors):
    write_tasks(database, project, vectors, t1=["a"])
    tasks, now, pauses = list(pictures.unfinished("joined")), 1000.0, []
    for _ in range(8):
        pictures.keep_fault(Fault("a", 1, "it is broken", False), now=now)
        again = pictures.next_retry(now=now)
        assert dict(pictures.waiting(tasks, "image", now=again - 1)) == {}
        assert dict(pictures.waiting(tasks, "image", now=again)) == {"a": 1}
        pauses.append(again - now)
        now = again
    assert pauses == [60, 240, 960, 3840, 15360, 61440, 86400, 86400]


def test_a_picture_that_was_put_off_while_the_date_was_ahead_is_tried_at_once(
    database, project, pictures, vectors
):
    write_tasks(database, project, vectors, t1=["a", "b"])
    now, day_s = 1000.0, 86_400.0
    pictures.keep_fault(Fault("a", 1, "it is broken", False), now=now + 30 * day_s)
    pictures.keep_fault(Fault("b", 1, "it is broken", False), now=now)
    tasks = list(pictures.unfinished("joined"))
    assert pictures.next_retry(now=now) == now
    assert dict(pictures.waiting(tasks, "image", now=now)) == {"a": 1}


def test_a_picture_that_nobody_asked_for_is_tried_before_those_that_failed(
    database, project, pictures, vectors
):
    write_tasks(database, project, vectors, t1=["a", "b"])
    for _ in range(3):
        pictures.keep_fault(Fault("a", 1, "nobody answers in time", True), now=0.0)
        pictures.keep_fault(Fault("b", 1, "its host was silent", True, was_tried=False), now=0.0)
    tasks = list(pictures.unfinished("joined"))
    assert dict(pictures.waiting(tasks, "image", now=60.0)) == {"b": 1}


def test_a_changed_task_is_tried_at_once(database, project, pictures, vectors):
    write_tasks(database, project, vectors, t1=["a"])
    pictures.keep_fault(Fault("a", 1, "the answer is 404", True), now=1000.0)
    pictures.retry(["a", "x"])
    assert dict(pictures.waiting(pictures.unfinished("joined"), "image", now=1000.0)) == {"a": 1}
    pictures.keep([read("a")])
    assert (pictures.next_retry(now=1000.0), pictures.faults()) == (None, ())


def test_faults_are_counted_by_reason_with_some_tasks(pictures):
    for number in range(9):
        pictures.keep_fault(Fault(f"a{number}", number, "it is broken", False), now=0.0)
    pictures.keep_fault(Fault("b", 3, "the answer is 404", True), now=0.0)
    assert pictures.faults() == (
        FaultGroup("it is broken", 9, (0, 1, 2, 3, 4)),
        FaultGroup("the answer is 404", 1, (3,)),
    )


def test_the_fault_of_a_picture_that_is_shown_no_more_is_forgotten(database, project, pictures, vectors):
    write_tasks(database, project, vectors, t1=["a"], t2=["b"])
    for address, task_id in (("a", 1), ("b", 2), ("c", 3)):
        pictures.keep_fault(Fault(address, task_id, "it is broken", False), now=0.0)
    write_tasks(database, project, vectors, t2=["other"])
    pictures.forget_stale_faults("joined")
    assert pictures.faults() == (FaultGroup("it is broken", 1, (1,)),)


def test_thumbnails_are_found_by_task_and_place(database, project, pictures, vectors):
    write_tasks(database, project, vectors, t1=["a", "b"])
    pictures.keep([read("b")])
    assert [pictures.thumbnail(1, place) for place in (0, 1, 2, -1)] == [None, b"jpeg of b", None, None]
    assert pictures.thumbnail(9) is None


def test_of_an_address_that_is_the_picture_only_the_beginning_is_kept(pictures):
    address = "data:image/png;base64," + "A" * 100_000
    pictures.keep([read(address)])
    assert pictures.contents([address]) == {address: "0" * 64}
