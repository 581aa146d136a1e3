"""The Label Studio in memory, answering over HTTP to other processes, and calling their web processes."""

import contextlib
import queue
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import httpx

from tests.fake_label_studio import LEGACY_TOKEN, FakeLabelStudio
from tests.http_server import serving

# Label Studio gives a webhook so long, and never repeats it.
_WEBHOOK_S = 1.0
_ANSWER_S = 30.0


class ServedLabelStudio(FakeLabelStudio):
    """One request at a time; while it calls a backend, others are answered.

    What people do is done in `people()`. Webhooks are sent by a thread of their own, in order, and lost where
    nobody answers.
    """

    def __init__(self):
        super().__init__()
        self.keep_real_time()
        self._turn = threading.Lock()
        self._outbox = queue.Queue()
        threading.Thread(target=self._deliver, daemon=True).start()

    @contextmanager
    def people(self):
        """Somebody works in the browser."""
        with self._turn:
            yield self

    def app(self, environ, start_response):
        """The WSGI application."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        query = environ.get("QUERY_STRING", "")
        headers = {"Authorization": environ.get("HTTP_AUTHORIZATION", "")}
        url = f"{self.url}{environ['PATH_INFO']}" + (f"?{query}" if query else "")
        body = environ["wsgi.input"].read(length)
        request = httpx.Request(environ["REQUEST_METHOD"], url, headers=headers, content=body)
        with self._turn:
            answer = self._answer(request)
            content = answer.read()
        kept = [(k, v) for k, v in answer.headers.items() if k.lower() in ("content-type", "date")]
        start_response(f"{answer.status_code} {answer.reason_phrase}", [*kept, _length(content)])
        return [content]

    def _ask(self, row, method, path, body=None):
        self._turn.release()
        try:
            return super()._ask(row, method, path, body)
        finally:
            self._turn.acquire()

    def _tell(self, project_id, action, **payload):
        """As the fake does, but that the request is sent later."""
        outbox, servers = self._outbox, self._servers

        class Later:
            def __init__(self, base):
                self.base = base

            def post(self, path, **said):
                outbox.put((servers[self.base], path, said))
                return SimpleNamespace(status_code=None)

        self._servers = {base: Later(base) for base in servers}
        try:
            super()._tell(project_id, action, **payload)
        finally:
            self._servers = servers

    def _deliver(self):
        while True:
            client, path, said = self._outbox.get()
            client.post(path, **said)


class WebProcesses:
    """What Label Studio finds under the backend's address: several, in turn; who is gone is passed over."""

    def __init__(self, urls):
        self._urls = list(urls)

    def open(self, path, *, method, json=None, auth=None):
        return self._send(method, path, json=json, auth=auth, timeout=_ANSWER_S)

    def post(self, path, *, json, headers):
        return self._send("POST", path, json=json, headers=headers, timeout=_WEBHOOK_S)

    def _send(self, method, path, **said):
        self._urls.append(self._urls.pop(0))
        for url in list(self._urls):
            with contextlib.suppress(httpx.ConnectError):
                return _said(method, f"{url}{path}", **said)
        return SimpleNamespace(status_code=0, json=None, status="Connection refused")


def _said(method, url, **said):
    try:
        answer = httpx.request(method, url, trust_env=False, verify=False, **said)
    except httpx.ConnectError:
        raise
    except httpx.HTTPError as error:
        return SimpleNamespace(status_code=0, json=None, status=type(error).__name__)
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    said = answer.json() if is_json else None
    return SimpleNamespace(status_code=answer.status_code, json=said, status=answer.reason_phrase)


def _length(content):
    return "Content-Length", str(len(content))


@contextmanager
def served_label_studio():
    """The Label Studio, its address and its token."""
    label_studio = ServedLabelStudio()
    with serving(label_studio.app) as url:
        yield SimpleNamespace(inside=label_studio, url=url, token=LEGACY_TOKEN)
