"""The local cache of files from elsewhere: bounded, checked, and never a reason to fail."""

import os
import threading

import pytest

from model.stores.cache import FileCache

EACH = 100 + 32  # a content and the hash in front of it


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache" / "models"


def a_content(number):
    return bytes([number]) * 100


def test_what_was_put_comes_back_also_to_another_process(folder):
    FileCache(folder, most_bytes=1000).put("a", b"content")
    assert FileCache(folder, most_bytes=1000).get("a") == b"content"
    assert FileCache(folder, most_bytes=1000).get("b") is None


def test_the_least_recently_used_makes_room(folder):
    cache = FileCache(folder, most_bytes=3 * EACH)
    for number, key in enumerate("abc"):
        cache.put(key, a_content(number))
        os.utime(folder / key, (number, number))
    assert cache.get("a") == a_content(0)  # now it is the newest
    cache.put("d", a_content(3))
    assert {key: cache.get(key) is not None for key in "abcd"} == {
        "a": True,
        "b": False,
        "c": True,
        "d": True,
    }


def test_the_size_is_never_above_the_bound(folder):
    cache = FileCache(folder, most_bytes=1000)
    for number in range(50):
        cache.put(f"key{number}", bytes(number * 20))
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 1000


def test_what_is_larger_than_the_whole_cache_is_not_kept_and_drives_nothing_out(folder):
    cache = FileCache(folder, most_bytes=2 * EACH)
    cache.put("a", a_content(1))
    cache.put("b", bytes(1000))
    assert cache.get("a") == a_content(1) and cache.get("b") is None


@pytest.mark.parametrize(
    "damage", [lambda found: found[:-1], lambda found: b"", lambda found: b"x" + found[1:]]
)
def test_a_damaged_copy_is_thrown_away(damage, folder):
    cache = FileCache(folder, most_bytes=1000)
    cache.put("a", b"content")
    (folder / "a").write_bytes(damage((folder / "a").read_bytes()))
    assert cache.get("a") is None
    assert not (folder / "a").exists()


def test_what_killed_writers_left_makes_room_too(folder):
    folder.mkdir(parents=True)
    leftover = folder / ".writing-dead"
    leftover.write_bytes(bytes(900))
    os.utime(leftover, (0, 0))
    cache = FileCache(folder, most_bytes=1000)
    cache.put("a", a_content(1))
    assert not leftover.exists() and cache.get("a") == a_content(1)


def test_a_disk_that_cannot_be_written_is_no_fault(tmp_path):
    (tmp_path / "a-file").write_text("")
    cache = FileCache(tmp_path / "a-file", most_bytes=1000)
    cache.put("a", b"content")
    assert cache.get("a") is None


def test_many_at_once_get_what_was_put_or_nothing(folder):
    cache, wrong = FileCache(folder, most_bytes=5 * EACH), []

    def work(start):
        for turn in range(60):
            number = (start + turn) % 10
            cache.put(f"key{number}", a_content(number))
            if cache.get(f"key{number}") not in (None, a_content(number)):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
