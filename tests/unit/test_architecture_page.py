"""docs/architecture.md names files, folders and functions that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
STEPS = re.findall(r"^\| [^|]*\| `([\w/]+\.py)` \| `(\w+)` \|$", PAGE, re.MULTILINE)


def test_every_file_and_folder_of_the_page_exists():
    named = set(re.findall(r"`((?:backend|model|demo|benchmarks|tests)/[\w/.]*?)(?:::\w+)?`", PAGE))
    assert len(named) > 30
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


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
