"""Files that tasks refer to: where they may lie, who gets the token, and what one may cost."""

import base64
import ipaddress
import time
from contextlib import contextmanager

import pytest

from backend.label_studio.media.addresses import Allowed, parse_allowed
from backend.label_studio.media.errors import (
    AddressRefused,
    MediaError,
    MediaRefused,
    MediaTooLarge,
    MediaUnreachable,
    NotAsked,
    TooSlow,
)
from backend.label_studio.media.fetch import Limits, MediaFetcher
from backend.label_studio.media.silent import MOST_SILENCES
from tests.http_server import serving

QUICK = Limits(seconds=3, silence=1)
PICTURE = b"\x89PNG and so on"


class Site:
    """Answers by path, and remembers what it was asked and with which token."""

    def __init__(self, answers=()):
        self.answers = dict(answers)
        self.asked = []

    def __call__(self, environ, start):
        path = environ["PATH_INFO"].encode("latin-1").decode() + (
            "?" + environ["QUERY_STRING"] if environ["QUERY_STRING"] else ""
        )
        self.asked.append((path, environ.get("HTTP_AUTHORIZATION", "")))
        answer = self.answers.get(path, ("404 Not Found", [], [b""]))
        status, headers, body = answer(environ) if callable(answer) else answer
        start(status, list(headers))
        return body


def file_of(body=PICTURE, **headers):
    return "200 OK", list(headers.items()), [body]


def redirect(to):
    return "302 Found", [("Location", to)], [b""]


@contextmanager
def label_studio(answers, *, allow="", limits=QUICK):
    """A site that is Label Studio, and a fetcher for it."""
    site = Site(answers)
    names, networks = parse_allowed(allow)
    with (
        serving(site) as url,
        MediaFetcher(
            url,
            lambda is_renewed: "Token new" if is_renewed else "Token secret",
            names=names,
            networks=networks,
            limits=limits,
        ) as fetcher,
    ):
        yield site, fetcher


@pytest.mark.parametrize(
    "path", ["/data/upload/1/ä b.png", "/data/upload/1/a.png", "/data/local-files/?d=a/b.png"]
)
def test_uploads_and_local_files_are_fetched_with_the_token(path):
    with label_studio({path: file_of()}) as (site, fetcher):
        assert fetcher.fetch(path, task_id=3) == PICTURE
        assert site.asked[0][1] == "Token secret"


def test_an_address_of_label_studio_itself_is_the_same_as_a_path():
    with label_studio({"/data/upload/1/a.png": file_of()}) as (site, fetcher):
        assert fetcher.fetch(f"{fetcher._url}/data/upload/1/a.png", task_id=3) == PICTURE
        assert site.asked[0][1] == "Token secret"


@pytest.mark.parametrize("uri", ["s3://bucket/a b.png", "gs://bucket/ä.png", "azure-blob://box/a.png"])
def test_what_lies_in_a_cloud_is_resolved_by_label_studio(uri):
    path = f"/tasks/3/resolve/?fileuri={base64.urlsafe_b64encode(uri.encode()).decode()}"
    with label_studio({path: file_of()}) as (site, fetcher):
        assert fetcher.fetch(uri, task_id=3) == PICTURE
        assert site.asked == [(path, "Token secret")]


def test_the_token_does_not_follow_a_redirect():
    other = Site({"/signed": file_of()})
    with serving(other) as elsewhere:
        answers = {"/data/upload/1/a.png": redirect(f"{elsewhere}/signed")}
        with label_studio(answers, allow="127.0.0.1") as (_site, fetcher):
            assert fetcher.fetch("/data/upload/1/a.png", task_id=3) == PICTURE
    assert other.asked == [("/signed", "")]


@pytest.mark.parametrize(
    "path", ["/api/users", "/data/../api/users", "/data/%2e%2e/api/users", "/user/account"]
)
def test_the_token_is_for_files_alone(path):
    with label_studio({}) as (site, fetcher):
        with pytest.raises(MediaError):
            fetcher.fetch(path, task_id=3)
        assert all(token == "" for _path, token in site.asked)


