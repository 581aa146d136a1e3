"""What the backend remembers between loops: SQLAlchemy tables and the engine behind them.

Everything here can be derived again from Label Studio, except the loop history (which is exported with
every model version).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock
from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError, NoResultFound, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry

from backend.columns import Fields, Items, Moment, Seconds, read_json
from backend.errors import DatabaseUnavailable, RowGone
from backend.fence import check_fence
from backend.postgres import patience, wait_for_turn

MIGRATIONS = Path(__file__).parent / "migrations"
_REVISION = re.compile(r'^(down_)?revision = "(\w+)"', re.MULTILINE)
# Older versions of SQLite take no more than 999 values in one statement.
_MOST_VALUES = 900
# As SQLite and PostgreSQL say it.
_LOST_TABLES = ("no such table", "does not exist")

T = TypeVar("T")


class MadeByLaterRelease(Exception):
    """The database has seen migrations that this release does not have."""


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Project(Base):
    """One Label Studio project. Label Studio reuses ids, so its creation time is part of the identity."""

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("label_studio_id", "created_stamp"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    label_studio_id: Mapped[int]
    created_stamp: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(Text, default="")
    label_config: Mapped[str] = mapped_column(Text, default="")
    # Name of the control that is answered, of those that the config offers.
    question: Mapped[str] = mapped_column(Text, default="")
    connected: Mapped[bool] = mapped_column(default=True)
    overrides: Mapped[dict[str, object]] = mapped_column(Fields(), default=dict)
    # Name of its encoder as TEXT_ENCODER would name it; None: TEXT_ENCODER's.
    encoder: Mapped[str | None] = mapped_column(Text, default=None)
    sampling_before: Mapped[str | None] = mapped_column(String(40), default=None)
    active_version: Mapped[str | None] = mapped_column(String(64), default=None)
    active_fingerprint: Mapped[str | None] = mapped_column(String(64), default=None)
    synced_until: Mapped[str | None] = mapped_column(String(40), default=None)
    lease_owner: Mapped[str | None] = mapped_column(String(128), default=None)
    lease_until: Mapped[float] = mapped_column(Seconds, default=0.0)
    # When its last loop began, or failed.
    last_looked_at: Mapped[float] = mapped_column(Seconds, default=0.0)
    # Loops that failed in a row by a fault of the project's own, with one that runs or was killed.
    failures: Mapped[int] = mapped_column(default=0)
    last_webhook_at: Mapped[float | None] = mapped_column(Seconds, default=None)
    # Digest of the reader, config and settings by which tasks were read: another one means to read all anew.
    reading: Mapped[str] = mapped_column(String(64), default="")
    # Our tabs in the Data Manager: id by kind.
    tabs: Mapped[dict[str, int]] = mapped_column(Fields(int), default=dict)
    # Settings of Label Studio that decide the order, as last read; those that connect changed, as they were.
    queue_settings: Mapped[dict[str, Any]] = mapped_column(Fields(), default=dict)
    settings_before: Mapped[dict[str, Any]] = mapped_column(Fields(), default=dict)
    # Name of the control that connect made required.
    required_control: Mapped[str | None] = mapped_column(Text, default=None)
    # When all tasks were last read, whatever Label Studio said had changed.
    read_whole_at: Mapped[float] = mapped_column(Seconds, default=0.0)
    # Numbers by which classes have their colours on the map; given once.
    colours: Mapped[dict[str, int]] = mapped_column(Fields(int), default=dict)
    # Nothing is registered in Label Studio: a worker asks it what changed, up to this moment so far.
    is_pulled: Mapped[bool] = mapped_column(default=False)
    pulled_until: Mapped[str | None] = mapped_column(String(40), default=None)
    # What the people who answer are called: name by Label Studio's number, as text.
    people: Mapped[dict[str, str]] = mapped_column(Fields(str), default=dict)
    # What a running loop does now: stage, done, total, at.
    progress: Mapped[dict[str, object]] = mapped_column(Fields(), default=dict)

    @property
    def key(self) -> str:
        """Name of the project in the model store; unlike Label Studio's id, never reused."""
        return f"{self.label_studio_id}-{self.created_stamp}"

    @property
    def reference(self) -> str:
        """What Label Studio calls the project in /setup and /predict."""
        return f"{self.label_studio_id}.{self.created_stamp}"


