"""Broken, hostile and slow pictures among good ones: the stage ends, names each, and asks nobody else."""

from collections import Counter
from dataclasses import replace

import pytest

from backend.label_studio.media.addresses import parse_allowed
from backend.label_studio.media.fetch import Limits, MediaFetcher
from backend.workflows.intake.fetch_pictures import fetch_pictures
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import Workspace
from benchmarks.hostile_pictures import (
    SLOW,
    WEB,
    changing_names,
    hostile_addresses,
    hostile_sites,
    words_by_kind,
)
from benchmarks.picture_site import GOOD
from benchmarks.picture_stage import STAND_IN, TOKEN, open_project, prepare

HOSTILE, TASKS = 60, 300
QUICK = Limits(seconds=2, silence=1)


@pytest.fixture
def sites():
    with changing_names(), hostile_sites() as made:
        yield made


@pytest.fixture
def fetch(tmp_path, sites):
    """fetch(addresses): the workspace after the stage ran once over tasks with these addresses."""
    opened = []

    def run(addresses):
        prepare(
            tmp_path / "data", label_studio_url=sites.uploads.url, addresses=addresses, image_encoder=STAND_IN
        )
        names, networks = parse_allowed(WEB)
        workspace = open_project(tmp_path / "data")
        opened.append(workspace)

        def media():
            return MediaFetcher(
                sites.uploads.url,
                lambda _renewed: f"Token {TOKEN}",
                names=names,
                networks=networks,
                limits=QUICK,
            )

        quick = Workspace(replace(workspace.context, media=media), workspace.state)
        fetch_pictures(quick, progress=Silent())
        return quick

    yield run
    for workspace in opened:
        workspace.context.close()


def test_every_hostile_picture_is_named_and_all_others_are_read(fetch, sites):
    hostile = hostile_addresses(sites, HOSTILE, slow=4)
    good = [f"{GOOD}{number}.bmp" for number in range(TASKS - HOSTILE - 20)]
    odd = [f"/data/upload/moved/{number}" for number in range(1000, 1010)]
    odd += [f"{sites.web.url}/called-text/{number}" for number in range(2000, 2010)]
    workspace = fetch([*hostile, *good, *odd])

    words = words_by_kind(seconds=QUICK.seconds)
    assert set(hostile.values()) == set(words)
    reasons = {group.reason: group.count for group in workspace.pictures.faults()}
    wanted = Counter(words[kind] for kind in hostile.values())
    told = {word: sum(count for reason, count in reasons.items() if word in reason) for word in wanted}
    assert told == wanted
    assert sum(reasons.values()) == HOSTILE
    assert len(workspace.pictures.contents([*good, *odd])) == TASKS - HOSTILE
    assert len(workspace.tasks.read_vectors(workspace.encoder.revision)) == TASKS - HOSTILE


def test_nobody_else_is_asked_and_nobody_else_sees_the_token(fetch, sites):
    fetch(list(hostile_addresses(sites, HOSTILE, slow=0)) + ["/data/upload/moved/1", "/data/upload/moved/2"])
    assert sites.forbidden.asked.total() == 0
    assert sites.web.asked.total() > 20 and sites.uploads.asked.total() > 20
    assert any(TOKEN in header for header in sites.uploads.headers)
    assert not any(TOKEN in header or "authorization" in header for header in sites.web.headers)


def test_slow_ones_are_among_them(sites):
    kinds = Counter(hostile_addresses(sites, HOSTILE, slow=4).values())
    assert [kinds[kind] for kind in SLOW] == [2, 2]
