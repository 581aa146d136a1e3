"""The vectors of a backend: in files, and in rows that an earlier release left."""

import hashlib

import numpy as np
import pytest
from sqlalchemy import func, select

from backend.database import Database, Embedding, upsert
from backend.errors import DiskUnavailable
from backend.store.embeddings import Vectors


@pytest.fixture
def database(tmp_path):
    return Database(f"sqlite:///{tmp_path}/fresh.db", lock_folder=tmp_path)


@pytest.fixture
def vectors(database, tmp_path):
    return Vectors(database, tmp_path / "vectors")


def some(*numbers):
    return {
        hashlib.sha256(str(number).encode()).hexdigest(): np.full(4, number, dtype=np.float32).tobytes()
        for number in numbers
    }


def keep_rows(database, encoder, vectors):
    rows = [{"encoder": encoder, "content_hash": key, "vector": vector} for key, vector in vectors.items()]
    with database.session() as session:
        upsert(session, Embedding, rows)


def count_rows(database):
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(Embedding))


def test_what_is_written_is_no_row(database, vectors):
    vectors.write("one", some(1))
    assert count_rows(database) == 0
    assert vectors.read("one", [*some(2), *some(1), *some(1)]) == some(1)
    assert vectors.known("one", some(1, 2)) == set(some(1))


def test_what_shows_nothing_has_no_hash_and_no_vector(vectors):
    vectors.write("one", some(1))
    assert vectors.read("one", ["", *some(1)]) == some(1)
    assert vectors.are_known("one", ["", *some(1)]).tolist() == [False, True]
    is_there, rows = vectors.gather("one", [*some(1), ""])
    assert (is_there.tolist(), rows.tolist()) == ([True, False], [[1.0] * 4])


def test_rows_of_an_earlier_release_are_read_where_they_are(database, vectors):
    keep_rows(database, "one", some(1, 2))
    vectors.write("one", some(3))
    assert vectors.read("one", some(1, 3)) == some(1, 3)
    assert vectors.known("one", some(1, 4)) == set(some(1))
    came, rows = vectors.gather("one", list(some(3, 4, 2)))
    assert came.tolist() == [True, False, True]
    assert rows.tolist() == [[3.0] * 4, [2.0] * 4]


def test_rows_move_in_parts_and_go_on_where_they_were(database, vectors, monkeypatch):
    monkeypatch.setattr("backend.store.embeddings._MOVED_AT_ONCE", 3)
    keep_rows(database, "one", some(*range(5)))
    keep_rows(database, "two", some(7))
    looks = iter([False, True])
    assert vectors.move_rows(interrupted=lambda: next(looks)) == 3
    assert count_rows(database) == 3
    assert vectors.move_rows(interrupted=lambda: False) == 3
    assert count_rows(database) == 0
    assert vectors.read("one", some(*range(5))) == some(*range(5))
    assert vectors.read("two", some(7)) == some(7)
    assert vectors.move_rows(interrupted=lambda: False) == 0


def test_a_move_that_is_killed_before_the_rows_go_is_done_once_more(database, vectors, monkeypatch):
    keep_rows(database, "one", some(1, 2))
    with monkeypatch.context() as patched:
        patched.setattr("backend.store.embeddings.delete", stop)
        with pytest.raises(KeyboardInterrupt):
            vectors.move_rows(interrupted=lambda: False)
    assert (count_rows(database), vectors.read("one", some(1, 2))) == (2, some(1, 2))
    assert vectors.move_rows(interrupted=lambda: False) == 2
    assert (count_rows(database), vectors.read("one", some(1, 2))) == (0, some(1, 2))


def stop(_table):
    raise KeyboardInterrupt


def test_forgotten_encoders_have_neither_files_nor_rows(database, vectors):
    keep_rows(database, "one", some(1))
    vectors.write("one", some(2))
    vectors.write("two", some(3))
    vectors.forget({"one"})
    assert vectors.read("one", some(1, 2)) == {}
    assert vectors.read("two", some(3)) == some(3)


def test_nothing_gathered_has_no_width(vectors):
    came, rows = vectors.gather("one", list(some(1)))
    assert (came.tolist(), rows.shape) == ([False], (0, 0))
    came, rows = vectors.gather("one", [])
    assert (len(came), rows.shape) == (0, (0, 0))


def test_large_pools_are_gathered_once(vectors, monkeypatch):
    monkeypatch.setattr("backend.store.embeddings._SMALLEST_KEPT", 1)
    vectors.write("one", some(1, 2))
    _came, first = vectors.gather("one", list(some(1, 2)))
    _came, again = vectors.gather("one", list(some(1, 2)))
    _came, other = vectors.gather("one", list(some(2, 1)))
    assert np.shares_memory(first, again)
    assert (again.tolist(), other.tolist()) == ([[1.0] * 4, [2.0] * 4], [[2.0] * 4, [1.0] * 4])
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_a_folder_that_cannot_be_written_is_named(database, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DiskUnavailable, match="file"):
        Vectors(database, tmp_path / "file").write("one", some(1))
