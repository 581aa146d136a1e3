"""The database: its tables are those of the migrations, and a transaction is all or nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

from backend.database import (
    MIGRATIONS,
    Base,
    Database,
    Embedding,
    Hint,
    Project,
    Task,
    newest_revision,
    upsert,
)


@pytest.fixture
def database(tmp_path):
    return Database(f"sqlite:///{tmp_path}/fresh.db", lock_folder=tmp_path)


@pytest.fixture
def project(database):
    with database.session() as session:
        row = Project(label_studio_id=1, created_stamp=2)
        session.add(row)
    return row


def test_the_migrations_make_exactly_the_tables_of_the_code(database):
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_opening_it_again_changes_nothing(database, project, tmp_path):
    again = Database(database.address, lock_folder=tmp_path)
    with again.session() as session:
        assert session.scalar(select(Project.label_studio_id)) == 1


def test_many_may_open_a_new_one_at_once(tmp_path):
    def start(_number):
        return Database(f"sqlite:///{tmp_path}/shared.db", lock_folder=tmp_path)

    with ThreadPoolExecutor(6) as threads:
        assert len(list(threads.map(start, range(6)))) == 6


def test_a_session_that_fails_leaves_nothing(database):
    with pytest.raises(RuntimeError), database.session() as session:
        session.add(Project(label_studio_id=1, created_stamp=2))
        session.flush()
        raise RuntimeError
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Project)) == 0


def test_readers_do_not_wait_for_a_writer(database, project):
    with database.session() as writer:
        writer.add(Hint(project_id=project.id, kind="timer", created_at=0.0))
        writer.flush()
        with database.session() as reader:
            assert reader.scalar(select(func.count()).select_from(Hint)) == 0


def test_a_deleted_project_takes_its_rows_along(database, project):
    with database.session() as session:
        session.add(Task(project_id=project.id, task_id=1, content="", content_hash=""))
        session.add(Hint(project_id=project.id, kind="timer", created_at=0.0))
    with database.session() as session:
        session.execute(text("DELETE FROM projects"))
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Task)) == 0
        assert session.scalar(select(func.count()).select_from(Hint)) == 0


def test_an_upsert_adds_what_is_new_and_changes_what_is_there(database):
    def row(key, vector):
        return {"encoder": "e", "content_hash": key, "vector": vector}

    with database.session() as session:
        upsert(session, Embedding, [row("a", b"1"), row("b", b"2")])
    with database.session() as session:
        upsert(session, Embedding, [row("b", b"3"), row("c", b"4")])
        upsert(session, Embedding, [])
    with database.session() as session:
        found = dict(session.execute(select(Embedding.content_hash, Embedding.vector)).all())
    assert found == {"a": b"1", "b": b"3", "c": b"4"}


def test_a_project_has_a_name_that_is_never_given_away_again(project):
    assert (project.key, project.reference) == ("1-2", "1.2")


def test_the_newest_migration_is_the_one_that_alembic_takes_for_it():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest_revision() == ScriptDirectory.from_config(config).get_current_head()
