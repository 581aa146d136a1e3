"""Every setting, read once from the environment (and `.env`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

# The beginning of an address like s3://bucket; a single letter is a drive of Windows.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/+")

_AROUND_A_TOKEN = re.compile(r"^(?:Authorization:\s*)?(?:Token|Bearer)\s+", re.IGNORECASE)
_IN_MEMORY = (None, "", ":memory:")
_DATABASES = ("sqlite", "postgresql")

_HINTS_EXAMPLE = '{"billing": "invoice, refund", "delivery": "Where a parcel is, and when it comes."}'

_CHAIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+::.*://")  # of fsspec, as in simplecache::s3://bucket
_USER_AND_PASSWORD = re.compile(r":.*@")
_OF_THIS_MACHINE = ("file", "local")

_ROUNDING = 1e-9  # of shares that are a third each

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class QuotaSetting:
    """At least this share (above 0, at most 1) of an order is to be tasks whose field has this value."""

    field: str
    value: str
    share: float

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.field}={self.value}"


def _http_url(value: str) -> str:
    value = value.strip()
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    if "?" in value or "#" in value:
        raise ValueError("must end before the ? or # in it")
    if not _names_a_server(value):
        raise ValueError("is no address of a server, like http://localhost:8080")
    return value.rstrip("/")


def _names_a_server(address: str) -> bool:
    if any(letter.isspace() or not letter.isprintable() for letter in address):
        return False
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0  # reading a port that is none raises ValueError
    except ValueError:
        return False


def _database_address(value: str) -> str:
    """Nothing of the value is repeated: it may hold a password."""
    if not value:
        return value
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError(
            "is no address of a database, like postgresql://user@host/name; of a file sqlite:////srv/x.db"
        ) from None
    if address.get_backend_name() not in _DATABASES:
        raise ValueError("must start with sqlite:// or postgresql://")
    if address.get_backend_name() == "sqlite" and address.database in _IN_MEMORY:
        raise ValueError(
            "is a database in memory, which no other process sees; of a file: sqlite:////srv/x.db"
        )
    try:
        address.get_dialect().import_dbapi()
    except (ArgumentError, ImportError):
        raise ValueError(f"the driver {address.get_driver_name()} is not installed") from None
    return value


def _redis_address(value: str) -> str:
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return value


def _folder_or_name(value: str) -> str:
    value = value.strip()
    if value.startswith((".", "~", "/")) and not Path(value).expanduser().is_dir():
        raise ValueError(f"there is no folder {value!r}")
    return value


def _stripped(value: object) -> object:
    """Of a secret read from a file, the line feed at its end is no part."""
    if isinstance(value, SecretStr):
        return value.get_secret_value().strip()
    return value.strip() if isinstance(value, str) else value


def _token(value: object) -> object:
    """People copy a token with the quotes or the word before it that documents show around it."""
    text = _stripped(value)
    if not isinstance(text, str):
        return text
    text = _AROUND_A_TOKEN.sub("", text.strip("\"'")).strip()
    if not all("!" <= letter <= "~" for letter in text):
        raise ValueError("holds a blank or a letter that no token has; copy it again from Label Studio")
    return text


def _header(value: object) -> object:
    text = _stripped(value)
    if isinstance(text, str) and not (text.isascii() and text.isprintable()):
        raise ValueError("is sent as a header: only letters of ASCII, and no line break, can be in it")
    return text


def _strategy_name(value: str) -> str:
    if value == "auto":
        return value
    # their libraries take seconds to import: only those who name one wait for them
    from model.strategies import STRATEGIES

    if value not in STRATEGIES:
        raise ValueError(f"no strategy {value!r}; there are auto, {', '.join(sorted(STRATEGIES))}")
    return value


def _names(value: object) -> object:
    """`connect --set` takes JSON where it can: a list of names, or a name that looks like a number."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _label_hints(value: object) -> object:
    """JSON as a text or, from `connect --set`, as it is read there: hints by label, each a text or a list."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    hints = value
    if isinstance(value, str):
        try:
            hints = json.loads(value)
        except ValueError:
            hints = None
    if not isinstance(hints, dict):
        raise ValueError(f"is no JSON object of hints by label, like {_HINTS_EXAMPLE}")
    return json.dumps({label: _hint(label, hint) for label, hint in hints.items()}, ensure_ascii=False)


def _hint(label: str, hint: object) -> str:
    parts: list[object] = hint if isinstance(hint, list) else [hint]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise ValueError(f"has no text for the label {label!r}; write {_HINTS_EXAMPLE}")
    return "; ".join(texts)


def _quotas(value: str) -> str:
    """Every part is FIELD=VALUE:SHARE; raises ValueError where one is not, or all are more than there is."""
    parts = [_quota(part) for part in value.split(",") if part.strip()]
    if len({(part.field, part.value) for part in parts}) < len(parts):
        raise ValueError("names one value of one field twice")
    if sum(part.share for part in parts) > 1.0 + _ROUNDING:
        raise ValueError("asks for more than 1, which is the whole order, in all")
    return value


def _quota(text: str) -> QuotaSetting:
    named, _, share = text.strip().rpartition(":")
    name, _, value = named.partition("=")
    try:
        found = QuotaSetting(name.strip(), value.strip(), float(share))
    except ValueError:
        found = None
    if found is None or not (found.field and found.value and 0.0 < found.share <= 1.0):
        raise ValueError(
            f"{text.strip()!r} is no quota; write FIELD=VALUE:SHARE with a share above 0 and at most 1, "
            "like device=mobile:0.33, several with commas"
        )
    return found


def _folder(value: object) -> object:
    """Path would make folders named `s3:`, `~` or of blanks."""
    start = _ADDRESS.match(str(value))
    if start is not None:
        raise ValueError(
            f"addresses that start with {start.group()} are not served; give the path of a folder, like "
            "/srv/nextlabel (of other storage the one where it is mounted)"
        )
    if not str(value).strip():
        raise ValueError("is blank; give the path of a folder, like /srv/nextlabel")
    try:
        return Path(str(value)).expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home folder for {value}") from None


def _folder_or_address(value: object) -> object:
    """A folder of this machine, as a path or as file://, or an address of fsspec, whose package is here.

    Of an address that may hold a password nothing is repeated.
    """
    text = str(value).strip()
    if _ADDRESS.match(text) is None and not _CHAIN.match(text):
        return _folder(value)
    protocol, mark, rest = text.partition("://")
    protocol = protocol.lower()
    if not mark:
        raise ValueError("must have :// after the name of its protocol, like s3://bucket/models")
    if _USER_AND_PASSWORD.search(rest):
        raise ValueError("holds a password; give it where the package of that protocol reads it")
    if "::" in text or "?" in rest or "#" in rest:
        raise ValueError("must be one address, without ::, ? and #, like s3://bucket/models")
    if protocol in _OF_THIS_MACHINE:
        if not rest.startswith("/"):
            raise ValueError("must name a folder of this machine, like file:///srv/nextlabel")
        return Path(rest)
    _require_package(protocol)
    return f"{protocol}://{rest.rstrip('/')}"


def _require_package(protocol: str) -> None:
    from fsspec.registry import get_filesystem_class

    try:
        get_filesystem_class(protocol)
    except ValueError:
        raise ValueError(
            f"addresses that start with {protocol}:// are of no kind that fsspec knows"
        ) from None
    except ImportError as error:
        raise ValueError(f"addresses that start with {protocol}:// need a package: {error}") from None


HttpAddress = Annotated[str, AfterValidator(_http_url)]
OptionalHttpAddress = Annotated[str, AfterValidator(lambda value: value and _http_url(value))]
Secret = Annotated[SecretStr, BeforeValidator(_stripped)]
Token = Annotated[SecretStr, BeforeValidator(_token)]
HeaderSecret = Annotated[SecretStr, BeforeValidator(_header)]
Folder = Annotated[Path, BeforeValidator(_folder)]
FolderOrAddress = Annotated[Path | str, BeforeValidator(_folder_or_address)]
NameList = Annotated[str, BeforeValidator(_names)]
QuotaList = Annotated[str, BeforeValidator(_names), AfterValidator(_quotas)]
LabelHints = Annotated[str, BeforeValidator(_label_hints)]
DatabaseAddress = Annotated[str, AfterValidator(_database_address)]
RedisAddress = Annotated[str, AfterValidator(_redis_address)]
FolderOrName = Annotated[str, AfterValidator(_folder_or_name)]
StrategyName = Annotated[str, AfterValidator(_strategy_name)]


class ProjectSettings(BaseModel):
    """What may differ by project: defaults come from the environment, `connect --set` changes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retrain_every_labels: int = Field(
        default=10,
        ge=1,
        description="New labels that start a loop; skips count only where they change what comes next.",
    )
    retrain_every_minutes: int = Field(
        default=10, ge=1, description="Minutes after which a loop looks for changes, webhook or not."
    )
    resync_every_hours: int = Field(
        default=6,
        ge=1,
        description="Hours after which a loop reads every task again: bulk edits announce nothing.",
    )
    queue_window: int = Field(
        default=100,
        ge=5,
        le=5000,
        description="Tasks published in order at a time; an hour of labeling is good.",
    )
    audit_share: float = Field(
        default=0.15,
        ge=0.0,
        le=0.5,
        description="Random, blind share of the queue, to measure accuracy; a third of it after 100 audits.",
    )
    novelty_alpha: float = Field(
        default=0.05,
        gt=0.0,
        le=0.5,
        description="Share of the tasks of known classes that may be flagged as novel by mistake.",
    )
    novelty_share: float = Field(
        default=0.1, ge=0.0, le=0.5, description="Most of the window that groups of novel tasks may take."
    )
    synthetic_field: str = Field(
        default="source", min_length=1, description="Field of the task data that says where a task is from."
    )
    synthetic_values: str = Field(
        default="synthetic", min_length=1, description="What it says of synthetic tasks; several with commas."
    )
    synthetic_label_field: str = Field(
        default="label",
        min_length=1,
        description="Field with the label that the generator intended; several as a list or with commas.",
    )
    synthetic_share: float = Field(
        default=0.1, ge=0.0, le=0.5, description="Most of the window that synthetic tasks to review may take."
    )
    preannotate_precision: float = Field(
        default=0.95, ge=0.5, lt=1.0, description="Precision promised for pre-annotations called trusted."
    )
    preannotate_floor: float = Field(
        default=0.5,
        ge=0.0,
        lt=1.0,
        description="Confidence below which no pre-annotation is shown, but to tasks of a class just made.",
    )
    label_price: float = Field(
        default=0.5,
        gt=0.0,
        description="Points of accuracy that a hundred labels must buy to be worth their price.",
    )
    strategy: StrategyName = Field(
        default="auto",
        description="Acquisition function of a project that asks one single choice and nothing else; auto: "
        "balanced-herding. All others are ordered by largest-need, whatever is set.",
    )
    questions: NameList = Field(
        default="",
        description="Names of the questions to answer, with commas, the main one first; empty: all that can "
        "be, and the main one is the first that is always shown, answered and required.",
    )

    label_hints: LabelHints = Field(
        default="",
        description="Keywords or a description of labels, as JSON by label; goes before the `hint` of the "
        "config.",
    )
    priority_field: NameList = Field(
        default="",
        description="Field of the task data with a number above 0 that multiplies the score of a task; "
        "empty: none.",
    )
    quotas: QuotaList = Field(
        default="",
        description="Least share of the order for tasks by a field, like `device=mobile:0.33`; several with "
        "commas.",
    )

    @property
    def hint_pairs(self) -> tuple[tuple[str, str], ...]:
        """What `label_hints` says: labels, and the hint of each."""
        return tuple(json.loads(self.label_hints).items()) if self.label_hints else ()

    @property
    def quota_list(self) -> tuple[QuotaSetting, ...]:
        """What `quotas` asks for."""
        return tuple(_quota(part) for part in self.quotas.split(",") if part.strip())

    @property
    def order_fields(self) -> tuple[str, ...]:
        """The fields of the task data that change the order."""
        fields = (self.priority_field.strip(), *(quota.field for quota in self.quota_list))
        return tuple(dict.fromkeys(field for field in fields if field))

    @property
    def question_names(self) -> tuple[str, ...]:
        """The names in `questions`."""
        return tuple(name.strip() for name in self.questions.split(",") if name.strip())


