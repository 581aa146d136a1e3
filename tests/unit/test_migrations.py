"""Migrations only add: processes of the release before go on while the next brings the tables up to date."""

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from backend.database import MIGRATIONS

# Of release 0.1.0, the last one.
RELEASE = "0002"


def config_of(connection):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def later_revisions():
    script = ScriptDirectory(str(MIGRATIONS))
    revisions = [one.revision for one in script.walk_revisions()][::-1]
    return revisions[revisions.index(RELEASE) + 1 :]


def columns_of(connection):
    """Column by table and name."""
    found = inspect(connection)
    return {
        (table, column["name"]): column
        for table in found.get_table_names()
        for column in found.get_columns(table)
    }


@pytest.fixture(scope="module")
def schemas(tmp_path_factory):
    """The columns at the last release and after each migration since."""
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('migrated')}/x.db")
    schemas = {}
    with engine.begin() as connection:
        for revision in (RELEASE, *later_revisions()):
            command.upgrade(config_of(connection), revision)
            schemas[revision] = columns_of(connection)
    engine.dispose()
    return schemas


@pytest.mark.parametrize("revision", later_revisions())
def test_what_the_release_before_reads_and_writes_is_still_there(revision, schemas):
    revisions = list(schemas)
    before, after = schemas[revisions[revisions.index(revision) - 1]], schemas[revision]
    assert {key: str(column["type"]) for key, column in before.items()} == {
        key: str(after[key]["type"]) for key in before if key in after
    }
    tables = {table for table, _name in before}
    demanded = [
        key
        for key, column in after.items()
        if key not in before and key[0] in tables and not column["nullable"] and column["default"] is None
    ]
    assert demanded == []
