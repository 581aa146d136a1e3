"""The one place where the parts are put together.

What takes long to import (networks, the loop, the HTTP library) is imported by who needs it, so that a
command that only reads answers at once.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from errno import ENOTDIR
from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from backend.context import Cluster, Context, Encoders, Lazy, named_image_errors
from backend.database import Database, MadeByLaterRelease
from backend.encoding import ImageNetwork, Networks, TextNetwork
from backend.encoding.here import NetworksHere
from backend.errors import BadRequest, NextlabelError
from backend.jobs import Jobs
from backend.model_store import open_store
from backend.settings import Settings
from backend.shared_secret import shared_secret
from backend.store.embeddings import Vectors
from backend.store.events import Events
from backend.store.secrets import Secrets
from model.encoders import Encoder
from model.encoders.folders import find_folder
from model.encoders.table import ENCODERS, IMAGE_ENCODERS
from model.registry import ModelRegistry

if TYPE_CHECKING:
    from backend.label_studio.client import LabelStudio
    from backend.label_studio.media.fetch import MediaFetcher
    from model.encoders.image import ImageEncoder

# Below DATA_DIR.
VECTORS_FOLDER = "vectors"

logger = logging.getLogger(__name__)


def build_context(
    settings: Settings,
    *,
    load_encoder: Callable[[], Encoder] | None = None,
    networks: Networks | None = None,
) -> Context:
    """Opens the database and the model store; the queue of jobs and what encodes are opened when needed.

    `networks` are loaded into this process unless told otherwise; `load_encoder` gives another for texts.
    """
    check_folders(settings)
    _check_media(settings)
    database = _open_database(settings)
    settings = _with_webhook_secret(settings, database)
    jobs = Jobs(folder=settings.data_dir, redis_url=settings.redis_url, database_url=settings.database_url)
    context = Context(
        settings=settings,
        database=database,
        jobs=jobs,
        encoders=_make_encoders(settings, load_encoder, networks or NetworksHere()),
        registry=ModelRegistry(open_store(settings)),
        vectors=Vectors(database, settings.data_dir / VECTORS_FOLDER),
        label_studio=partial(_call_label_studio, settings),
        media=partial(_fetch_media, settings),
        events=Events(database, enough=settings.labels_worth_a_loop),
        cluster=_open_cluster(settings),
    )
    jobs.bind(run=partial(_run_pending, context), tick=partial(_tick, context))
    return context


def _with_webhook_secret(settings: Settings, database: Database) -> Settings:
    """Settings with a secret for webhooks: the one that is set, else one that all processes here share."""
    if settings.webhook_secret.get_secret_value():
        return settings
    made = shared_secret(settings, "webhooks", Secrets(database).shared("webhooks"))
    return settings.model_copy(update={"webhook_secret": SecretStr(made)})


def check_folders(settings: Settings) -> None:
    """Makes the data folder where there is none. Raises BadRequest where a folder cannot be used."""
    name, folder = "DATA_DIR", settings.data_dir
    try:
        # texts and labels are in it: nobody else of this machine is to read them
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name, folder = "MODEL_STORE", settings.model_folder
        if settings.model_address is None and folder.exists() and not folder.is_dir():
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
    except OSError as error:
        raise _wrong_setting(name, f"{folder} cannot be used: {error.strerror}.") from None


def _open_cluster(settings: Settings) -> Cluster | None:
    """The machines that RAY_ADDRESS names; raises BadRequest where Ray is not installed."""
    if not settings.ray_address:
        return None
    from backend.encoding.on_ray import RayCluster, is_installed

    if not is_installed():
        raise _wrong_setting("RAY_ADDRESS", 'Ray is not installed: pip install "nextlabel[ray]".')
    return RayCluster(settings)


def _check_media(settings: Settings) -> None:
    """Raises BadRequest where what MEDIA_ALLOW lists is no host, address or network."""
    if not settings.media_allow:
        return
    from backend.label_studio.media.addresses import parse_allowed

    try:
        parse_allowed(settings.media_allow)
    except ValueError as error:
        raise _wrong_setting("MEDIA_ALLOW", f"{error}.") from None


def _open_database(settings: Settings) -> Database:
    try:
        return Database(settings.database_address, lock_folder=settings.data_dir)
    except SQLAlchemyError as error:
        # the driver's own words: those around them hold statements
        reason = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]
        raise _wrong_setting("DATABASE_URL", f"the database cannot be opened: {reason}") from None
    except OSError as error:
        raise _wrong_setting("DATA_DIR", f"{error.filename} cannot be used: {error.strerror}.") from None
    except MadeByLaterRelease:
        raise _wrong_setting("DATABASE_URL", "the database was made by a later release.") from None


def _wrong_setting(name: str, message: str) -> BadRequest:
    return BadRequest(f"A setting is wrong. {name}: {message}", hint="See README, Settings.")


def warm_up(context: Context) -> None:
    """Loads the encoder in the background (some seconds), so that nobody has to wait for it later."""
    threading.Thread(target=_load_early, args=(context,), daemon=True).start()


def _load_early(context: Context) -> None:
    try:
        context.encoder.get()
    except NextlabelError as error:
        logger.error("encoder missing message=%s", error)
    else:
        logger.info("encoder ready")


def _call_label_studio(settings: Settings) -> LabelStudio:
    from backend.label_studio.client import LabelStudio

    return LabelStudio(settings.label_studio_url, settings.label_studio_api_key.get_secret_value())


def _fetch_media(settings: Settings) -> MediaFetcher:
    from backend.label_studio.auth import LabelStudioAuth
    from backend.label_studio.media.addresses import parse_allowed
    from backend.label_studio.media.fetch import MediaFetcher

    url = settings.label_studio_url
    auth = LabelStudioAuth(url, settings.label_studio_api_key.get_secret_value())
    names, networks = parse_allowed(settings.media_allow)
    return MediaFetcher(url, auth.authorization, names=names, networks=networks)


def _make_encoders(
    settings: Settings, load_default: Callable[[], Encoder] | None, networks: Networks
) -> Encoders:
    images = Lazy(
        partial(_load_image_encoder, settings, networks),
        read_revision=partial(_read_image_revision, settings),
        named_errors=named_image_errors,
    )
    if load_default is None:
        return Encoders(
            partial(_load_encoder, settings, networks),
            default=settings.text_encoder,
            read_revision=partial(_read_revision, settings),
            images=images,
        )

    def load(name: str) -> Encoder:
        return load_default() if name == settings.text_encoder else _load_encoder(settings, networks, name)

    return Encoders(load, default=settings.text_encoder, images=images)


def _load_encoder(settings: Settings, networks: Networks, name: str) -> Encoder:
    if name in ENCODERS:
        return ENCODERS[name]()
    return networks.text(
        TextNetwork(name, device=settings.device, threads=settings.torch_threads, pieces=settings.text_pieces)
    )


def _read_revision(settings: Settings, name: str) -> str:
    if name in ENCODERS:
        return ENCODERS[name]().revision
    return find_folder(name, pieces=settings.text_pieces).revision


def _load_image_encoder(settings: Settings, networks: Networks) -> ImageEncoder:
    name = settings.image_encoder
    if name in IMAGE_ENCODERS:
        return IMAGE_ENCODERS[name]()
    return networks.images(ImageNetwork(name, device=settings.device, threads=settings.torch_threads))


def _read_image_revision(settings: Settings) -> str:
    name = settings.image_encoder
    if name in IMAGE_ENCODERS:
        return IMAGE_ENCODERS[name]().revision
    from model.encoders.image_folders import find_image_folder
    from model.encoders.pixels import REVISION

    return f"{find_image_folder(name).revision}+{REVISION}"


def _run_pending(context: Context, project_id: int) -> None:
    from backend.workflows.work import run_pending

    run_pending(context, project_id)


def _tick(context: Context) -> None:
    from backend.workflows.work import tick

    tick(context)
