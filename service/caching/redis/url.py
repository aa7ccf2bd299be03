"""The forms of ``REDIS_URL``.

::

    redis://     [user info@] host [:port] [/db] [?options]            one server, port 6379 by default
    unix://      [user info@] /path/to/socket [?options]               one server on this machine
    redis+cluster://
                 [user info@] host [:port] {, host [:port]} [?options]  some nodes of a cluster, port 6379
    redis+sentinel://
                 [user info@] host [:port] {, host [:port]} /service-name [/db] [?options]
                                                                       its sentinels, port 26379

``rediss://``, ``rediss+cluster://`` and ``rediss+sentinel://`` are the same over TLS, the sentinels included;
``valkey`` and ``valkeys`` are other names of ``redis`` and ``rediss``.
``user info`` is ``:password``, ``user:password`` (ACL) or ``user``, and is for the servers, not the sentinels. An IPv6
address is in brackets. Everything but scheme and ports may be percent-encoded; ``/``, ``?``, ``#`` and ``%``
inside a part must be. Options, each at most once:

==============================================  ======================================================================
``db``                                          database number, where the form has one and the path does not say it
``ssl_ca_certs``                                file of the authorities to trust (PEM), instead of the system's
``ssl_certfile``, ``ssl_keyfile``               files of the client's own certificate and key (PEM)
``ssl_check_hostname``                          ``true`` (default) or ``false``: must the certificate be for the host?
``ssl_cert_reqs``                               ``required`` (default) or ``none``, which trusts anyone
``sentinel_username``, ``sentinel_password``    user info for the sentinels
==============================================  ======================================================================

A fault is a ``ValueError`` whose text says what is wrong and repeats nothing of the URL: otherwise a password with a
stray ``/`` or ``?`` would show up as a path or an option.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_CHOICES = {"ssl_check_hostname": ("true", "false"), "ssl_cert_reqs": ("required", "none")}
_TLS = (*_FILES, *_CHOICES)
_SENTINEL = ("sentinel_username", "sentinel_password")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([^\[\]:@\s]+))(?::([0-9]{1,5}))?")


class Form(Enum):
    """The topology of the servers; the value is the beginning or end of the URL's scheme."""

    SINGLE = ""
    SOCKET = "unix"
    CLUSTER = "+cluster"
    SENTINEL = "+sentinel"


SCHEMES = {
    f"{name}{form.value}": (form, encrypted)
    for form in (Form.SINGLE, Form.CLUSTER, Form.SENTINEL)
    for name, encrypted in (("redis", False), ("rediss", True), ("valkey", False), ("valkeys", True))
} | {"unix": (Form.SOCKET, False)}


def is_encrypted(scheme: str) -> bool:
    """Whether a scheme means TLS; false for an unknown one."""
    return SCHEMES.get(scheme, (None, False))[1]


