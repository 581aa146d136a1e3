"""Which machines may be asked for media: all of the public internet, Label Studio's own, and those allowed.

The check stands where a connection is opened, on the address that is connected to: a name that answers with
another address the second time gains nothing, and a redirect is checked as the first request is.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore

from backend.label_studio.media.errors import PRIVATE, AddressRefused, MediaUnreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 addresses behind a translator (RFC 6052)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Names and networks that may be asked although they are private.

    `label_studio` is the host and port of Label Studio itself, and is always allowed.
    """

    label_studio: tuple[str, int]
    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def admits(self, host: str, port: int, address: Address) -> bool:
        """Whether a connection to this address may be opened, for a URL with this host and port."""
        if (host.lower(), port) == self.label_studio or host.lower() in self.names:
            return True
        return _is_public(address) or any(address in network for network in self.networks)


def parse_allowed(text: str) -> tuple[frozenset[str], tuple[Network, ...]]:
    """Names and networks of a list with commas, such as `10.0.0.0/8, minio.internal`.

    Raises ValueError for an entry that is neither.
    """
    names, networks = set(), []
    for entry in filter(None, (part.strip().lower() for part in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            if "/" in entry or ":" in entry or not entry.strip("."):
                raise ValueError(f"{entry!r} is no host, address or network such as 10.0.0.0/8") from None
            names.add(entry)
    return frozenset(names), tuple(networks)


class CheckedNetwork(httpcore.NetworkBackend):
    """Opens connections to addresses that are admitted, and to no others."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first admitted address of a host; raises AddressRefused, MediaUnreachable."""
        found = _resolve(host, port)
        admitted = [address for address in found if self._allowed.admits(host, port, address)]
        if not admitted:
            raise AddressRefused(f"{host} {PRIVATE}")
        return self._plain.connect_tcp(str(admitted[0]), port, timeout, local_address, socket_options)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Never: no address of media is a socket of this machine."""
        raise AddressRefused("a socket of this machine")


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise MediaUnreachable(f"{host} is not known") from None
    return list(dict.fromkeys(ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found))


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inside is None and address in _TRANSLATED:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inside is not None:
            return _is_public(inside)
    return address.is_global and not address.is_multicast