def test_a_token_that_has_run_out_is_renewed_once():
    def answer(environ):
        return file_of() if environ["HTTP_AUTHORIZATION"] == "Token new" else ("401 No", [], [b""])

    with label_studio({"/data/upload/a.png": answer}) as (site, fetcher):
        assert fetcher.fetch("/data/upload/a.png", task_id=3) == PICTURE
        assert [token for _path, token in site.asked] == ["Token secret", "Token new"]


def test_a_token_that_is_refused_is_told():
    with (
        label_studio({"/data/upload/a.png": ("401 No", [], [b""])}) as (_site, fetcher),
        pytest.raises(MediaRefused, match="refuses our token"),
    ):
        fetcher.fetch("/data/upload/a.png", task_id=3)


def test_a_private_address_is_not_asked_unless_it_is_allowed():
    other = Site({"/a.png": file_of()})
    with serving(other) as elsewhere:
        with label_studio({}) as (_site, fetcher), pytest.raises(AddressRefused, match="private"):
            fetcher.fetch(f"{elsewhere}/a.png", task_id=3)
        assert other.asked == []
        for allow in ("127.0.0.1", "127.0.0.0/8", "10.0.0.1, 127.0.0.1/32"):
            with label_studio({}, allow=allow) as (_site, fetcher):
                assert fetcher.fetch(f"{elsewhere}/a.png", task_id=3) == PICTURE


def test_a_redirect_to_a_private_address_is_not_followed():
    other = Site({"/a.png": file_of()})
    with serving(other) as elsewhere:
        answers = {"/data/upload/a.png": redirect(f"{elsewhere}/a.png")}
        with label_studio(answers) as (_site, fetcher), pytest.raises(AddressRefused):
            fetcher.fetch("/data/upload/a.png", task_id=3)
    assert other.asked == []


def test_a_name_is_checked_by_the_address_that_is_connected_to(monkeypatch):
    other = Site({"/a.png": file_of()})
    with serving(other) as elsewhere, label_studio({}) as (_site, fetcher):
        answers = iter(["93.184.216.34", "127.0.0.1"])  # a name that changes its address
        monkeypatch.setattr(
            "backend.label_studio.media.addresses._resolve",
            lambda host, port: [ipaddress.ip_address(next(answers))],
        )
        port = elsewhere.rpartition(":")[2]
        connected = []
        monkeypatch.setattr(
            fetcher._pool._network_backend._plain,
            "connect_tcp",
            lambda host, *rest: connected.append(host) or (_ for _ in ()).throw(OSError()),
        )
        with pytest.raises(MediaUnreachable):
            fetcher.fetch(f"http://pictures.example:{port}/a.png", task_id=3)
        with pytest.raises(AddressRefused):
            fetcher.fetch(f"http://pictures.example:{port}/a.png", task_id=3)
        assert connected == ["93.184.216.34"] and other.asked == []


@pytest.mark.parametrize(
    ("address", "is_admitted"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        *(
            (address, False)
            for address in (
                *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1"),
                *("0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
                *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe"),
            )
        ),
    ],
)
def test_private_addresses_in_all_their_forms(address, is_admitted):
    allowed = Allowed(("label.studio", 80))
    assert allowed.admits("pictures.example", 80, ipaddress.ip_address(address)) is is_admitted


def test_label_studio_itself_is_allowed_at_its_own_port_alone():
    allowed = Allowed(("localhost", 8080))
    here = ipaddress.ip_address("127.0.0.1")
    assert allowed.admits("LOCALHOST", 8080, here) and not allowed.admits("localhost", 6379, here)


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "http://minio", "::g", "..."])
def test_what_is_no_address_is_not_allowed(entry):
    with pytest.raises(ValueError, match="is no host, address or network"):
        parse_allowed(f"10.0.0.1, {entry}")


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ("data:image/png;base64," + base64.b64encode(PICTURE).decode(), PICTURE),
        ("data:,a%20b", b"a b"),
        ("  DATA:image/png;BASE64,YQ==", b"a"),
    ],
)
def test_a_data_uri_holds_its_bytes(value, body):
    with label_studio({}) as (site, fetcher):
        assert fetcher.fetch(value, task_id=3) == body
        assert site.asked == []


