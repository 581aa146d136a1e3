"""The licences of what is used: docs/licences.md says of each package what the package says of itself."""

import hashlib
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

from model.encoders import convert_e5, convert_lite0
from model.encoders.folders import DEFAULT_PACKAGE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "licences.md").read_text()
ROWS = dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE))
WITHOUT_REQUIREMENTS = re.search(r"WITHOUT_REQUIREMENTS := (.+)", (ROOT / "Makefile").read_text())[1].split()
PINNED = [*(ROOT / "requirements.txt").read_text().split(), *WITHOUT_REQUIREMENTS]
PACKAGES = sorted(line.split("==")[0] for line in PINNED)


def declared_licence(package):
    """What a package's metadata says: an expression, else classifiers, else the first line of a text."""
    metadata = importlib.metadata.metadata(package)
    classifiers = [
        line.split("::")[-1].strip()
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    text = metadata.get("License", "").strip().split("\n")[0]
    return metadata.get("License-Expression") or "; ".join(classifiers) or text or "nothing"


def test_every_package_that_is_installed_for_use_has_a_row_and_no_other():
    assert sorted(ROWS) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_of_itself_what_the_page_says_it_does(package):
    assert ROWS[package] == declared_licence(package)


def test_the_weights_are_those_whose_licence_was_checked():
    weights = importlib.metadata.distribution(DEFAULT_PACKAGE).locate_file(DEFAULT_PACKAGE)
    with (weights / "model" / "model.safetensors").open("rb") as file:
        assert f"`{hashlib.file_digest(file, 'sha256').hexdigest()}`" in PAGE


@pytest.mark.parametrize("converter", [convert_e5, convert_lite0])
def test_the_page_names_the_file_that_a_converter_takes(converter):
    assert f"`{converter._SHA256}`" in PAGE


def test_the_project_and_the_image_carry_licence_and_notice():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    for name in project["license-files"]:
        assert (ROOT / name).stat().st_size
        assert re.search(rf"^COPY .*\b{name}\b", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text()


def test_the_notice_names_every_folder_of_others():
    folders = [path.parent for path in (ROOT / "backend").rglob("LICENSE*")]
    assert folders
    notice = (ROOT / "NOTICE").read_text()
    assert all(f"{folder.relative_to(ROOT).as_posix()}/LICENSE" in notice for folder in folders)
