"""Pictures in a bucket, read through a real Label Studio: redirected to the bucket, or handed on by it."""

import base64
import json

import httpx
import pytest

from tests.e2e.connected import ConnectedProject
from tests.e2e.test_picture_project import CONFIG
from tests.http_server import serving
from tests.pictures import COLD, WARM, draw
from tests.s3_server import CREDENTIALS

COUNT = 24
BUCKET = "pictures"
FILES = {f"{WARM if number % 2 else COLD}-{number}.png": number for number in range(COUNT)}
KEYS = {name.lower(): CREDENTIALS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
CARRIED = {"connection", "transfer-encoding", "content-encoding", "content-length", "date", "server"}


class Relay:
    """Hands everything on to an S3 server, and remembers what was asked, with which headers."""

    def __init__(self, url):
        self.asked = []
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def __call__(self, environ, start):
        headers = {
            name[5:].replace("_", "-").lower(): text
            for name, text in environ.items()
            if name.startswith("HTTP_")
        }
        path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
        self.asked.append((path, query, headers))
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        answer = self._client.request(
            environ["REQUEST_METHOD"], f"{path}?{query}", headers=headers, content=body
        )
        kept = [(name, text) for name, text in answer.headers.items() if name.lower() not in CARRIED]
        length = answer.headers.get("content-length", str(len(answer.content)))
        start(f"{answer.status_code} {answer.reason_phrase}", [*kept, ("Content-Length", length)])
        return [answer.content]

    def close(self):
        self._client.close()

    def redirected(self):
        """What was asked with a signed address, that is by a backend and not by Label Studio itself."""
        return [(path, headers) for path, query, headers in self.asked if "X-Amz-Signature" in query]


@pytest.fixture(scope="module")
def bucket(s3_server):
    """A relay before an S3 server with a bucket of pictures, and the address of the relay."""
    with httpx.Client(base_url=s3_server.url, trust_env=False) as client:
        client.put(f"/{BUCKET}").raise_for_status()
        for name, number in FILES.items():
            picture = draw(name.partition("-")[0], number)
            client.put(f"/{BUCKET}/{name}", content=picture).raise_for_status()
    relay = Relay(s3_server.url)
    with serving(relay) as url:
        yield relay, url
    relay.close()


@pytest.fixture
def connect_bucket(make_project, bucket):
    """connect_bucket(backend, presign=…): a project with the bucket as storage; its tasks show the files."""

    def connect(backend, *, presign):
        relay, url = bucket
        inside = "data:image/png;base64," + base64.b64encode(draw(WARM, COUNT)).decode()
        tasks = [{"image": inside}, *({"image": f"s3://{BUCKET}/{name}"} for name in FILES)]
        project = make_project(tasks=tasks, label_config=CONFIG)
        wanted = {"project": project.id, "bucket": BUCKET, "s3_endpoint": url, "region_name": "us-east-1"}
        wanted |= {"use_blob_urls": True, "presign": presign} | KEYS
        made = project.client.post("/api/storages/s3", json=wanted)
        assert made.status_code == httpx.codes.CREATED, made.text
        relay.asked.clear()
        return ConnectedProject(project, backend).connect(queue_window=10)

    return connect


def told_of_pictures(project):
    """What `doctor` says of the pictures."""
    said = project.backend.command_line("doctor", str(project.project.id), "--json").stdout
    return next(one["message"] for one in json.loads(said)["findings"] if one["check"] == "pictures")


def assert_no_token_came(relay, server):
    texts = [text for _path, _query, headers in relay.asked for text in headers.values()]
    assert texts and not any(server.token in text or "Bearer" in text for text in texts)


def test_a_bucket_on_a_private_address_is_not_asked(connect_bucket, shared_backend, bucket):
    project = connect_bucket(shared_backend, presign=True)
    assert len(project.window()) == 1
    assert f"{COUNT} pictures cannot be read" in told_of_pictures(project)
    assert "127.0.0.1 is a private address" in told_of_pictures(project)
    assert bucket[0].redirected() == []


def test_a_bucket_that_is_allowed_is_read_without_our_token(
    connect_bucket, make_backend, bucket, label_studio
):
    relay, _url = bucket
    backend = make_backend(MEDIA_ALLOW="127.0.0.1")
    backend.start_web()
    project = connect_bucket(backend, presign=True)
    assert len(project.window()) == 10
    assert told_of_pictures(project).startswith("all that were tried could be read")
    asked = relay.redirected()
    assert sorted(path for path, _headers in asked) == sorted(f"/{BUCKET}/{name}" for name in FILES)
    assert all("authorization" not in headers and "cookie" not in headers for _path, headers in asked)
    assert_no_token_came(relay, label_studio)


def test_what_label_studio_hands_on_needs_no_allowance(connect_bucket, shared_backend, bucket, label_studio):
    relay, _url = bucket
    project = connect_bucket(shared_backend, presign=False)
    assert len(project.window()) == 10
    assert told_of_pictures(project).startswith("all that were tried could be read")
    assert relay.redirected() == []
    assert_no_token_came(relay, label_studio)
