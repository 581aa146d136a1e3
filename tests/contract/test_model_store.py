"""What every kind of model store promises: a version is whole or not there, whoever is killed or late."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from model.registry import ModelRegistry, VersionBroken, VersionExists, VersionMissing
from model.stores import MANIFEST_FILE, FileDamaged, FolderTaken, StoreUnreachable, StoreUnusable
from model.stores.cache import FileCache
from model.stores.folder import FolderStore
from model.stores.remote import RemoteStore
from tests.unit.test_registry import a_head, a_manifest, some_words, with_words

ROOT = Path(__file__).resolve().parents[2]
FILES = {"head.safetensors": b"head", "record.safetensors": b"", MANIFEST_FILE: b"{}"}
PROJECT, VERSION = "7-abc", "nl-000001"


class OfFolder:
    """Versions in a folder; every `store()` is that of another process."""

    def __init__(self, folder):
        self.folder = folder

    def store(self):
        return FolderStore(self.folder)

    def write(self, path, content):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def read(self, path):
        return (self.folder / path).read_bytes()

    def remove(self, path):
        (self.folder / path).unlink()

    def names(self):
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}


class OfAddress:
    """Versions behind an address; every `store()` is that of another machine, with a cache of its own."""

    def __init__(self, address, caches):
        self.address = address
        self._caches = caches
        self._count = 0
        self.files, self.root = fsspec.core.url_to_fs(address, use_listings_cache=False)

    def store(self):
        self._count += 1
        cache = FileCache(self._caches / str(self._count), most_bytes=2**20)
        return RemoteStore(self.files, self.root, place=self.address, cache=cache)

    def write(self, path, content):
        self.files.pipe_file(f"{self.root}/{path}", content)

    def read(self, path):
        return self.files.cat_file(f"{self.root}/{path}")

    def remove(self, path):
        self.files.rm_file(f"{self.root}/{path}")

    def names(self):
        try:
            found = self.files.find(self.root)
        except FileNotFoundError:
            return set()
        return {path.strip("/").removeprefix(self.root.strip("/") + "/") for path in found}


@pytest.fixture(params=["folder", "memory", "s3"])
def kind(request, tmp_path):
    if request.param == "folder":
        yield OfFolder(tmp_path / "models")
    elif request.param == "memory":
        found = OfAddress("memory://bucket/models", tmp_path / "caches")
        yield found
        found.files.store.clear()
    else:
        bucket = request.getfixturevalue("bucket")
        yield OfAddress(f"s3://{bucket}/models", tmp_path / "caches")


@pytest.fixture
def no_delay(monkeypatch):
    """What was seen of a version is not believed for a moment."""
    monkeypatch.setattr("model.stores.seen._FRESH_S", -1.0)


def test_a_store_that_works_is_usable_and_a_check_leaves_nothing(kind):
    kind.store().check()
    assert kind.names() == set()


def test_what_one_writes_another_reads_bit_for_bit(kind):
    kind.store().publish(PROJECT, VERSION, FILES)
    other = kind.store()
    assert other.folders(PROJECT) == {VERSION: frozenset(FILES)}
    assert {name: other.read(PROJECT, VERSION, name) for name in FILES} == FILES
    assert set(other.look(PROJECT, VERSION, FILES)) == set(FILES)
    assert kind.names() == {f"{PROJECT}/{VERSION}/{name}" for name in FILES}


def test_what_is_not_there_is_not_there(kind):
    store = kind.store()
    assert store.folders(PROJECT) == {} and store.claimed(PROJECT) == frozenset()
    assert store.look(PROJECT, VERSION, FILES) is None
    with pytest.raises(FileNotFoundError):
        store.read(PROJECT, VERSION, MANIFEST_FILE)
    store.remove(PROJECT, VERSION, MANIFEST_FILE)
    assert store.sweep(PROJECT, older_than_s=0.0) == 0


def test_a_folder_is_never_written_twice(kind):
    kind.store().publish(PROJECT, VERSION, FILES)
    with pytest.raises(FolderTaken):
        kind.store().publish(PROJECT, VERSION, {MANIFEST_FILE: b"other"})
    assert kind.store().read(PROJECT, VERSION, MANIFEST_FILE) == b"{}"


def test_a_file_of_another_hash_is_damaged_and_not_kept(kind):
    store = kind.store()
    store.publish(PROJECT, VERSION, FILES)
    for _ in range(2):
        with pytest.raises(FileDamaged, match="head.safetensors is not what was written"):
            store.read(PROJECT, VERSION, "head.safetensors", sha256="0" * 64)
    assert store.read(PROJECT, VERSION, "head.safetensors") == b"head"


def test_one_file_is_replaced_and_removed(kind):
    store, other = kind.store(), kind.store()
    for content in (b"one", b"another"):
        store.replace(PROJECT, "words", "a.safetensors", content)
        assert store.read(PROJECT, "words", "a.safetensors") == content
    store.remove(PROJECT, "words", "a.safetensors")
    assert other.look(PROJECT, "words", ["a.safetensors"]) in (None, {})


class Killed(BaseException):
    """What a kill is for these tests: nothing after it runs, no cleaning either."""


def die_before(monkeypatch, count):
    """The writer is killed before it writes its file of that number."""
    left = [count]

    def counted(write):
        def write_or_die(*arguments):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return write(*arguments)

        return write_or_die

    monkeypatch.setattr("model.stores.folder._write", counted(_folder_write))
    monkeypatch.setattr("model.stores.folder.shutil.rmtree", lambda *_, **_more: None)
    monkeypatch.setattr(RemoteStore, "_create", counted(RemoteStore._create))
    monkeypatch.setattr(RemoteStore, "_take_back", lambda *_: None)


_folder_write = sys.modules["model.stores.folder"]._write


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_writer_killed_between_two_files_leaves_nothing_to_see_and_is_swept(kind, count, monkeypatch):
    last = 2 if isinstance(kind, OfFolder) else 3  # an address has a claim as well
    with monkeypatch.context() as patched, pytest.raises(Killed):
        die_before(patched, min(count, last))
        kind.store().publish(PROJECT, VERSION, FILES)
    other = kind.store()
    assert other.folders(PROJECT) == {} and other.look(PROJECT, VERSION, FILES) is None
    other.publish(PROJECT, "nl-000002", FILES)
    left = kind.names()
    assert other.sweep(PROJECT, older_than_s=60.0) == 0 and kind.names() == left  # he may be alive
    other.sweep(PROJECT, older_than_s=-1.0)
    assert kind.names() == {f"{PROJECT}/nl-000002/{name}" for name in FILES}
    other.publish(PROJECT, VERSION, FILES)
    assert set(kind.store().folders(PROJECT)) == {VERSION, "nl-000002"}


def test_of_writers_at_once_one_wins_and_nothing_is_mixed(kind):
    for number in range(5):
        version, start, won = f"nl-{number:06}", threading.Barrier(4), []

        def write(name, version=version, start=start, won=won):
            store = kind.store()
            start.wait()
            try:
                store.publish(PROJECT, version, dict.fromkeys(FILES, name.encode()))
            except FolderTaken:
                return
            won.append(name)

        writers = [threading.Thread(target=write, args=(f"writer {at}",)) for at in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(won) <= 1
        other = kind.store()
        assert (version in other.folders(PROJECT)) == bool(won)
        if won:
            assert {other.read(PROJECT, version, name) for name in FILES} == {won[0].encode()}


def test_who_reads_while_others_write_sees_whole_versions_alone(kind):
    registry, done = ModelRegistry(kind.store()), threading.Event()
    trained = a_head().head

    def read():
        reader, seen = ModelRegistry(kind.store()), []
        while not done.is_set() or len(seen) < 8:
            seen = reader.folders(PROJECT)
            for version in seen:
                assert reader.load(PROJECT, version)[1] == a_manifest(version)

    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read)
        try:
            for number in range(8):
                version = f"nl-{number:06}"
                registry.save(PROJECT, version, trained, a_manifest(version), record=b"record")
        finally:
            done.set()
        reading.result(120)


# Versions, as the registry reads them


DAMAGES = {
    "no manifest": lambda kind: kind.remove(f"{PROJECT}/{VERSION}/{MANIFEST_FILE}"),
    "no head": lambda kind: kind.remove(f"{PROJECT}/{VERSION}/head.safetensors"),
    "a cut head": lambda kind: kind.write(f"{PROJECT}/{VERSION}/head.safetensors", b"cut"),
    "an empty head": lambda kind: kind.write(f"{PROJECT}/{VERSION}/head.safetensors", b""),
    "half a manifest": lambda kind: kind.write(f"{PROJECT}/{VERSION}/{MANIFEST_FILE}", b'{"version": "nl'),
    "one bit of the head": lambda kind: turn_bit(kind, f"{PROJECT}/{VERSION}/head.safetensors"),
    "a manifest of another seed": lambda kind: change_manifest(kind, seed=8),
    "another hash": lambda kind: change_manifest(kind, files={"head.safetensors": "0" * 64}),
    "no hash of the head": lambda kind: change_manifest(kind, files={}),
}


def turn_bit(kind, path):
    content = bytearray(kind.read(path))
    content[-2] ^= 1
    kind.write(path, bytes(content))


def change_manifest(kind, **changes):
    path = f"{PROJECT}/{VERSION}/{MANIFEST_FILE}"
    kind.write(path, json.dumps(json.loads(kind.read(path)) | changes, indent=2).encode())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_version_is_broken_for_who_read_it_before_and_who_did_not(kind, damage, no_delay):
    registry = ModelRegistry(kind.store())
    registry.save(PROJECT, VERSION, a_head().head, a_manifest())
    assert registry.load(PROJECT, VERSION)[1] == a_manifest()
    damage(kind)
    for each in (registry, ModelRegistry(kind.store())):
        with pytest.raises(VersionBroken, match=f"'{VERSION}' in .*/{PROJECT} cannot be read"):
            each.load(PROJECT, VERSION)
        assert each.folders(PROJECT) == [VERSION]
        assert each.taken(PROJECT) == {VERSION}
        with pytest.raises(VersionExists):
            each.save(PROJECT, VERSION, a_head().head, a_manifest())


def test_a_record_that_is_not_the_one_of_the_manifest_is_broken(kind, no_delay):
    registry = ModelRegistry(kind.store())
    registry.save(PROJECT, VERSION, a_head().head, a_manifest(), record=b"record")
    assert registry.load_record(PROJECT, VERSION) == b"record"
    kind.write(f"{PROJECT}/{VERSION}/record.safetensors", b"the record of another")
    with pytest.raises(VersionBroken, match="record.safetensors is not what was written"):
        registry.load_record(PROJECT, VERSION)
    assert registry.load(PROJECT, VERSION)[1] == a_manifest()
    kind.remove(f"{PROJECT}/{VERSION}/record.safetensors")
    assert registry.load_record(PROJECT, VERSION) is None


def test_a_version_of_old_without_hashes_is_read_as_it_is(kind):
    registry = ModelRegistry(kind.store())
    registry.save(PROJECT, VERSION, a_head().head, a_manifest())
    head = kind.read(f"{PROJECT}/{VERSION}/head.safetensors")
    kind.write("8-def/nl-000001/head.safetensors", save_tensors(load_tensors(head)))
    kind.write(f"8-def/nl-000001/{MANIFEST_FILE}", a_manifest().to_json().encode())
    assert ModelRegistry(kind.store()).load("8-def", VERSION)[1] == a_manifest()


def test_versions_go_with_the_files_from_one_kind_of_store_to_another(kind, tmp_path):
    here = OfFolder(tmp_path / "here")
    registry = ModelRegistry(here.store())
    registry.save_words(PROJECT, some_words())
    registry.save(PROJECT, "nl-000002", a_head().head, with_words(), record=b"record")
    for name in here.names():
        kind.write(name, here.read(name))
    other = ModelRegistry(kind.store())
    assert other.load(PROJECT, "nl-000002")[1] == with_words()
    assert other.load_record(PROJECT, "nl-000002") == b"record"


def test_a_copy_that_is_half_done_is_broken_until_it_is_whole(kind, tmp_path):
    here = OfFolder(tmp_path / "here")
    ModelRegistry(here.store()).save(PROJECT, VERSION, a_head().head, a_manifest())
    registry = ModelRegistry(kind.store())
    with pytest.raises(VersionMissing):
        registry.load(PROJECT, VERSION)
    for name in sorted(here.names()):  # the head comes first
        kind.write(name, here.read(name)[:-20])
        with pytest.raises(VersionBroken):
            registry.load(PROJECT, VERSION)
        kind.write(name, here.read(name))
    assert ModelRegistry(kind.store()).load(PROJECT, VERSION)[1] == a_manifest()


def test_words_that_no_version_needs_make_room_everywhere(kind):
    registry = ModelRegistry(kind.store())
    registry.save_words("1", some_words("tfidf@0a"))
    registry.save("1", "nl-000002", a_head().head, with_words())
    assert registry.save_words("1", some_words("tfidf@0b")) == ["tfidf@0a"]
    assert sorted(registry.save_words("1", some_words("tfidf@0c"))) == ["tfidf@0a", "tfidf@0b"]
    assert ModelRegistry(kind.store()).load_words("1", "tfidf@0b") is None
    assert ModelRegistry(kind.store()).load("1", "nl-000002")[1].words == "tfidf@0a"
    assert registry.versions("1") == ["nl-000002"]


# Processes that are killed


WRITER = """
import sys
import fsspec
from model.stores.cache import FileCache
from model.stores.folder import FolderStore
from model.stores.remote import RemoteStore
from pathlib import Path
place, cache, start = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
if "://" in place:
    files, root = fsspec.core.url_to_fs(place, use_listings_cache=False)
    store = RemoteStore(files, root, place=place, cache=FileCache(cache, most_bytes=2**20))
