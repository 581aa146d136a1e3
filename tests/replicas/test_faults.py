"""A few of the faults of `bench_faults`: processes and servers killed and frozen in the middle of loops."""

import pytest

from tests.siege import Siege


@pytest.fixture(scope="module")
def siege(make_fleet, label_studio, redis_server, postgres):
    fleet = make_fleet(label_studio, REDIS_URL=redis_server.url)
    siege = Siege(fleet, {"postgres": postgres, "redis": redis_server}, seed=7)
    with siege.watching():
        yield siege


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("redis", "kill"),
        ("postgres", "kill"),
        ("worker anna", "kill"),
        ("web bert", "kill"),
        ("postgres", "freeze"),
    ],
)
def test_nothing_is_lost_and_all_goes_on_by_itself(name, how, siege, s3_environment):
    seen = siege.break_something(name, how, lasts_s=1.0)
    assert (seen["lost_labels"], seen.get("fault")) == (0, None)
    assert siege.fleet.torn_versions() == []
    assert siege.seen.empty_looks == 0 < siege.seen.looks