class Address(NamedTuple):
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """``None`` for what is not given; a user may have no password in the ACL."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)


class Tls(msgspec.Struct, frozen=True):
    """Files are PEM."""

    ca_certs: str | None
    certfile: str | None
    keyfile: str | None
    check_hostname: bool
    verify: bool


class ServerUrl(msgspec.Struct, frozen=True):
    """A parsed URL. ``path`` is set for a socket only, ``service`` for sentinels only, ``tls`` with TLS only."""

    form: Form
    addresses: tuple[Address, ...]
    path: str
    service: str
    db: int
    credentials: Credentials
    sentinel_credentials: Credentials
    tls: Tls | None


def validate_url(url: str) -> None:
    """Raise ``ValueError`` unless ``url`` follows the grammar and its files exist. Connects to nothing."""
    parse_url(url)


def parse_url(url: str) -> ServerUrl:
    """Read a URL by the grammar above; ``ValueError`` for anything else."""
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        raise ValueError("must begin with " + ", ".join(f"{known}://" for known in SCHEMES))
    if "#" in rest:
        raise ValueError("a # in it must be written %23")
    form, encrypted = SCHEMES[scheme]
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    if "@" in path and "@" not in authority and form is not Form.SOCKET:
        raise ValueError("a / in the user name or password must be written %2F, a ? %3F and a % %25")
    userinfo, _, hosts = authority.rpartition("@")
    options = _options(query, (*(_TLS if encrypted else ()), *(_SENTINEL if form is Form.SENTINEL else ()), "db"))
    service, database = _path(form, path)
    return ServerUrl(
        form=form,
        addresses=_addresses(form, hosts),
        path=_socket_path(slash + path) if form is Form.SOCKET else "",
        service=service,
        db=_db(form, database, options.get("db")),
        credentials=_credentials(userinfo),
        sentinel_credentials=Credentials(*(options.get(name) for name in _SENTINEL)),
        tls=_tls(options) if encrypted else None,
    )


def _options(query: str, allowed: tuple[str, ...]) -> Mapping[str, str]:
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name not in allowed:
            raise ValueError("it has an option that this form does not know; it knows " + ", ".join(allowed))
        if name in options:
            raise ValueError(f"option {name} is given twice")
        options[name] = unquote(value)
    return options


def _path(form: Form, path: str) -> tuple[str, str]:
    """The service name and the database of a path, each empty where it is missing."""
    if form is Form.SOCKET:
        return "", ""
    service, _, database = path.partition("/") if form is Form.SENTINEL else ("", "", path)
    if form is Form.SENTINEL and not service:
        raise ValueError("after the sentinels it must name the service, as in …/service-name")
    return unquote(service), database.removesuffix("/")


def _db(form: Form, database: str, option: str | None) -> int:
    if database and option is not None:
        raise ValueError("it gives the database number twice, in the path and as option db")
    number = option if option is not None else database
    if not re.fullmatch(r"[0-9]{0,9}", number):
        raise ValueError("the database must be a number")
    if form is Form.CLUSTER and int(number or 0):
        raise ValueError("a cluster has database 0 only")
    return int(number or 0)


def _addresses(form: Form, hosts: str) -> tuple[Address, ...]:
    if form is Form.SOCKET:
        if hosts:
            raise ValueError("the socket's path must be absolute, as in unix:///run/redis.sock")
        return ()
    parts = hosts.split(",")
    if form is Form.SINGLE and len(parts) > 1:
        raise ValueError("it names several hosts; only +cluster and +sentinel take several")
    return tuple(_address(part, 26379 if form is Form.SENTINEL else 6379) for part in parts)


def _address(text: str, default_port: int) -> Address:
    match = _HOST.fullmatch(text)
    port = int(match[3] or default_port) if match else 0
    if match is None or not 0 < port < 65536:
        raise ValueError("a host must be a name or an address, IPv6 in [brackets], with an optional :port of 1–65535")
    return Address(unquote(match[1] or match[2]), port)


def _socket_path(path: str) -> str:
    if len(path) < 2:
        raise ValueError("it must name the socket's path, as in unix:///run/redis.sock")
    return unquote(path)


def _credentials(userinfo: str) -> Credentials:
    username, _, password = userinfo.partition(":")
    return Credentials(unquote(username) or None, unquote(password) or None)


def _tls(options: Mapping[str, str]) -> Tls:
    for name, values in _CHOICES.items():
        if options.get(name, values[0]) not in values:
            raise ValueError(f"option {name} must be {' or '.join(values)}")
    for name in _FILES:
        if name in options and not Path(options[name]).is_file():
            raise ValueError(f"option {name} names no file")
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        raise ValueError("option ssl_keyfile needs ssl_certfile")
    return Tls(
        ca_certs=options.get("ssl_ca_certs"),
        certfile=options.get("ssl_certfile"),
        keyfile=options.get("ssl_keyfile"),
        check_hostname=options.get("ssl_check_hostname") != "false",
        verify=options.get("ssl_cert_reqs") != "none",
    )
