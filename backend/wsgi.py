"""What gunicorn loads: `gunicorn backend.wsgi:app`."""

from backend.app import create_app
from backend.encoding.apart import NetworksApart
from backend.logs import start_logging
from backend.parts import build_context
from backend.settings import Settings
from backend.tracing import start_tracing

_settings = Settings()
start_logging(_settings.log_level, _settings.log_format)
start_tracing("web")
app = create_app(build_context(_settings, networks=NetworksApart()))