@pytest.mark.parametrize(
    "value",
    [
        *("", "a.png", "//evil.example/a.png", "file:///etc/passwd", "ftp://host/a.png", "javascript:1"),
        *("http://", "http://[::1", "http://host:99999/a", "http://exa mple/a", "data:image/png;base64,***"),
        *("data:nothing", "http://\udcff/a"),
    ],
)
def test_what_is_no_address_is_refused_in_words(value):
    with label_studio({}) as (site, fetcher):
        with pytest.raises(MediaError) as caught:
            fetcher.fetch(value, task_id=3)
        assert str(caught.value) and site.asked == []


def test_a_file_that_is_too_large_is_left():
    limits = Limits(most_bytes=100)
    answers = {
        "/data/said": ("200 OK", [("Content-Length", "5000")], [b"x" * 5000]),
        "/data/unsaid": ("200 OK", [], [b"x" * 60, b"x" * 60]),
    }
    with label_studio(answers, limits=limits) as (_site, fetcher):
        for path in answers:
            with pytest.raises(MediaTooLarge):
                fetcher.fetch(path, task_id=3)
        with pytest.raises(MediaTooLarge):
            fetcher.fetch("data:;base64," + "A" * 400, task_id=3)


def test_an_answer_that_drips_is_given_up():
    def drip(environ):
        def body():
            for _ in range(100):
                yield b"x"
                time.sleep(0.05)

        return "200 OK", [], body()

    with label_studio({"/data/slow": drip}, limits=Limits(seconds=0.3)) as (_site, fetcher):
        started = time.monotonic()
        with pytest.raises(MediaUnreachable, match="takes longer"):
            fetcher.fetch("/data/slow", task_id=3)
        assert time.monotonic() - started < 3


def test_a_host_that_is_silent_again_and_again_is_not_asked_for_the_rest():
    def silence(environ):
        time.sleep(0.2)
        return file_of()

    answers = {"/data/slow": silence, "/data/quick": file_of()}
    with label_studio(answers, limits=Limits(silence=0.05)) as (site, fetcher):

        def slow():
            with pytest.raises(MediaUnreachable) as caught:
                fetcher.fetch("/data/slow", task_id=3)
            return caught.value

        for _ in range(MOST_SILENCES - 1):
            assert isinstance(slow(), TooSlow)
        assert fetcher.fetch("/data/quick", task_id=3) == PICTURE, "one answer, and it counts from one"
        for _ in range(MOST_SILENCES):
            assert isinstance(slow(), TooSlow)
        asked = len(site.asked)
        assert isinstance(slow(), NotAsked) and "silent 16 times in a row" in str(slow())
        with pytest.raises(NotAsked):
            fetcher.fetch("/data/quick", task_id=3)
        assert len(site.asked) == asked


def test_redirects_without_end_are_given_up():
    answers = {"/data/round": redirect("/data/round")}
    with label_studio(answers) as (site, fetcher), pytest.raises(MediaRefused, match="redirected more than"):
        fetcher.fetch("/data/round", task_id=3)
    assert len(site.asked) == 6


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oh", "204 None", "206 Part"])
def test_an_answer_without_a_file_says_which_it_was(status):
    answers = {"/data/a": (status, [], [b""])}
    with label_studio(answers) as (_site, fetcher), pytest.raises(MediaRefused, match=status[:3]):
        fetcher.fetch("/data/a", task_id=3)


def test_a_file_that_is_sent_packed_is_refused():
    answers = {"/data/a": file_of(**{"Content-Encoding": "gzip"})}
    with label_studio(answers) as (_site, fetcher), pytest.raises(MediaRefused, match="packed"):
        fetcher.fetch("/data/a", task_id=3)


def test_nobody_there():
    with (
        MediaFetcher("http://127.0.0.1:9", lambda _renewed: "Token secret") as fetcher,
        pytest.raises(MediaUnreachable),
    ):
        fetcher.fetch("/data/a", task_id=3)
