"""The tables in PostgreSQL, with machines that start at once and machines of before."""

import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, insert, text

from backend.database import Base, Database, newest_revision
from backend.parts import build_context
from backend.workflows.project.workspace import ensure_workspace
from tests.real_backend import FORKS
from tests.unit.test_migrations import RELEASE, config_of

AT_ONCE = 4
WHATEVER = {int: 7, float: 0.0, str: "", bool: True, object: {}}


def open_database(url, folder, begin):
    begin.wait()
    Database(url, lock_folder=folder).close()


def start_at_once(url, tmp_path):
    """Exit statuses of machines that open a database in the same moment, each with a folder of its own."""
    begin = FORKS.Event()
    folders = [tmp_path / str(number) for number in range(AT_ONCE)]
    processes = [FORKS.Process(target=open_database, args=(url, folder, begin)) for folder in folders]
    for process in processes:
        process.start()
    begin.set()
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


@pytest.fixture
def engine(database_url):
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def test_machines_that_start_at_once_make_the_tables_once(database_url, engine, tmp_path):
    assert start_at_once(database_url, tmp_path) == [0] * AT_ONCE
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [
            newest_revision()
        ]
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_machines_that_start_at_once_bring_old_tables_up_to_date_once(database_url, engine, tmp_path):
    with engine.begin() as connection:
        command.upgrade(config_of(connection), RELEASE)
        tables = MetaData()
        tables.reflect(connection)
        projects = tables.tables["projects"]
        needed = {column.name: WHATEVER[column.type.python_type] for column in projects.columns}
        connection.execute(insert(projects).values(needed | {"title": "kept"}))
    assert start_at_once(database_url, tmp_path) == [0] * AT_ONCE
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [
            newest_revision()
        ]
        assert connection.scalars(text("SELECT title FROM projects")).all() == ["kept"]


def test_a_machine_that_is_frozen_in_a_transaction_keeps_its_rows_from_nobody(make_settings, database_url):
    settings = make_settings(database_url=database_url)
    context = build_context(settings)
    workspace = ensure_workspace(context, 7, 1)
    frozen = context.database.engine.connect()
    frozen.execute(text("UPDATE projects SET title = 'late'"))
    other = threading.Thread(target=workspace.change, kwargs={"title": "written"}, daemon=True)
    other.start()
    other.join(60)
    assert not other.is_alive()
    with pytest.raises(Exception, match="idle-in-transaction|terminat"):
        frozen.execute(text("UPDATE projects SET title = 'later'"))
    frozen.invalidate()
    frozen.close()
    workspace.refresh()
    assert workspace.state.title == "written"
    context.close()