else:
    store = FolderStore(Path(place))
for number in range(start, start + 1000):
    content = str(number).encode() * 20_000
    store.publish("p", f"nl-{number:06}", {"a": content, "b": content, "manifest.json": content})
    print("one is whole", flush=True)
"""


@pytest.mark.parametrize("kind", ["folder", "s3"], indirect=True)
def test_what_a_killed_process_had_not_finished_is_not_there(kind, tmp_path):
    place = kind.address if isinstance(kind, OfAddress) else str(kind.folder)
    whole = set()
    for attempt in range(4):
        command = [sys.executable, "-c", WRITER, place, str(tmp_path / "cache"), str(attempt * 1000)]
        with subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(0.03 + 0.037 * attempt)
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        store = kind.store()
        found = store.folders("p")
        assert len(found) > len(whole) and whole <= set(found)
        for version, files in found.items():
            assert files == {"a", "b", MANIFEST_FILE}
            expected = str(int(version.removeprefix("nl-"))).encode() * 20_000
            assert {store.read("p", version, name) for name in files} == {expected}
        whole = set(found)
    kind.store().sweep("p", older_than_s=-1.0)
    assert kind.names() == {f"p/{name}/{file}" for name in whole for file in ("a", "b", MANIFEST_FILE)}


# What only an address has


@pytest.fixture
def remote(tmp_path):
    found = OfAddress("memory://bucket/models", tmp_path / "caches")
    yield found
    found.files.store.clear()


def test_a_writer_that_sleeps_too_long_is_told_and_leaves_nothing(remote, monkeypatch):
    store, other, create = remote.store(), remote.store(), RemoteStore._create

    def sleep_before_the_manifest(self, path, content):
        if self is store and path.endswith("record.safetensors"):
            assert other.sweep(PROJECT, older_than_s=-1.0) == 1
        create(self, path, content)

    monkeypatch.setattr(RemoteStore, "_create", sleep_before_the_manifest)
    with pytest.raises(FolderTaken):
        store.publish(PROJECT, VERSION, FILES)
    assert remote.names() == set()
    other.publish(PROJECT, VERSION, FILES)


def test_a_writer_whose_name_was_taken_while_it_slept_changes_nothing(remote, monkeypatch):
    store, other, create = remote.store(), remote.store(), RemoteStore._create
    theirs = dict.fromkeys(FILES, b"theirs")

    def sleep_before_the_manifest(self, path, content):
        if self is store and path.endswith("record.safetensors"):
            other.sweep(PROJECT, older_than_s=-1.0)
            other.publish(PROJECT, VERSION, theirs)
        create(self, path, content)

    monkeypatch.setattr(RemoteStore, "_create", sleep_before_the_manifest)
    with pytest.raises(FolderTaken):
        store.publish(PROJECT, VERSION, FILES)
    assert {name: remote.store().read(PROJECT, VERSION, name) for name in FILES} == theirs


def test_a_sweep_spares_a_writer_that_awakes_in_its_middle(remote, monkeypatch):
    store, other, awake = remote.store(), remote.store(), threading.Event()
    require = RemoteStore._require

    def sweep_in_the_middle(self, base, claim):
        require(self, base, claim)
        if self is store and not awake.is_set():
            awake.set()
            other.sweep(PROJECT, older_than_s=-1.0)

    monkeypatch.setattr(RemoteStore, "_require", sweep_in_the_middle)
    with pytest.raises(FolderTaken):
        store.publish(PROJECT, VERSION, FILES)
    assert remote.store().folders(PROJECT) == {}
    assert remote.names() == set()


class Lossy:
    """A file system that does what it is asked, and whose answers to some calls are lost."""

    def __init__(self, files, *, lost, tries=1):
        self._files = files
        self._lost = lost
        self._tries = tries

    def __getattr__(self, name):
        return getattr(self._files, name)

    def pipe_file(self, path, content, mode="overwrite"):
        found = None
        for _ in range(self._tries if path.endswith(self._lost) else 1):
            found = self._files.pipe_file(path, content, mode=mode)
        if self._tries == 1 and path.endswith(self._lost):
            raise ConnectionResetError("the answer is lost")
        return found


@pytest.mark.parametrize("lost", [".writing", "head.safetensors", MANIFEST_FILE])
def test_a_file_whose_answer_was_lost_and_that_the_client_sent_again_is_ours(lost, remote):
    store = remote.store()
    store._fs = Lossy(remote.files, lost=lost, tries=2)
    store.publish(PROJECT, VERSION, FILES)
    assert {name: remote.store().read(PROJECT, VERSION, name) for name in FILES} == FILES


@pytest.mark.parametrize("lost", [".writing", "head.safetensors", MANIFEST_FILE])
def test_where_an_answer_is_lost_for_good_the_writer_is_told_and_what_is_there_is_whole(lost, remote):
    store = remote.store()
    store._fs = Lossy(remote.files, lost=lost)
    with pytest.raises(StoreUnreachable, match="the answer is lost"):
        store.publish(PROJECT, VERSION, FILES)
    other = remote.store()
    assert other.folders(PROJECT) in ({}, {VERSION: frozenset(FILES)})
    other.sweep(PROJECT, older_than_s=-1.0)
    other.publish(PROJECT, "nl-000002", FILES)


class Silent:
    """A file system that does not answer, and counts how often it is asked."""

    asked = 0

    def __getattr__(self, name):
        Silent.asked += 1
        raise ConnectionRefusedError("nobody listens")


def test_what_was_read_is_served_while_the_store_is_silent_and_all_else_says_so(remote, no_delay):
    registry, other = ModelRegistry(remote.store()), ModelRegistry(remote.store())
    registry.save(PROJECT, VERSION, a_head().head, a_manifest(), record=b"record")
    registry.load(PROJECT, VERSION)
    registry.store._fs = other.store._fs = Silent()
    assert registry.load(PROJECT, VERSION)[1] == a_manifest()
    assert registry.versions(PROJECT) == [VERSION]
    calls = (
        lambda: other.load(PROJECT, VERSION),
        lambda: other.load_words(PROJECT, "tfidf@0a"),
        lambda: other.versions(PROJECT),
        lambda: registry.taken(PROJECT),
        lambda: registry.save(PROJECT, "nl-000002", a_head().head, a_manifest("nl-000002")),
    )
    for call in calls:
        with pytest.raises(StoreUnreachable) as caught:
            call()
        assert caught.value.filename == "memory://bucket/models"


def test_a_silent_store_is_not_asked_at_every_turn(remote):
    store = remote.store()
    store._fs, Silent.asked = Silent(), 0
    for _ in range(10):
        with pytest.raises(StoreUnreachable):
            store.folders(PROJECT)
    assert Silent.asked == 1


def test_a_second_look_asks_nothing(remote):
    registry = ModelRegistry(remote.store())
    registry.save(PROJECT, VERSION, a_head().head, a_manifest())
    first = registry.load(PROJECT, VERSION)[0]
    registry.store._fs, Silent.asked = Silent(), 0
    assert registry.load(PROJECT, VERSION)[0] is first and Silent.asked == 0


def test_another_process_of_the_machine_fetches_nothing_again(remote, tmp_path):
    cache = FileCache(tmp_path / "shared", most_bytes=2**20)
    first, second = (
        RemoteStore(remote.files, remote.root, place=remote.address, cache=cache) for _ in range(2)
    )
    first.publish(PROJECT, VERSION, FILES)
    for name in FILES:
        first.read(PROJECT, VERSION, name)

    class ListsAlone(Lossy):
        def cat_file(self, path):
            raise AssertionError(f"{path} was fetched")

    second._fs = ListsAlone(remote.files, lost="none")
    assert {name: second.read(PROJECT, VERSION, name) for name in FILES} == FILES


def test_a_file_that_comes_in_part_is_not_believed(remote):
    store = remote.store()
    store.publish(PROJECT, VERSION, FILES)

    class Cuts(Lossy):
        def cat_file(self, path):
            return self._files.cat_file(path)[:-1]

    store._fs = Cuts(remote.files, lost="none")
    with pytest.raises(StoreUnreachable, match="came in part"):
        store.read(PROJECT, VERSION, "head.safetensors")
    store._fs = remote.files
    store._asked.forgive()
    assert store.read(PROJECT, VERSION, "head.safetensors") == b"head"


def test_a_folder_that_lists_itself_is_no_version(remote):
    class FindsItself(Lossy):
        def find(self, path, detail):
            return {path: {"name": path, "type": "directory", "size": 0}}

    store = remote.store()
    store._fs = FindsItself(remote.files, lost="none")
    assert store.folders(PROJECT) == {} and store.look(PROJECT, VERSION, FILES) is None


class Overwrites(Lossy):
    """A server that knows no conditional writes."""

    def pipe_file(self, path, content, mode="overwrite"):
        return self._files.pipe_file(path, content)


class Refuses(Lossy):
    """Somebody who may read alone."""

    def pipe_file(self, path, content, mode="overwrite"):
        raise PermissionError("Access Denied")


class Garbles(Lossy):
    """A cache in between that gives something old."""

    def cat_file(self, path):
        return b"old"


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Overwrites, "it overwrites a file that was to be new"),
        (Refuses, "PermissionError: Access Denied"),
        (Garbles, "it gives back something else than it got"),
    ],
    ids=["overwrites", "refuses", "garbles"],
)
def test_an_address_where_no_version_can_be_kept_is_unusable(kind, why, remote):
    store = remote.store()
    store._fs = kind(remote.files, lost="none")
    with pytest.raises(StoreUnusable, match=f"memory://bucket/models cannot be used: {why}"):
        store.check()


def test_a_bucket_that_does_not_exist_is_unusable_and_not_made(s3_environment, tmp_path):
    files, root = fsspec.core.url_to_fs("s3://no-such-bucket/models", use_listings_cache=False)
    store = RemoteStore(
        files, root, place="s3://no-such-bucket/models", cache=FileCache(tmp_path, most_bytes=1)
    )
    with pytest.raises(StoreUnusable, match="The specified bucket does not exist"):
        store.check()
    assert not files.exists("no-such-bucket")


def test_a_folder_that_cannot_be_written_is_unusable(tmp_path):
    (tmp_path / "a-file").write_text("")
    with pytest.raises(StoreUnusable, match="a-file/models cannot be written: Not a directory"):
        FolderStore(tmp_path / "a-file" / "models").check()
