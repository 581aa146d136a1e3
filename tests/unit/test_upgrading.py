"""While some processes are of the last release and some of this one, both can write."""

import ast
from pathlib import Path

import pytest

from backend.database import MIGRATIONS

FILES = sorted((MIGRATIONS / "versions").glob("*.py"))
TAKES_AWAY = {"drop_column", "drop_table", "rename_table"}


def calls(path, name):
    """Calls of a method in the upgrade of a migration."""
    tree = ast.parse(path.read_text())
    upgrade = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
    return [
        node
        for node in ast.walk(upgrade)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_migration_adds_has_a_default_so_that_older_processes_can_write(path):
    for added in calls(path, "add_column"):
        column = added.args[-1]
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in column.keywords}
        assert given.get("nullable") == "True" or "server_default" in given, ast.unparse(column)


@pytest.mark.parametrize("path", FILES, ids=lambda path: Path(path).stem)
def test_no_migration_takes_away_what_older_processes_read(path):
    assert [name for name in TAKES_AWAY if calls(path, name)] == []
