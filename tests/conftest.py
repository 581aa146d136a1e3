"""What most tests need: settings in a temporary folder, the app, and a Label Studio in memory."""

import shutil
import sqlite3
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
import typer
from hypothesis import settings as hypothesis_settings
from rich.console import Console
from sqlalchemy import event
from typer.testing import CliRunner

from backend.app import create_app
from backend.cli import app as cli
from backend.database import Database
from backend.encoding.apart import EncoderProcess
from backend.label_studio.client import LabelStudio
from backend.parts import build_context
from backend.settings import Settings
from backend.simulation.commands import add_simulate
from model.encoders.hashing import HashingEncoder
from model.encoders.table import IMAGE_ENCODERS
from model.encoders.text import load_text_encoder
from tests.fake_label_studio import LEGACY_TOKEN, FakeLabelStudio
from tests.pictures import CHOICES, IMAGE, TASKS, FewPixels, Files, address_of, draw, label_of
from tests.topics import write_texts
from tests.workbench import Workbench

pytest_plugins = ["tests.real_servers", "tests.s3_server"]

# Torch's threads wait for each other in a loop: on a busy machine two are ten times slower than one.
torch.set_num_threads(1)

hypothesis_settings.register_profile("backend", deadline=None, max_examples=60, derandomize=True)
hypothesis_settings.load_profile("backend")

ROOT = Path(__file__).resolve().parents[1]
BACKEND_URL = "http://backend.test:9090"
WEBHOOK_SECRET = "a-secret-for-webhooks"


class RecordedJobs:
    """Stands in for the queue: remembers which projects (by row id) somebody asked a worker to look at."""

    def __init__(self, **_options):
        self.enqueued = []

    def bind(self, *, run, tick):
        """Nothing runs here."""

    def enqueue(self, project):
        self.enqueued.append(project)

    def is_empty(self):
        return not self.enqueued

    def open(self):
        """Nothing to open."""

    def close(self):
        """Nothing is open."""


