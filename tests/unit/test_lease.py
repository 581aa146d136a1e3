"""The lease: one loop of a project at a time, and no dead process keeps it."""

import os
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from backend.database import Project
from backend.errors import Busy, LeaseLost
from backend.workflows.project.lease import check_lease, lease
from backend.workflows.project.machine import this_machine
from backend.workflows.project.workspace import ensure_workspace
from demo.waiting import wait_for


@pytest.fixture
def project(context):
    return ensure_workspace(context, 1, 1_700_000_000)


@pytest.fixture
def holder(project):
    """holder(): who holds the lease, and until when; holder(owner, until): somebody holds it."""

    def look(owner=None, until=None):
        # as another process would: not by a session of this thread, which may hold the project itself
        with project.context.database.engine.begin() as connection:
            if owner is not None:
                taken = {"lease_owner": owner, "lease_until": until}
                connection.execute(update(Project).where(Project.id == project.id).values(taken))
            row = connection.execute(select(Project).where(Project.id == project.id)).one()
            return row.lease_owner, row.lease_until

    return look


@pytest.fixture
def dead_process():
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_while_one_holds_it_nobody_else_gets_it(project):
    with lease(project):
        with pytest.raises(Busy, match="Another loop") as caught, lease(project):
            pytest.fail("two at a time")
        assert "status" in caught.value.hint


def test_another_project_is_not_held(project):
    other = ensure_workspace(project.context, 2, 1_700_000_000)
    with lease(project), lease(other):
        pass


def test_it_is_given_back_after_the_loop(project, holder):
    with lease(project):
        assert holder()[0].startswith(f"{this_machine()}/{os.getpid()}/")
    assert holder() == (None, 0.0)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_it_is_given_back_when_the_loop_fails(error, project, holder):
    with pytest.raises(error), lease(project):
        raise error
    assert holder() == (None, 0.0)


def test_a_process_of_this_machine_that_was_killed_keeps_nothing(project, holder, dead_process):
    holder(f"{this_machine()}/{dead_process}/1", time.time() + 15)
    with lease(project):
        pass


def test_a_living_process_of_this_machine_keeps_it(project, holder):
    holder(f"{this_machine()}/{os.getpid()}/1", time.time() + 15)
    with pytest.raises(Busy), lease(project):
        pytest.fail("taken from the living")


def test_another_machine_keeps_it_until_it_runs_out(project, holder, dead_process):
    holder(f"elsewhere/{dead_process}/1", time.time() + 15)
    with pytest.raises(Busy), lease(project):
        pytest.fail("taken before it ran out")
    holder(f"elsewhere/{dead_process}/1", time.time() - 1)
    with lease(project):
        pass


def test_who_may_wait_gets_it_when_it_is_given_back(project):
    begun, enough = threading.Event(), threading.Event()

    def hold():
        with lease(project):
            begun.set()
            enough.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert begun.wait(30)
    threading.Timer(0.05, enough.set).start()
    with lease(project, wait_s=30):
        assert enough.is_set()
    other.join()


def test_it_is_renewed_while_it_is_held(project, holder, monkeypatch):
    monkeypatch.setattr("backend.workflows.project.lease._RENEW_S", 0.01)
    with lease(project):
        first = holder()[1]
        wait_for(lambda: holder()[1] > first, "the lease was renewed", timeout_s=30)


def test_who_lost_it_does_not_give_back_what_is_another_ones(project, holder):
    with lease(project):
        holder("elsewhere/1/1", time.time() + 15)
    assert holder()[0] == "elsewhere/1/1"


def test_a_renewal_that_fails_is_tried_again(project, holder, database_fails, monkeypatch):
    monkeypatch.setattr("backend.workflows.project.lease._RENEW_S", 0.01)
    survived = project.context.survived
    with lease(project):
        first = holder()[1]
        with database_fails("UPDATE projects"):
            wait_for(lambda: survived.count > 2, "renewals failed", timeout_s=30)
        wait_for(lambda: holder()[1] > first, "the lease was renewed", timeout_s=30)
        check_lease(project)


def test_who_lost_it_is_told_before_he_writes(project, holder):
    with lease(project):
        check_lease(project)
        holder("elsewhere/1/1", time.time() + 15)
        with pytest.raises(LeaseLost):
            check_lease(project)


def test_a_lease_that_ran_out_and_was_taken_by_nobody_is_still_ones_own(project, holder):
    with lease(project):
        holder(holder()[0], time.time() - 5)
        check_lease(project)
        assert holder()[1] > time.time()


def test_whoever_waits_is_told_once_what_for(project, holder):
    told = []
    progress = SimpleNamespace(stage=lambda name, **_more: told.append(name))
    with lease(project, progress=progress):
        assert told == []
    holder(f"{this_machine()}/{os.getpid()}/1", time.time() + 15)
    with pytest.raises(Busy), lease(project, wait_s=0.5, progress=progress):
        pytest.fail("taken from the living")
    assert told == ["waiting for a loop of this project to end"]


def test_a_machine_of_the_same_name_with_other_process_numbers_is_another(project, holder, dead_process):
    holder(f"{socket.gethostname()}.01234567/{dead_process}/1", time.time() + 15)
    with pytest.raises(Busy), lease(project):
        pytest.fail("taken from a living container")


def test_who_was_frozen_past_its_lease_and_wakes_commits_nothing(project, holder):
    with pytest.raises(LeaseLost), lease(project):
        check_lease(project)
        holder("elsewhere/1/1", time.time() + 15)
        project.change(active_version="nl-000009")
    project.refresh()
    assert project.state.active_version is None and holder()[0] == "elsewhere/1/1"


def test_who_was_frozen_past_its_lease_may_still_read(project, holder):
    with lease(project):
        holder("elsewhere/1/1", time.time() + 15)
        project.refresh()
        assert project.tasks.count() == 0


def test_who_lost_it_asks_for_another_look_at_what_it_wrote_last(project, holder):
    with pytest.raises(LeaseLost), lease(project):
        holder("elsewhere/1/1", time.time() + 15)
        check_lease(project)
    assert project.hints.count("timer") == 1


def test_threads_that_hold_nothing_write_as_ever(project, holder):
    with lease(project):
        holder("elsewhere/1/1", time.time() + 15)
        other = threading.Thread(target=project.change, kwargs={"title": "written"})
        other.start()
        other.join()
    project.refresh()
    assert project.state.title == "written"