class Settings(BaseSettings, ProjectSettings):
    """Settings of the whole backend. Secrets print as stars."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        # a traceback of a wrong setting would print what was given, a password perhaps
        hide_input_in_errors=True,
    )

    label_studio_url: HttpAddress = Field(
        default="http://localhost:8080", description="Where Label Studio answers."
    )
    label_studio_public_url: OptionalHttpAddress = Field(
        default="", description="Where people's browsers find Label Studio; empty: LABEL_STUDIO_URL."
    )
    label_studio_api_key: Token = Field(
        default=SecretStr(""), description="Personal access token or legacy token of a Label Studio user."
    )
    backend_url: HttpAddress = Field(
        default="http://localhost:9090", description="How Label Studio reaches this backend."
    )
    backend_public_url: OptionalHttpAddress = Field(
        default="", description="Where people's browsers find this backend; empty: BACKEND_URL."
    )
    pull_every_seconds: float = Field(
        default=5.0,
        ge=1.0,
        description="Seconds between two looks at projects connected with `--pull`.",
    )
    basic_auth_user: str = Field(
        default="", description="User name that callers must give; empty: no log-in."
    )
    basic_auth_pass: SecretStr = Field(default=SecretStr(""), description="Password that callers must give.")
    listen_without_login: bool = Field(
        default=False,
        description="Listen where others than this machine can reach the backend although no log-in is set: "
        "whoever reaches it may then do everything.",
    )
    behind_proxies: int = Field(
        default=0,
        ge=0,
        le=10,
        description="Proxies in front of this backend that set X-Forwarded-For and X-Forwarded-Proto; 0: "
        "none is believed.",
    )
    webhook_secret: HeaderSecret = Field(
        default=SecretStr(""),
        description="Secret header that webhooks must carry; empty: made by itself. `connect` sets it.",
    )
    secret_key: Secret = Field(
        default=SecretStr(""),
        description="Signs forms and webhooks; empty: a key of this machine, with DATABASE_URL made from "
        "the token.",
    )
    host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(default=9090, ge=1, le=65535, description="Port that `serve` listens on.")
    data_dir: Folder = Field(
        default=Path("data"), description="Folder for the database, embeddings, models and jobs."
    )
    # addresses of databases and of Redis hold passwords: they are not printed
    database_url: DatabaseAddress = Field(
        default="", repr=False, description="SQLAlchemy address of the database; empty: SQLite in DATA_DIR."
    )
    redis_url: RedisAddress = Field(
        default="",
        repr=False,
        description="Redis that holds the jobs; empty: PostgreSQL where DATABASE_URL names one, else SQLite "
        "in DATA_DIR.",
    )
    model_store: FolderOrAddress | None = Field(
        default=None,
        description="Folder of the model versions, or an address that every machine reaches, like "
        "`s3://bucket/models` (any that fsspec knows and can write; `s3://` needs `nextlabel[s3]`, "
        "in the image the build argument `EXTRAS`); empty: DATA_DIR/models.",
    )
    text_encoder: str = Field(
        default="",
        description="`english`, `multilingual`, folder or hub name of a text encoder, or a name of "
        "`model/encoders/table.py`; empty: all-MiniLM-L6-v2, or the multilingual one where texts are not "
        "English.",
    )
    text_pieces: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Pieces of 256 tokens that are read of a long text; what is longer than all of them is "
        "cut, and the log counts it.",
    )
    image_encoder: FolderOrName = Field(
        default="",
        description="Folder or hub name of an image encoder (a vision model of transformers, or CLIP), or a "
        "name of `model/encoders/table.py`; empty: EfficientNet-Lite0.",
    )
    media_allow: str = Field(
        default="",
        description="Hosts, addresses and networks, with commas, that pictures may be fetched from although "
        "they are private, such as `minio.internal, 10.0.0.0/8`.",
    )
    encode_seconds: float = Field(
        default=10.0,
        ge=0.0,
        allow_inf_nan=False,
        description="Seconds for which a loop encodes texts before it orders those that have vectors; "
        "workers encode the rest meanwhile. What takes up to twice as long is encoded at once.",
    )
    ray_address: str = Field(
        default="",
        description="Ray cluster whose nodes encode for the workers, like `auto` or `ray://head:10001`; it "
        "needs `nextlabel[ray]`, and this release and the encoder on each node.",
    )
    device: str = Field(default="cpu", description="Torch device of the encoder.")
    torch_threads: int = Field(
        default=1, ge=1, description="Threads of torch in each process; more is slower on a busy machine."
    )
    log_level: LogLevel = Field(default="INFO", description="How much is logged.")
    log_format: LogFormat = Field(
        default="text", description="`text`: lines for people; `json`: an object a line, with its fields."
    )

    @property
    def label_studio_link(self) -> str:
        """Address of Label Studio in links for people."""
        return self.label_studio_public_url or self.label_studio_url

    def dashboard_link(self, label_studio_id: int) -> str:
        """Address of a project's page in links for people."""
        return f"{self.backend_public_url or self.backend_url}/projects/{label_studio_id}"

    @property
    def database_address(self) -> str:
        """SQLAlchemy address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'nextlabel.db'}"

    @property
    def model_address(self) -> str | None:
        """Address of the model versions; None where they are in a folder of this machine."""
        return self.model_store if isinstance(self.model_store, str) else None

    @property
    def model_folder(self) -> Path:
        """Folder of the model versions where they are on this machine."""
        return self.model_store if isinstance(self.model_store, Path) else self.data_dir / "models"

    def for_project(self, overrides: dict[str, object]) -> ProjectSettings:
        """The settings of one project; raises pydantic's ValidationError on a wrong override."""
        defaults = {name: getattr(self, name) for name in ProjectSettings.model_fields}
        return ProjectSettings.model_validate(defaults | overrides)

    def labels_worth_a_loop(self, stored: Mapping[str, object]) -> int:
        """How many labels start a loop in a project with some stored overrides."""
        if "retrain_every_labels" not in stored:
            return self.retrain_every_labels  # to check all others takes longer than to take an event down
        return self.for_project(self.known_overrides(stored)).retrain_every_labels

    def known_overrides(self, stored: object) -> dict[str, object]:
        """Those of stored overrides that can be set today; an earlier release may have had others."""
        known = {str(name): value for name, value in stored.items()} if isinstance(stored, dict) else {}
        try:
            self.for_project(known)
        except ValidationError as error:
            wrong = {str(fault["loc"][0]) for fault in error.errors()}
            return {name: value for name, value in known.items() if name not in wrong}
        return known
