"""docs/architecture.md has a place for every folder and file, and names functions that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
STEPS = re.findall(r"^\| [^|]*\| `([\w/]+\.py)` \| `(\w+)` \|$", PAGE, re.MULTILINE)


def test_every_step_of_a_label_stands_where_the_page_says():
    assert len(STEPS) > 20
    for file, function in STEPS:
        text = (ROOT / file).read_text()
        assert re.search(rf"^\s*def {function}\(", text, re.MULTILINE), f"{file} has no {function}"


def test_every_folder_of_the_code_has_its_line():
    folders = {
        path.relative_to(ROOT).as_posix()
        for package in ("backend", "model")
        for path in (ROOT / package).glob("*/__init__.py")
    } | {path.relative_to(ROOT).as_posix() for path in (ROOT / "backend" / "workflows").glob("*/__init__.py")}
    folders = {name.removesuffix("__init__.py") for name in folders} - {"backend/workflows/"}
    assert [name for name in sorted(folders) if f"| `{name}`" not in PAGE] == []


@pytest.mark.parametrize("folder", ["backend", "backend/workflows", "backend/store", "model"])
def test_every_file_that_stands_in_no_smaller_folder_has_its_place(folder):
    places = PAGE.split("## Where things live", 1)[1].split("\n## ", 1)[0]
    files = {path.name for path in (ROOT / folder).glob("*.py")} - {"__init__.py", "__main__.py"}
    named = {name.rsplit("/", 1)[-1] for name in re.findall(r"`([\w/]+\.py)`", places)}
    assert files and sorted(files - named) == []
