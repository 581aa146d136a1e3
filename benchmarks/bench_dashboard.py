"""How fast the dashboard of a project of 100,000 tasks is answered, from a database with a long history."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import insert

from backend.app import create_app
from backend.context import Context
from backend.database import Loop
from backend.parts import build_context
from backend.settings import Settings
from benchmarks.figures import Bench, median, percentile
from model.encoders.hashing import HashingEncoder
from tests.measured import add_rich_project

TASKS = 100_000
CLASSES = 77
SYNTHETIC = 2_000
# A year of looks every ten minutes that found nothing.
UNCHANGED = 50_000
PUBLISHED = 300
WORDS_PER_TEXT = 60
ROUNDS = 40
LIMIT_MS = 300.0
PATHS = {
    "the page": "/projects/7",
    "its state, asked for every two seconds": "/projects/7/state.json",
    "the points of the map": "/projects/7/map.json",
    "status as JSON": "/projects/7.json",
    "metrics": "/metrics",
}


def main() -> None:
    """Run the bench."""
    bench = Bench("dashboard", f"How fast the dashboard of {TASKS:,} tasks is answered")
    with _client(bench) as client:
        for name, path in PATHS.items():
            times = [_ask(client, path) for _ in range(ROUNDS + 1)]
            bench.raw[name] = times
            first, later = times[0], times[1:]
            note = (
                f" median of {ROUNDS}, {percentile(later, 95):.0f} at the 95th percentile, first {first:.0f}"
            )
            if path == PATHS["the page"]:
                bench.at_most(name, median(later), limit=LIMIT_MS, unit="ms", note=note)
            else:
                bench.add(name, f"{median(later):.1f} ms{note}")
            bench.say(f"{name}: {median(later):.1f} ms")
    bench.finish()


def _ask(client: FlaskClient, path: str) -> float:
    """Milliseconds until the whole answer was there."""
    started = time.perf_counter()
    answer = client.get(path)
    length = len(answer.get_data())
    elapsed = 1000 * (time.perf_counter() - started)
    if answer.status_code != 200 or length == 0:
        raise RuntimeError(f"{path} was answered with {answer.status_code}")
    return elapsed


@contextmanager
def _client(bench: Bench) -> Iterator[FlaskClient]:
    with tempfile.TemporaryDirectory() as folder:
        context = build_context(Settings(data_dir=Path(folder)), load_encoder=partial(HashingEncoder, 64))
        bench.say(f"writing {TASKS:,} tasks and {UNCHANGED + PUBLISHED:,} loops")
        _fill(context)
        yield create_app(context).test_client()
        context.database.engine.dispose()


def _fill(context: Context) -> None:
    rng = random.Random(0)
    vocabulary = [f"word{number}" for number in range(5_000)]
    texts = [" ".join(rng.choices(vocabulary, k=WORDS_PER_TEXT)) for _ in range(TASKS)]
    labels = tuple(f"class {number}" for number in range(CLASSES))
    project = add_rich_project(
        context, texts=texts, labels=labels, loops=PUBLISHED, groups=20, synthetic=SYNTHETIC
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    with context.database.session() as session:
        session.execute(
            insert(Loop),
            [
                {
                    "project_id": project.id,
                    "reason": "timer",
                    "started_at": now - timedelta(minutes=10 * place),
                    "finished_at": now - timedelta(minutes=10 * place),
                    "outcome": "unchanged",
                    "version": project.active_version,
                    "figures": {"labels": 100, "seconds": {"sync": 0.2}},
                }
                for place in range(UNCHANGED)
            ],
        )


if __name__ == "__main__":
    main()
