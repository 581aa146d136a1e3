"""Whether others than this machine can reach an address, and whether nothing but a log-in would stop them."""

from __future__ import annotations

import ipaddress
import socket

from backend.errors import BadRequest
from backend.settings import Settings


def is_reachable_by_others(host: str) -> bool:
    """Whether an address to listen on is more than this machine's own; a name that is none counts as one."""
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    # fe80::1%eth0: which network it is of does not matter here
    return not all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback for entry in found)


def asks_for_login(settings: Settings) -> bool:
    """Whether a user name and a password are set: either alone keeps nobody out."""
    return bool(settings.basic_auth_user and settings.basic_auth_pass.get_secret_value())


def check_exposure(settings: Settings, host: str, *, without_login: bool = False) -> None:
    """Raises BadRequest where others would reach a backend that asks nobody who he is.

    `without_login` is somebody's word that this is meant; LISTEN_WITHOUT_LOGIN is the same in the settings.
    """
    if asks_for_login(settings) or without_login or settings.listen_without_login:
        return
    if is_reachable_by_others(host):
        raise BadRequest(
            f"On {host} others can reach this backend, and it has no log-in: they could read every text, and "
            "press every button.",
            hint="Set BASIC_AUTH_USER and BASIC_AUTH_PASS, then run connect for each project again. Where "
            "something else keeps strangers out: --without-login, or LISTEN_WITHOUT_LOGIN=true.",
        )