@pytest.fixture
def no_environment(monkeypatch, tmp_path):
    """No setting of the machine and no .env file reaches the test."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def make_settings(no_environment, tmp_path):
    """make_settings(queue_window=5, …): settings with everything else as in the other tests."""

    def make(**changes):
        usual = {
            "label_studio_url": FakeLabelStudio.url,
            "label_studio_api_key": LEGACY_TOKEN,
            "backend_url": BACKEND_URL,
            "webhook_secret": WEBHOOK_SECRET,
            "data_dir": tmp_path / "data",
            "queue_window": 10,
        }
        return Settings(**(usual | changes))

    return make


@pytest.fixture
def settings(make_settings):
    return make_settings()


@pytest.fixture
def encoder():
    return HashingEncoder(64)


@pytest.fixture(scope="session")
def text_encoder():
    """The real one from its package; it takes a few seconds to load."""
    return load_text_encoder()


@pytest.fixture
def label_studio():
    """An empty Label Studio in memory."""
    return FakeLabelStudio()


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory):
    """An empty database with all its tables: copying it is quicker than making it."""
    folder = tmp_path_factory.mktemp("migrated")
    database = Database(f"sqlite:///{folder}/nextlabel.db", lock_folder=folder)
    database.engine.dispose()
    return folder / "nextlabel.db"


@pytest.fixture
def quick_sweep(monkeypatch):
    """Predictions are removed slowly only for the sake of a real database."""
    monkeypatch.setattr("backend.workflows.serving.publish._SWEEP_PAUSE_S", 0.0)


@pytest.fixture
def no_pauses(monkeypatch):
    """Between two tries of a call to Label Studio nobody waits."""
    monkeypatch.setattr("backend.label_studio.connection._FIRST_PAUSE_S", 0.0)


@pytest.fixture
def make_context(label_studio, encoder, migrated_database, quick_sweep, no_pauses, monkeypatch):
    """make_context(settings): the parts of a backend whose Label Studio is the one in memory."""
    monkeypatch.setattr("backend.parts.Jobs", RecordedJobs)

    def make(settings):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not (settings.data_dir / "nextlabel.db").exists():
            shutil.copy(migrated_database, settings.data_dir)
        connect = partial(
            LabelStudio,
            settings.label_studio_url,
            settings.label_studio_api_key.get_secret_value(),
            transport=label_studio.transport,
        )
        context = build_context(settings, load_encoder=lambda: encoder)
        return replace(context, label_studio=connect)

    return make


@pytest.fixture
def context(make_context, settings):
    return make_context(settings)


@pytest.fixture
def database_fails(context):
    """with database_fails("INSERT INTO loops"): statements that begin or go on so fail as on a full disk."""

    @contextmanager
    def fail(part):
        def refuse(_connection, _cursor, statement, _parameters, _context, _many):
            if part in statement:
                raise sqlite3.OperationalError("database or disk is full")  # as SQLite says it

        event.listen(context.database.engine, "before_cursor_execute", refuse)
        try:
            yield
        finally:
            event.remove(context.database.engine, "before_cursor_execute", refuse)

    return fail


@pytest.fixture
def encoder_process(tmp_path, monkeypatch):
    """The encoder's process, not started yet, with an encoder that starts at once and fails on request."""
    monkeypatch.setenv("FAKE_ENCODER_FOLDER", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    process = EncoderProcess([sys.executable, "-m", "tests.fake_encoder_process"])
    yield process
    process.close()


@pytest.fixture
def make_app(label_studio):
    """make_app(context): the web application, which the Label Studio in memory reaches at BACKEND_URL."""

    def make(context):
        app = create_app(context)
        label_studio.serve(context.settings.backend_url, app.test_client())
        return app

    return make


@pytest.fixture
def app(make_app, context):
    return make_app(context)


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def project_id(label_studio):
    """A project of forty texts about cats and dogs, not connected."""
    return label_studio.add_project(texts=write_texts(40))


@pytest.fixture
def workbench(context, app, label_studio, project_id):
    """The project and its backend, not connected."""
    return Workbench(context, label_studio, project_id)


@pytest.fixture(scope="session")
def bring_to(tmp_path_factory):
    """bring_to(name, workbench, act): the state that `act` leads to; done once, and put back from then on."""
    states = {}

    def bring(name, workbench, act):
        key = name, workbench.context.settings.model_dump_json(exclude={"data_dir"})
        if key in states:
            workbench.restore(states[key])
        else:
            act()
            states[key] = workbench.remember(tmp_path_factory.mktemp(name))
        return workbench

    return bring


@pytest.fixture
def connected(workbench, bring_to):
    """The same, connected: the first window is published."""
    return bring_to("connected", workbench, workbench.connect)


@pytest.fixture
def trained(workbench, bring_to):
    """The same with three versions: by the label names, after 6 labels, after 12."""

    def act():
        workbench.connect()
        for _ in range(2):
            workbench.label(6)
            workbench.loop()

    return bring_to("trained", workbench, act)


@pytest.fixture
def set_width(monkeypatch):
    """set_width(30): a terminal so wide; a COLUMNS that was there at the import would count for ever."""

    def set_columns(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr("backend.commands.shell.out", Console(width=columns))
        monkeypatch.setattr("backend.commands.shell.err", Console(width=columns, stderr=True))

    return set_columns


@pytest.fixture
def run_command(monkeypatch, set_width):
    """run_command(context, "status", "1"): what the command prints; the backend is that of the context."""
    monkeypatch.setattr("backend.logs.start_logging", lambda *_given: None)
    set_width(200)

    def invoke(context, *arguments):
        monkeypatch.setattr("backend.parts.build_context", lambda _settings: context)
        monkeypatch.setattr("sys.argv", ["backend", *arguments])
        return CliRunner().invoke(cli, list(arguments), prog_name="nextlabel")

    return invoke


@pytest.fixture
def simulate(tmp_path):
    """simulate(["simulate", …]): the command with an encoder that needs no network."""

    @contextmanager
    def open_context():
        settings = Settings(_env_file=None, data_dir=tmp_path / "data")
        yield build_context(settings, load_encoder=partial(HashingEncoder, 64))

    app = typer.Typer()
    app.callback()(lambda: None)
    add_simulate(app, open_context=open_context)
    return partial(CliRunner().invoke, app)


@pytest.fixture
def picture_files():
    """The pictures of a project, by their address."""
    return Files({address_of(n): draw(label_of(address_of(n)), n) for n in range(TASKS)})


@pytest.fixture
def make_picture_bench(make_settings, make_context, make_app, label_studio, picture_files, monkeypatch):
    """make_picture_bench(config, data of each task): a connected project, its vectors short and quick."""
    monkeypatch.setitem(IMAGE_ENCODERS, "pixels", lambda: FewPixels(5))

    def make(config=f"<View>{IMAGE}{CHOICES}</View>", rows=None, **settings):
        context = make_context(make_settings(**({"image_encoder": "pixels"} | settings)))
        context = replace(context, media=lambda: picture_files)
        make_app(context)
        project = label_studio.add_project(label_config=config)
        rows = [{"image": address_of(n)} for n in range(TASKS)] if rows is None else rows
        label_studio.add_tasks(project, rows)
        bench = Workbench(context, label_studio, project)
        bench.connect()
        bench.loop()
        return bench

    return make
