"""The rows of the projects, and who holds one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import exists, func, or_, select, update

from backend.database import Database, Hint, Loop, Project


class Projects:
    """All projects that ever were; those that were disconnected keep their rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, label_studio_id: int, stamp: int | None = None) -> Project | None:
        """The project of a number in Label Studio, without a stamp the newest of this number."""
        query = select(Project).where(Project.label_studio_id == label_studio_id)
        if stamp is not None:
            query = query.where(Project.created_stamp == stamp)
        with self._database.session() as session:
            return session.scalar(query.order_by(Project.created_stamp.desc()).limit(1))

    def ensure(self, label_studio_id: int, stamp: int) -> Project:
        """The row of a project; it is made when it is new."""
        with self._database.session() as session:
            row = session.scalar(
                select(Project).where(
                    Project.label_studio_id == label_studio_id, Project.created_stamp == stamp
                )
            )
            if row is None:
                row = Project(label_studio_id=label_studio_id, created_stamp=stamp)
                session.add(row)
                session.flush()
        return row

    def get(self, project_id: int) -> Project | None:
        """A row by its number."""
        with self._database.session() as session:
            return session.get(Project, project_id)

    def change(self, project_id: int, values: Mapping[str, object]) -> Project:
        """Writes columns of a row; returns it as it is then."""
        with self._database.session() as session:
            row = session.get_one(Project, project_id)
            for name, value in values.items():
                setattr(row, name, value)
        return row

    def overwrite(self, project_id: int, values: Mapping[str, object]) -> None:
        """Writes columns of a row whatever they hold: a damaged value reads like what takes its place."""
        with self._database.session() as session:
            session.execute(update(Project).where(Project.id == project_id).values(dict(values)))

    def read(self, project_id: int) -> Project:
        """The row of a project that is there."""
        with self._database.session() as session:
            return session.get_one(Project, project_id)

    def connected(self) -> Sequence[Project]:
        """Every connected project, in the order in which they came."""
        with self._database.session() as session:
            return session.scalars(select(Project).where(Project.connected).order_by(Project.id)).all()

    def overlooked(self, *, before: float) -> Sequence[Project]:
        """Connected projects that nobody holds, with a hint from between the last look and `before`."""
        waits = exists().where(
            Hint.project_id == Project.id, Hint.created_at > Project.last_looked_at, Hint.created_at < before
        )
        query = select(Project).where(Project.connected, Project.lease_owner.is_(None), waits)
        with self._database.session() as session:
            return session.scalars(query.order_by(Project.id)).all()

    def with_hints(self) -> Sequence[Project]:
        """Connected projects of which something waits, the one that was looked at longest ago first."""
        waits = exists().where(Hint.project_id == Project.id)
        with self._database.session() as session:
            return session.scalars(
                select(Project).where(Project.connected, waits).order_by(Project.last_looked_at, Project.id)
            ).all()

    def keys(self) -> list[str]:
        """Names in the model store of every project."""
        with self._database.session() as session:
            return [project.key for project in session.scalars(select(Project))]

    def count_loops(self) -> list[tuple[int, str, int]]:
        """Label Studio's number of each connected project, an outcome, and how many of its loops had it."""
        with self._database.session() as session:
            counted = session.execute(
                select(Project.label_studio_id, Loop.outcome, func.count())
                .join(Project, Project.id == Loop.project_id)
                .where(Project.connected)
                .group_by(Project.label_studio_id, Loop.outcome)
            )
            return [(row[0], row[1], row[2]) for row in counted]

    def take_lease(
        self, project_id: int, owner: str, *, seconds: float, dead_owner: str | None = None
    ) -> bool:
        """Makes somebody the holder of a project, if it is free, ran out or is held by `dead_owner`.

        Compared and set in one statement: of several who try, one gets it. Returns whether it was this one.
        """
        now = self._database.now()
        free = [Project.lease_owner.is_(None), Project.lease_until < now]
        if dead_owner is not None:
            free.append(Project.lease_owner == dead_owner)
        with self._database.session() as session:
            taken = session.execute(
                update(Project)
                .where(Project.id == project_id, or_(*free))
                .values(lease_owner=owner, lease_until=now + seconds)
                .returning(Project.id)
            )
            return taken.scalar() is not None

    def renew_lease(self, project_id: int, owner: str, *, seconds: float) -> bool:
        """Lets the holder keep a project for longer; False for who does not hold it (any more)."""
        until = self._database.now() + seconds
        with self._database.session() as session:
            renewed = session.execute(
                update(Project)
                .where(Project.id == project_id, Project.lease_owner == owner)
                .values(lease_until=until)
                .returning(Project.id)
            )
            return renewed.scalar() is not None

    def is_live(self, until: float) -> bool:
        """Whether a lease that ends at a moment has not run out."""
        return until >= self._database.now()

    def held(self) -> Sequence[Project]:
        """Connected projects that somebody holds, or held when he died."""
        with self._database.session() as session:
            return session.scalars(
                select(Project).where(Project.connected, Project.lease_owner.is_not(None))
            ).all()

    def break_lease(self, project_id: int, owner: str, *, until: float) -> bool:
        """Takes a project from a dead holder; False when it was renewed or taken since it ran `until`."""
        with self._database.session() as session:
            broken = session.execute(
                update(Project)
                .where(Project.id == project_id, Project.lease_owner == owner, Project.lease_until == until)
                .values(lease_owner=None, lease_until=0.0)
                .returning(Project.id)
            )
            return broken.scalar() is not None

    def look_anew(self) -> None:
        """Nobody holds a project any more, and its next loop, which is due now, reads all of its tasks."""
        with self._database.session() as session:
            anew = {"last_looked_at": 0.0, "read_whole_at": 0.0, "lease_owner": None, "lease_until": 0.0}
            session.execute(update(Project).values(anew))

    def release_lease(self, project_id: int, owner: str) -> None:
        """Gives a project back; does nothing for who does not hold it."""
        with self._database.session() as session:
            session.execute(
                update(Project)
                .where(Project.id == project_id, Project.lease_owner == owner)
                .values(lease_owner=None, lease_until=0.0)
            )
