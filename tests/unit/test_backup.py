"""`backup` and `restore`: everything or nothing, beside a live server, and never over something else."""

import json
import multiprocessing
import os
import shutil
import sqlite3
import threading
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from backend.backup.archive import DATABASE_ENTRY
from backend.backup.make import make_backup, open_settings
from backend.backup.restore import restore_backup
from backend.errors import BadRequest, Busy, DatabaseUnavailable, DiskUnavailable
from model.stores.folder import FolderStore
from tests.conftest import WEBHOOK_SECRET
from tests.fake_label_studio import LEGACY_TOKEN
from tests.unit.test_old_release import RELEASE
from tests.workbench import DATABASE, Workbench


@pytest.fixture
def backup(trained, tmp_path):
    """A backup of a project with three versions."""
    path = tmp_path / "monday.nlb"
    make_backup(trained.context.settings, path)
    return path


@pytest.fixture
def elsewhere(make_settings, tmp_path):
    """The settings of an empty machine."""
    return make_settings(data_dir=tmp_path / "elsewhere")


def query(path, statement):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(statement).fetchall()


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


def write_again(path, change):
    """The backup with its entries changed: `change` takes a dict of contents by entry."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def change_manifest(path, **changes):
    def change(contents):
        contents["backup.json"] = json.dumps(json.loads(contents["backup.json"]) | changes).encode()

    write_again(path, change)


def test_a_restored_backend_serves_the_same_version_and_goes_on(
    trained, backup, elsewhere, make_context, make_app, label_studio
):
    window = trained.window
    done = restore_backup(elsewhere, backup)
    assert (done.projects, done.versions, done.aside) == (1, 3, None)
    context = make_context(elsewhere)
    make_app(context)
    bench = Workbench(context, label_studio, trained.project_id)
    assert (bench.version, bench.window) == (trained.version, window)
    assert files(elsewhere.model_folder) == files(trained.context.settings.model_folder)
    assert bench.loop().outcome == "unchanged"
    bench.label(6)
    assert bench.loop().outcome == "published"


def test_what_was_deleted_since_the_backup_is_gone_after_the_first_loop(
    trained, backup, elsewhere, make_context, make_app, label_studio
):
    gone = trained.window[:3]
    label_studio.delete_tasks(gone)
    restore_backup(elsewhere, backup)
    context = make_context(elsewhere)
    make_app(context)
    bench = Workbench(context, label_studio, trained.project_id)
    bench.loop()
    assert not set(gone) & set(bench.window)


def test_a_backup_is_made_while_others_write(trained, tmp_path):
    """Rows that belong together stay together: each transaction writes two."""
    source = trained.context.settings.data_dir / DATABASE
    stop = threading.Event()

    def write():
        with closing(sqlite3.connect(source, timeout=15)) as database:
            while not stop.is_set():
                database.execute("INSERT INTO hints (project_id, kind, created_at) VALUES (1, 'one', 0)")
                database.execute("INSERT INTO hints (project_id, kind, created_at) VALUES (1, 'two', 0)")
                database.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            made = make_backup(trained.context.settings, tmp_path / f"{number}.nlb")
            with zipfile.ZipFile(made.path) as archive:
                archive.extract(DATABASE_ENTRY, tmp_path)
            counts = dict(query(tmp_path / DATABASE_ENTRY, "SELECT kind, count(*) FROM hints GROUP BY kind"))
            assert counts.get("one") == counts.get("two")
    finally:
        stop.set()
        writer.join()


def test_no_secret_is_in_a_backup(make_context, make_settings, tmp_path):
    settings = make_settings(
        basic_auth_user="admin", basic_auth_pass="a-password-of-ours", secret_key="a-key-of-ours"
    )
    make_context(settings)
    make_backup(settings, tmp_path / "monday.nlb")
    with zipfile.ZipFile(tmp_path / "monday.nlb") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        told = json.loads(archive.read("backup.json"))["settings"]
    for secret in (LEGACY_TOKEN, "a-password-of-ours", "a-key-of-ours", WEBHOOK_SECRET):
        assert secret.encode() not in everything
    assert told["QUEUE_WINDOW"] == "10" and "BASIC_AUTH_PASS" not in told and "DATABASE_URL" not in told


def test_an_address_with_a_password_is_no_open_setting(make_settings):
    assert "LABEL_STUDIO_URL" not in open_settings(make_settings(label_studio_url="http://a:secret@b:80"))


def test_only_its_owner_can_read_a_backup(backup):
    assert backup.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_replaced_only_when_told(trained, backup):
    backup.write_bytes(b"another file")
    with pytest.raises(BadRequest, match="is there already"):
        make_backup(trained.context.settings, backup)
    assert backup.read_bytes() == b"another file"
    make_backup(trained.context.settings, backup, overwrite=True)
    with zipfile.ZipFile(backup) as archive:
        assert archive.testzip() is None


def test_a_backup_that_fails_leaves_nothing(trained, tmp_path, monkeypatch):
    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setattr("model.stores.folder.FolderStore.read", fail)
    with pytest.raises(DiskUnavailable, match="No space left"):
        make_backup(trained.context.settings, folder / "monday.nlb")
    assert list(folder.iterdir()) == []


def test_a_file_in_a_folder_that_is_not_there_is_named(trained, tmp_path):
    with pytest.raises(BadRequest, match=r"nowhere/monday.nlb cannot be written: No such file") as refused:
        make_backup(trained.context.settings, tmp_path / "nowhere" / "monday.nlb")
    assert "may write" in refused.value.hint


def test_a_restored_folder_is_closed_to_others(backup, elsewhere):
    restore_backup(elsewhere, backup)
    assert elsewhere.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_damaged_database_is_not_backed_up(trained, tmp_path):
    settings = trained.context.settings
    trained.context.close()
    source = settings.data_dir / DATABASE
    query(source, "PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(source.read_bytes())
    content[8192 : 8192 + 4096 * 20] = os.urandom(4096 * 20)
    source.write_bytes(content)
    with pytest.raises(DatabaseUnavailable, match="cannot be read"):
        make_backup(settings, tmp_path / "monday.nlb")
    assert not (tmp_path / "monday.nlb").exists()


def test_there_must_be_a_database(elsewhere, tmp_path):
    with pytest.raises(BadRequest, match="There is no database"):
        make_backup(elsewhere, tmp_path / "monday.nlb")
    assert not elsewhere.data_dir.exists()


def test_postgresql_is_left_to_its_own_tools(make_settings, tmp_path):
    settings = make_settings(database_url="postgresql+psycopg://u@h/n")
    for act in (make_backup, restore_backup):
        with pytest.raises(BadRequest) as caught:
            act(settings, tmp_path / "monday.nlb")
        assert "pg_dump" in caught.value.hint


def test_every_cut_and_every_changed_byte_is_refused(backup, elsewhere):
    whole = backup.read_bytes()
    with zipfile.ZipFile(backup) as archive:
        inside = [entry.header_offset + entry.compress_size // 2 + 60 for entry in archive.infolist()]
    cuts = [whole[:part] for part in (0, 1, len(whole) // 2, len(whole) - 30)]
    changed = []
    for place in inside:
        content = bytearray(whole)
        content[place] ^= 0xFF
        changed.append(bytes(content))
    for content in cuts + changed:
        backup.write_bytes(content)
        with pytest.raises(BadRequest):
            restore_backup(elsewhere, backup)
    assert not (elsewhere.data_dir / DATABASE).exists() and not elsewhere.model_folder.exists()


def test_a_file_that_is_missing_or_another_one_is_named(backup, elsewhere):
    whole = backup.read_bytes()
    for change in (lambda c: c.pop(DATABASE_ENTRY), lambda c: c.update({DATABASE_ENTRY: b"something else"})):
        backup.write_bytes(whole)
        write_again(backup, change)
        with pytest.raises(BadRequest, match="is damaged: nextlabel.db"):
            restore_backup(elsewhere, backup)
    assert not elsewhere.model_folder.exists()


@pytest.mark.parametrize(
    "name", ["../../evil", "models/../x/y", "models/a/b/../../c", "/etc/passwd", "models/a"]
)
def test_no_entry_leaves_its_folder(name, backup, elsewhere, tmp_path):
    before = set(tmp_path.rglob("*"))

    def change(contents):
        told = json.loads(contents["backup.json"])
        entry = next(key for key in told["entries"] if key.startswith("models/"))
        told["entries"][name] = told["entries"].pop(entry)
        contents[name] = contents.pop(entry)
        contents["backup.json"] = json.dumps(told).encode()

    write_again(backup, change)
    with pytest.raises(BadRequest, match="no file of a model version"):
        restore_backup(elsewhere, backup)
    assert {path for path in set(tmp_path.rglob("*")) - before if path.is_file()} == set()


def test_a_later_format_or_schema_is_refused(backup, elsewhere):
    change_manifest(backup, format=2)
    with pytest.raises(BadRequest, match="format 2"):
        restore_backup(elsewhere, backup)
    change_manifest(backup, format=1, schema="9999")
    with pytest.raises(BadRequest, match="another database than it says"):
        restore_backup(elsewhere, backup)


def test_a_database_of_a_later_release_is_refused(trained, elsewhere, tmp_path):
    source = trained.context.settings.data_dir / DATABASE
    with closing(sqlite3.connect(source)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    make_backup(trained.context.settings, tmp_path / "later.nlb")
    with pytest.raises(BadRequest, match="made by a later release"):
        restore_backup(elsewhere, tmp_path / "later.nlb")
    assert files(elsewhere.data_dir) == {}


def test_a_backup_of_an_earlier_release_is_brought_to_this_one(
    make_settings, elsewhere, make_context, make_app, label_studio, tmp_path
):
    old = make_settings(data_dir=tmp_path / "old")
    shutil.copytree(RELEASE / "models", old.model_folder)
    shutil.copy(RELEASE / DATABASE, old.data_dir)
    schema = query(old.data_dir / DATABASE, "SELECT version_num FROM alembic_version")
    make_backup(old, tmp_path / "old.nlb")
    assert query(old.data_dir / DATABASE, "SELECT version_num FROM alembic_version") == schema
    restore_backup(elsewhere, tmp_path / "old.nlb")
    label_studio.from_json(json.loads((RELEASE / "label-studio.json").read_text()))
    context = make_context(elsewhere)
    make_app(context)
    assert Workbench(context, label_studio, 1).version == "nl-000004"


def test_a_database_that_is_there_is_set_aside_and_only_when_told(trained, backup):
    settings = trained.context.settings
    trained.label(3)
    trained.loop()
    trained.context.close()
    labelled = query(settings.data_dir / DATABASE, "SELECT count(*) FROM loops")
    with pytest.raises(BadRequest, match="There is a database already"):
        restore_backup(settings, backup)
    done = restore_backup(settings, backup, overwrite=True)
    assert query(done.aside, "SELECT count(*) FROM loops") == labelled
    assert query(settings.data_dir / DATABASE, "SELECT count(*) FROM loops") < labelled


def test_nothing_is_restored_under_a_server_that_runs(trained, backup):
    settings = trained.context.settings
    assert trained.version  # its connection stays open, as that of a server that nobody asks
    with pytest.raises(Busy, match="A server or worker is using"):
        restore_backup(settings, backup, overwrite=True)
    trained.context.close()
    restore_backup(settings, backup, overwrite=True)


def test_a_worker_that_was_seen_lately_counts_as_running(trained, backup):
    context = trained.context
    context.workers.see("host/1", time.time(), forget_before=0.0, failures=0)
    context.close()
    with pytest.raises(Busy, match=r"sign of life in .* [0-2] s ago") as refused:
        restore_backup(context.settings, backup, overwrite=True)
    assert "If it was killed: try again in 30 s" in refused.value.hint


def test_workers_of_the_backup_are_none_of_the_restored_folder(trained, elsewhere, tmp_path):
    trained.context.workers.see("host/1", time.time(), forget_before=0.0, failures=0)
    path = tmp_path / "beside-a-worker.nlb"
    make_backup(trained.context.settings, path)
    restore_backup(elsewhere, path)
    assert query(elsewhere.data_dir / DATABASE, "SELECT name FROM workers") == []
    restore_backup(elsewhere, path, overwrite=True)
    assert trained.context.workers.living(time.time()) == ["host/1"], "the one that runs is not forgotten"


def test_versions_that_differ_are_written_anew_only_when_told(trained, backup, make_settings, tmp_path):
    models = trained.context.settings.model_folder
    damaged = next(models.glob("*/nl-000002/head.safetensors"))
    whole = damaged.read_bytes()
    damaged.write_bytes(b"damaged")
    missing = next(models.glob("*/nl-000003/manifest.json"))
    missing.unlink()
    settings = make_settings(data_dir=tmp_path / "elsewhere", model_store=models)
    with pytest.raises(BadRequest, match="other versions of the same names"):
        restore_backup(settings, backup)
    assert not (settings.data_dir / DATABASE).exists()
    restore_backup(settings, backup, overwrite=True)
    assert damaged.read_bytes() == whole and missing.exists()


def test_settings_that_changed_since_are_told(backup, make_settings, tmp_path):
    settings = make_settings(data_dir=tmp_path / "elsewhere", queue_window=50)
    assert restore_backup(settings, backup).differing["QUEUE_WINDOW"] == ("10", "50")


def test_a_database_without_room_leaves_all_as_it_was(backup, elsewhere, monkeypatch):
    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.backup.archive.Reader.extract", fail)
    with pytest.raises(DiskUnavailable):
        restore_backup(elsewhere, backup)
    assert not (elsewhere.data_dir / DATABASE).exists()
    monkeypatch.undo()


def _restore_and_die(settings, path, step):
    counted = iter(range(step))

    def die_at_last(real):
        def replaced(*arguments, **options):
            if next(counted, None) is None:
                os.kill(os.getpid(), 9)
            return real(*arguments, **options)

        return replaced

    FolderStore.publish = die_at_last(FolderStore.publish)
    FolderStore.replace = die_at_last(FolderStore.replace)
    Path.rename = die_at_last(Path.rename)
    restore_backup(settings, path)


@pytest.mark.parametrize("step", range(7))
def test_a_restore_that_is_killed_leaves_no_database_and_can_be_run_again(step, backup, elsewhere):
    process = multiprocessing.get_context("fork").Process(
        target=_restore_and_die, args=(elsewhere, backup, step)
    )
    process.start()
    process.join(60)
    assert process.exitcode in (0, -9)
    if process.exitcode == -9:
        assert not (elsewhere.data_dir / DATABASE).exists()
        restore_backup(elsewhere, backup)
    assert query(elsewhere.data_dir / DATABASE, "SELECT count(*) FROM projects") == [(1,)]
    assert len(list(elsewhere.model_folder.glob("*/nl-*/manifest.json"))) == 3


def test_the_commands_say_what_they_did(trained, run_command, monkeypatch, tmp_path):
    settings, file = trained.context.settings, tmp_path / "monday.nlb"
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    told = run_command(trained.context, "backup", str(file))
    assert told.exit_code == 0 and "holds 1 projects and 3 versions" in told.stdout
    again = run_command(trained.context, "backup", str(file))
    assert again.exit_code == 1 and "is there already" in again.stderr
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "elsewhere"))
    told = run_command(trained.context, "restore", str(file))
    assert told.exit_code == 0 and "1 projects and 3 versions are as of" in told.stdout
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "third"))
    data = json.loads(run_command(trained.context, "restore", str(file), "--json").stdout)
    assert (data["projects"], data["versions"], data["set_aside"]) == (1, 3, None)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_errors_of_both_commands_are_json_too(command, trained, run_command, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "nothing"))
    result = run_command(trained.context, command, str(tmp_path / "missing.nlb"), "--json")
    error = json.loads(result.stdout)["error"]
    assert result.exit_code == 1 and result.stderr == ""
    assert set(error) == {"code", "message", "hint"} and error["code"] == "bad-request"
