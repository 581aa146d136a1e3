"""Whatever a loop wrote down, or did not: the page, the map, the status and the metrics are answered."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.database import Loop
from tests.measured import add_rich_project, write_signals
from tests.topics import write_texts

PAGES = ["", ".json", "/wanted.csv"]

numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | numbers | st.text(max_size=8)
anything = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def damaged(draw, whole):
    """The value with some of its parts gone or replaced by anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(anything)
    if isinstance(whole, dict):
        kept = [name for name in whole if draw(st.integers(0, 9))]
        return {name: draw(damaged(whole[name])) for name in kept}
    if isinstance(whole, list):
        return [draw(damaged(row)) for row in whole[:2]]
    return whole


@pytest.fixture
def write(context):
    """write(signals): makes them what the last loop measured."""
    project = add_rich_project(context, texts=write_texts(30), synthetic=4)

    def store(signals):
        with context.database.session() as session:
            newest = select(Loop).where(Loop.outcome == "published").order_by(Loop.id.desc()).limit(1)
            loop = session.scalars(newest).one()
            loop.figures = {**loop.figures, "signals": signals}
        return project

    return store


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(signals=damaged(write_signals()))
def test_any_figures_are_shown(signals, write, client):
    write(signals)
    for page in PAGES:
        assert client.get(f"/projects/7{page}").status_code == 200
    assert client.get("/metrics").status_code == 200
