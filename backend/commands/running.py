"""Commands that stay: the web process, the worker, and both at once."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands import shell

if TYPE_CHECKING:
    from backend.settings import Settings

logger = logging.getLogger(__name__)

# A look at Label Studio that hangs keeps nobody.
_PULL_END_S = 2.0
# A batch ends at its next step and is given back; what takes longer is claimed by another in its time.
_ENCODING_END_S = 5.0
# Of a worker: one for loops that may take long (work.run_pending), two for all others.
THREADS = 3

Host = Annotated[str | None, typer.Option(help="Address to listen on (HOST).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (PORT).")]
WithoutLogin = Annotated[
    bool,
    typer.Option(
        "--without-login",
        help="Listen where others can reach it although no log-in is set (LISTEN_WITHOUT_LOGIN).",
    ),
]


def add_running(app: typer.Typer) -> None:
    """Puts `start`, `serve` and `worker` into the command line."""
    app.command(epilog=shell.examples("start", "start --port 9191"))(start)
    app.command(epilog=shell.examples("serve --host 0.0.0.0"))(serve)
    app.command(epilog=shell.examples("worker"))(worker)


def start(host: Host = None, port: Port = None, without_login: WithoutLogin = False) -> None:
    """Start everything here: the web process and its worker, until Ctrl-C."""
    with shell.people_errors(stays=True):
        from backend.exposure import check_exposure
        from backend.server import check_address
        from backend.start import Address, run_both

        settings = shell.read_settings()
        address = Address(*_where(settings, host, port))
        check_address(address.host, address.port)
        check_exposure(settings, address.host, without_login=without_login)
        status = run_both(address, settings, without_login=without_login)
    raise typer.Exit(status)


def serve(host: Host = None, port: Port = None, without_login: WithoutLogin = False) -> None:
    """Answer Label Studio over HTTP. Needs a `worker` beside it to retrain."""
    with shell.people_errors(stays=True):
        from backend.exposure import check_exposure
        from backend.logs import start_logging
        from backend.model_store import check_store
        from backend.parts import build_context
        from backend.server import check_address, serve_http

        settings = shell.read_settings()
        host, port = _where(settings, host, port)
        check_address(host, port)
        check_exposure(settings, host, without_login=without_login)
        # the process that answers opens them once more, where a fault would be a traceback of the server's
        context = build_context(settings)
        check_store(settings, context.registry.store)
        context.jobs.open()
        context.close()
        start_logging(settings.log_level, settings.log_format)
        serve_http(host=host, port=port)


def _where(settings: Settings, host: str | None, port: int | None) -> tuple[str, int]:
    return host or settings.host, settings.port if port is None else port


def worker() -> None:
    """Run the loops that webhooks, the timer and people ask for."""
    with shell.open_context(log=True) as context:
        from backend.model_store import check_store
        from backend.parts import warm_up
        from backend.tracing import start_tracing
        from backend.workflows import work
        from backend.workflows.intake.batches import start_encoding
        from backend.workflows.project.pull import pull_forever
        from backend.workflows.project.workers import beat_forever

        check_store(context.settings, context.registry.store)
        start_tracing("worker")
        logger.info("worker started threads=%d", THREADS)
        stop = context.stopping
        heart = threading.Thread(target=beat_forever, args=(context, stop), daemon=True)
        heart.start()
        puller = threading.Thread(target=pull_forever, args=(context, stop), daemon=True)
        puller.start()
        encoding = start_encoding(context, stop)
        warm_up(context)
        with context.survived.failures_of("the clock"):
            work.tick(context)
        try:
            context.jobs.consume(workers=THREADS, stopping=stop)
        finally:
            stop.set()
            work.hand_over(context)
            for thread in encoding:
                thread.join(_ENCODING_END_S)
            heart.join()
            puller.join(_PULL_END_S)
