"""Whatever a file says of where a picture lies, it is read or refused in words."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.label_studio.media.errors import MediaError
from backend.simulation.local_files import LocalFiles
from backend.simulation.pages import pages_of

BEGINNINGS = st.sampled_from(
    [
        "",
        "data:",
        "data:image/png;base64,",
        "/data/upload/",
        "/data/local-files/?d=",
        "file://",
        "s3://",
        "../",
    ]
)
ADDRESSES = st.builds(lambda start, rest: start + rest, BEGINNINGS, st.text(max_size=40))
CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | ADDRESSES, lambda inner: st.lists(inner) | st.tuples(inner)
)


@pytest.fixture(scope="module")
def folder():
    with TemporaryDirectory() as made:
        yield Path(made) / "empty"


@example("data:,")
@example("data:;base64,%%%")
@example("a" * 5000)
@example("\0")
@example("/dev/zero")
@given(ADDRESSES)
def test_an_address_gives_bytes_or_a_reason(folder, address):
    files = LocalFiles(folder)
    try:
        assert isinstance(files.fetch(address, task_id=0), bytes)
        assert files.has(address)
    except MediaError as error:
        assert str(error)


@given(CELLS)
def test_a_cell_names_pictures_by_words_alone(cell):
    assert all(page.address.strip() == page.address != "" for page in pages_of(cell))