class Task(Base):
    """Mirror of one Label Studio task: its text, and what people said about it."""

    __tablename__ = "tasks"
    # Neither counting the outcomes and flags nor finding the last answers must read the texts.
    __table_args__ = (
        Index("ix_tasks_outcome", "project_id", "is_synthetic", "outcome"),
        Index("ix_tasks_answered_at", "project_id", "answered_at"),
        Index("ix_tasks_flag", "project_id", "flag", "annotations"),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    task_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    label: Mapped[str | None] = mapped_column(Text, default=None)
    annotations: Mapped[int] = mapped_column(default=0)
    is_labeled: Mapped[bool] = mapped_column(default=False)
    is_skipped: Mapped[bool] = mapped_column(default=False)
    is_synthetic: Mapped[bool] = mapped_column(default=False)
    generator: Mapped[str | None] = mapped_column(Text, default=None)
    slice: Mapped[str | None] = mapped_column(Text, default=None)
    intended_label: Mapped[str | None] = mapped_column(Text, default=None)
    # When it was first labelled; of a task answered without a label, when it was last answered.
    labelled_at: Mapped[str | None] = mapped_column(String(40), default=None)
    # When somebody last answered or skipped it.
    answered_at: Mapped[str | None] = mapped_column(String(40), default=None)
    # What came of the answers: see label_studio.tasks.Outcome.
    outcome: Mapped[str] = mapped_column(String(20), default="")
    # What each annotator said: see label_studio.tasks.Answer.
    answers: Mapped[list[dict[str, Any]]] = mapped_column(Items(dict), default=list)
    # What people together answered, by question: see label_studio.controls.protocol.Target.
    targets: Mapped[dict[str, list[str]]] = mapped_column(Fields(list), default=dict)
    # The texts that a question is about, each apart, by question, where that is not the whole text.
    parts: Mapped[dict[str, list[str]]] = mapped_column(Fields(list), default=dict)
    # Addresses of its pictures, by the name of the object that shows them.
    pictures: Mapped[dict[str, list[str]]] = mapped_column(Fields(list), default=dict)
    # What it says in words where it shows no text: see label_studio.task_words.
    words: Mapped[str] = mapped_column(Text, default="")
    # Our own fields on the task in Label Studio, as last read or written.
    shown: Mapped[dict[str, str]] = mapped_column(Fields(str), default=dict)
    # Our flag among these; empty where there is none.
    flag: Mapped[str] = mapped_column(String(20), default="")
    # Fields that the config shows, in which the task has no text.
    missing_fields: Mapped[list[str]] = mapped_column(Items(str), default=list)
    # What the fields say by which an admin wants the order changed.
    order_fields: Mapped[dict[str, str]] = mapped_column(Fields(str), default=dict)


class Embedding(Base):
    """A vector by content and encoder revision: nothing is ever encoded twice."""

    __tablename__ = "embeddings"

    encoder: Mapped[str] = mapped_column(String(128), primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class Media(Base):
    """A picture that a task refers to: what it holds once it is read, or why it cannot be."""

    __tablename__ = "media"
    __table_args__ = (Index("ix_media_fault", "project_id", "fault"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    # SHA-256 of the address.
    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Its beginning: an address may hold the picture itself.
    address: Mapped[str] = mapped_column(Text)
    # The task for which it was last fetched.
    task_id: Mapped[int]
    # SHA-256 of the bytes; empty until they are read.
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    # Why it cannot be read, as it follows "cannot be read: "; empty where it can. `is_passing`: it may be
    # there later, though the task stays as it is.
    fault: Mapped[str] = mapped_column(Text, default="")
    is_passing: Mapped[bool] = mapped_column(default=False)
    # How often it failed in a row, and when it is tried again.
    tries: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[float] = mapped_column(Seconds, default=0.0)
    byte_count: Mapped[int] = mapped_column(default=0)
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    # A small JPEG for the page; None until it is read.
    thumbnail: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    # Its perceptual hash and statistics, as `model.encoders.looks` packs them; None until worked out.
    look: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)


class WindowTask(Base):
    """One place of the published queue, the lane by which the task came there, and the line that says why."""

    __tablename__ = "window_tasks"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    task_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]
    lane: Mapped[str] = mapped_column(String(16))
    line: Mapped[str] = mapped_column(Text, default="")


class Loop(Base):
    """The history: what each loop found, did and measured."""

    __tablename__ = "loops"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment, default=None)
    outcome: Mapped[str] = mapped_column(String(16), default="running")
    version: Mapped[str | None] = mapped_column(String(64), default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    figures: Mapped[dict[str, object]] = mapped_column(Fields(), default=dict)


class NovelGroup(Base):
    """Tasks that seem to be of one class that the project does not have. `state`: open, added or rejected."""

    __tablename__ = "novel_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), default="open")
    members: Mapped[list[int]] = mapped_column(Items(int), default=list)
    typical: Mapped[list[int]] = mapped_column(Items(int), default=list)
    figures: Mapped[dict[str, object]] = mapped_column(Fields(), default=dict)
    version: Mapped[str] = mapped_column(String(64))


class SkipGroup(Base):
    """Tasks that people skipped, and open ones like them that wait; see workflows/project/skip_states.py.

    `is_mixed`: they are of no one kind.
    """

    __tablename__ = "skip_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), default="open")
    is_mixed: Mapped[bool] = mapped_column(default=False)
    skipped: Mapped[list[int]] = mapped_column(Items(int), default=list)
    waiting: Mapped[list[int]] = mapped_column(Items(int), default=list)


class Verdict(Base):
    """What the last loop found a synthetic task to be worth: see model.synthetic."""

    __tablename__ = "verdicts"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    task_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    verdict: Mapped[str] = mapped_column(String(16))
    value: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    realism: Mapped[float]
    duplicate_of: Mapped[int | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(Text)
    review_order: Mapped[float] = mapped_column(default=0.0)


class MapPoint(Base):
    """Where a task stands on the map of its pool, and what the version in use believes of it."""

    __tablename__ = "map_points"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    task_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    x: Mapped[float]
    y: Mapped[float]
    predicted: Mapped[str | None] = mapped_column(Text, default=None)
    confidence: Mapped[float | None] = mapped_column(default=None)


class Selection(Base):
    """Tasks that a person picked on the map. `use`: shown in a tab of Label Studio, or asked next."""

    __tablename__ = "selections"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    use: Mapped[str] = mapped_column(String(16))
    task_ids: Mapped[list[int]] = mapped_column(Items(int), default=list)
    # Label Studio's number of the tab; None of those that are asked next.
    tab: Mapped[int | None] = mapped_column(default=None)


class Decision(Base):
    """What a person decided about a project, and who it was."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    decided_at: Mapped[datetime] = mapped_column(Moment)
    decided_by: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(32))
    details: Mapped[dict[str, object]] = mapped_column(Fields(), default=dict)


class Relabelling(Base):
    """A change of classes in Label Studio, as it was planned. `state`: writing, done or undone.

    The config goes from `config_before` by `config_both`, which has old and new labels, to `config_after`.
    """

    __tablename__ = "relabellings"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    question: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    config_before: Mapped[str] = mapped_column(Text)
    config_both: Mapped[str] = mapped_column(Text)
    config_after: Mapped[str] = mapped_column(Text)


class RelabelledAnswer(Base):
    """One annotation that a change of classes writes. `state`: kept, restored or left.

    `before` is the whole annotation, `after` its new result. `is_removed`: it was taken out of Label Studio.
    """

    __tablename__ = "relabelled_answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    relabelling_id: Mapped[int] = mapped_column(ForeignKey("relabellings.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[int]
    annotation_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    before: Mapped[dict[str, Any]] = mapped_column(Fields())
    after: Mapped[list[Any]] = mapped_column(Items(dict))
    is_removed: Mapped[bool]


class Hint(Base):
    """Something may have changed: left by webhooks, the timer and people, taken away by the loop."""

    __tablename__ = "hints"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[float]


class EncodingBatch(Base):
    """Tasks whose texts some worker is to encode together; gone when that is done."""

    __tablename__ = "encoding_batches"
    __table_args__ = (Index("ix_encoding_batches_order", "tries", "place", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    # Revision of the encoder.
    encoder: Mapped[str] = mapped_column(String(128))
    # Of several projects' batches the first come first.
    place: Mapped[int]
    # A task of each text, and how many tasks show these texts.
    task_ids: Mapped[list[int]] = mapped_column(Items(int))
    size: Mapped[int]
    # Whether a loop is worth it once the batch is done.
    wakes: Mapped[bool]
    # Who encodes it, until when he is believed to; how often somebody began.
    claimed_by: Mapped[str | None] = mapped_column(String(128), default=None)
    claimed_until: Mapped[float] = mapped_column(Seconds, default=0.0)
    tries: Mapped[int] = mapped_column(default=0)
    # What kind of error each of its texts raises alone; empty while nothing is known against them.
    fault: Mapped[str] = mapped_column(Text, default="", server_default="")


class Worker(Base):
    """A worker process and when it was last seen alive."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    seen_at: Mapped[float] = mapped_column(Seconds)
    # How often its background threads failed since it started, and went on.
    failures: Mapped[int] = mapped_column(default=0)
    # Torch device that it encodes on.
    device: Mapped[str] = mapped_column(String(32), default="cpu", server_default="cpu")


class Secret(Base):
    """A random text that all processes share; of use only with a key that is not in the database."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Database:
    """The engine and its sessions; makes or migrates the tables when it is opened."""

    def __init__(self, address: str, *, lock_folder: Path) -> None:
        self.address = address
        self.engine = _open_engine(address)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        lock_folder.mkdir(parents=True, exist_ok=True)
        with FileLock(lock_folder / "migrations.lock"):
            self._migrate()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Raises DatabaseUnavailable when the database does not answer, is locked for long or full; LeaseLost
        where this thread wrote for a project that another has taken over.
        """
        with _named_errors(), self._sessions.begin() as session:
            yield session
            session.flush()
            check_fence(session)

    def now(self) -> float:
        """Seconds since 1970 by a clock that all processes share: PostgreSQL's, or this machine's.

        Leases of several machines are no better than the clock that they are measured by.
        """
        if self.engine.dialect.name == "sqlite":
            return time.time()
        with self.session() as session:
            return float(session.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())

    @contextmanager
    def durable(self) -> Iterator[Connection]:
        """A connection past the ORM whose commits outlive a power cut; what is not committed is rolled back.

        Raises DatabaseUnavailable like `session`.
        """
        with _named_errors(), self._durable.connect() as connection:
            yield connection

    def close(self) -> None:
        """Gives the connections back; the engine opens others when they are needed."""
        self.engine.dispose()
        if "_durable" in self.__dict__:
            self._durable.dispose()

    @cached_property
    def _durable(self) -> Engine:
        """PostgreSQL syncs every commit; SQLite does on connections that are told to."""
        if self.engine.dialect.name != "sqlite":
            return self.engine
        engine = _open_engine(self.address)
        event.listen(engine, "connect", _sync_commits)
        return engine

    def _migrate(self) -> None:
        with _named_errors(), self.engine.begin() as connection:
            if _revision(connection) == newest_revision():
                return
        with _named_errors(), self.engine.begin() as connection:
            # a lock of files holds on one machine only
            wait_for_turn(connection, "migrations")
            if _revision(connection) != newest_revision():
                _upgrade(connection)


@cache
def newest_revision() -> str | None:
    """The migration that no other follows, read off the files without Alembic; None where several are."""
    found = [match for path in (MIGRATIONS / "versions").glob("*.py") for match in _matches(path)]
    last = {name for earlier, name in found if not earlier} - {name for earlier, name in found if earlier}
    return last.pop() if len(last) == 1 else None


def _matches(path: Path) -> list[tuple[str, str]]:
    return _REVISION.findall(path.read_text(encoding="utf-8"))


def _revision(connection: Connection) -> str | None:
    """The last migration that a database has seen; None for a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # for new and older databases alone: it takes longer to import than to ask
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise MadeByLaterRelease(str(error)) from error


def upsert(session: Session, table: type[Base], rows: list[dict[str, Any]]) -> None:
    """Inserts rows in one statement; a row whose primary key exists takes the new values."""
    if rows:
        statement = _upsert_statement(table, tuple(rows[0]), session.get_bind().dialect.name)
        session.connection().execute(statement, rows)


def insert_new(session: Session, table: type[Base], row: dict[str, Any]) -> None:
    """Inserts a row; does nothing when there is one with its primary key, whoever was faster."""
    dialect = session.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    session.execute(insert(table).values(row).on_conflict_do_nothing())


def in_chunks(values: Sequence[T], size: int = _MOST_VALUES) -> Iterator[Sequence[T]]:
    """Parts of some values, in order; without a `size`, each fits into one SQL statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (NoResultFound, StaleDataError) as error:
        raise _gone() from error
    except IntegrityError as error:
        if "foreign key" in str(error.orig).lower():
            raise _gone() from error
        raise
    except (DatabaseError, InterfaceError, PoolTimeout) as error:
        cause = getattr(error, "orig", None)
        if not _is_of_the_database(error, cause):
            raise  # a wrong statement
        reason = str(cause or type(error).__name__).partition("\n")[0]
        raise DatabaseUnavailable(
            f"The database cannot be used now: {reason}.",
            hint="Is it running, does its disk have space, and may this user write there? Is DATABASE_URL "
            "right? A worker that runs tries again by itself.",
        ) from error


def _is_of_the_database(error: Exception, cause: BaseException | None) -> bool:
    """Whether it is the database that fails, is damaged, or was replaced by one without our tables."""
    name = getattr(cause, "sqlite_errorname", "")
    if name == "SQLITE_CORRUPT" or any(words in str(cause) for words in _LOST_TABLES):
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout) and name != "SQLITE_ERROR"


def _gone() -> RowGone:
    return RowGone(
        "What was there a moment ago is gone from the database: was the project removed from it, or another "
        "database put in its place?",
        hint="Run: nextlabel status, and connect the project again if it is not there.",
    )


@cache
def _upsert_statement(table: type[Base], names: tuple[str, ...], dialect: str) -> Executable:
    """Past the ORM, and made once: of one row it would be most of the time."""
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    statement = insert(Base.metadata.tables[table.__tablename__])
    keys = [column.name for column in inspect(table).primary_key]
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _open_engine(address: str) -> Engine:
    # hide_parameters: an error must not carry label text into a log
    engine = create_engine(
        address,
        pool_pre_ping=not address.startswith("sqlite"),
        hide_parameters=True,
        json_deserializer=read_json,
        connect_args=patience(address),
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    return engine


def _tune_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # WAL lets the web process read while the worker writes; NORMAL loses at most the last commits on a
    # power cut, which the timer makes good.
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=15000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sync_commits(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
