"""The program that fetches one photo from an address: `python -I fetcher.py`. The address and a limit come as a line.

It is started, watched and ended by `gaze.photo.address`. Its answer is a line of JSON, then the bytes of the photo.
Only https is spoken, and only with machines of the public internet. A name is looked up once: its addresses are
checked, and the connection goes to one of these, so that a name that changes meanwhile (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urljoin, urlsplit

_HOPS = 4
_SECONDS = 10.0
_PORT = 443
_REDIRECTS = (301, 302, 303, 307, 308)
_WRITTEN = "%!#$&'()*+,/:;=?@[]~"
"""Of an address what is sent as it stands (RFC 3986); its percent signs are of escapes that it has already."""
_TRANSLATED = ip_network("64:ff9b::/96")
"""Addresses of version 6 with one of version 4 in their last 32 bits (RFC 6052)."""

_BROKEN = "The photo could not be fetched from this address. Check it, or send the file itself."
_NOT_HTTPS = "Photos are fetched from https addresses only, such as https://example.org/portrait.jpg."
_PRIVATE = "This address is not on the public internet, so no photo is fetched from it. Send the file itself."
_TOO_LARGE = "The file at this address is larger than {limit} MB. Send a smaller one."
_PAGE = "This is the address of a web page, not of a photo. Give the address of the picture itself."
_FAR = "This address redirects too often. Give the address of the photo itself."


class RefusedError(Exception):
    """Why there is no photo, in a sentence for the person."""


Connect = Callable[[str, str], HTTPConnection]
Resolve = Callable[[str], list[str]]


def main() -> None:
    """Answer one question."""
    asked = json.loads(sys.stdin.readline())
    out = sys.stdout.buffer
    try:
        data = fetch(asked["url"], asked["most"])
    except RefusedError as refusal:
        out.write(json.dumps({"refused": str(refusal)}).encode() + b"\n")
    else:
        out.write(json.dumps({"bytes": len(data)}).encode() + b"\n" + data)
    out.flush()


def fetch(url: str, most: int, resolve: Resolve | None = None, connect: Connect | None = None) -> bytes:
    """The bytes at an address.

    Args:
        url: begins with https.
        most: bytes.
        resolve: gives the addresses of a name.
        connect: opens a connection for a name with one of its addresses.

    Raises:
        RefusedError: they cannot be had, or must not.
    """
    resolve, connect = resolve or _resolve, connect or _connect
    try:
        for _ in range(_HOPS):
            parts = urlsplit(url)
            if parts.scheme != "https" or not parts.hostname or parts.username or (parts.port or _PORT) != _PORT:
                raise RefusedError(_NOT_HTTPS)
            addresses = resolve(parts.hostname)
            if not addresses or not all(map(is_public, addresses)):
                raise RefusedError(_PRIVATE)
            connection = connect(parts.hostname, addresses[0])
            try:
                found, data = _ask(connection, parts.path or "/", parts.query, most)
            finally:
                connection.close()
            if not found:
                return data
            url = urljoin(url, found)
    except (OSError, ValueError, HTTPException) as error:
        raise RefusedError(_BROKEN) from error
    raise RefusedError(_FAR)


def _ask(connection: HTTPConnection, path: str, query: str, most: int) -> tuple[str, bytes]:
    """The address it redirects to, or the bytes."""
    target = quote(f"{path}?{query}" if query else path, safe=_WRITTEN)
    connection.request("GET", target, headers={"Accept": "image/*", "User-Agent": "Gaze"})
    answer = connection.getresponse()
    if answer.status in _REDIRECTS and (place := answer.getheader("Location")):
        return place.encode("latin-1").decode(errors="replace"), b""  # servers write UTF-8 where nothing is escaped
    if answer.status != 200:
        raise RefusedError(_BROKEN)
    if (answer.getheader("Content-Type") or "").startswith("text/"):
        raise RefusedError(_PAGE)
    data = answer.read(most + 1)
    if len(data) > most:
        raise RefusedError(_TOO_LARGE.format(limit=most // 2**20))
    return "", data


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet, and holds no other one that is not."""
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or [None])[-1]
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast


def _resolve(host: str) -> list[str]:
    found = socket.getaddrinfo(host, _PORT, type=socket.SOCK_STREAM)
    return [str(place[4][0]) for place in found]


def _connect(host: str, address: str) -> HTTPConnection:
    connection = HTTPSConnection(host, timeout=_SECONDS)
    plain = socket.create_connection((address, _PORT), timeout=_SECONDS)
    connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    return connection


if __name__ == "__main__":
    main()
