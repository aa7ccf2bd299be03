"""The file that ``CONNECTIONS`` names: runtimes, a TOML table each.

Secrets are in environment variables or files of their own, which the tables name. Faults of all tables and members
are reported at once, never with a value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from service.domain.runtime import RuntimeKind
from service.settings import addresses, mlflow, parsers
from service.settings.json_objects import read_text
from service.settings.model import ConnectionSettings, RuntimeAuth, RuntimeSettings
from service.settings.setting_faults import SettingFault

T = TypeVar("T")
VARIABLE = "CONNECTIONS"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LONGEST_TIMEOUT, _YEAR = 300, 366 * 24 * 3600
_MOST_CHARACTERS = 1000
_COMMON = ("kind", "description", "default", "tenants", "auth", "timeout", "fresh_running", "fresh_finished")
_MEMBERS = {
    RuntimeKind.AI_API: (
        *("base_url", "auth_url", "client_id", "client_secret_env", "client_secret_file"),
        *("certificate_file", "key_file", "resource_group"),
    ),
    RuntimeKind.MLFLOW: (
        *("tracking_uri", "username", "password_env", "password_file", "token_env", "token_file"),
        *("ca_file", "insecure_tls", "resource_group"),
    ),
}
_SECRETS = ("client_secret", "password", "token")


def read_connections(
    path: str, environment: Mapping[str, str], common: Mapping[str, Any], faults: list[SettingFault]
) -> tuple[ConnectionSettings, ...]:
    """The connections of the file, whose paths are relative to it; ``common`` are the settings that tables need not
    repeat. Faults are added to ``faults``; the result is incomplete then."""
    try:
        tables = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        faults.append(SettingFault(VARIABLE, f"leads to a file that is not TOML: {_place(error)}"))
        return ()
    except ValueError as error:
        faults.append(SettingFault(VARIABLE, str(error)))
        return ()
    found: list[ConnectionSettings] = []
    for name, table in tables.items():
        if not _NAME.fullmatch(name):
            faults.append(
                SettingFault(VARIABLE, f"[{parsers.echo(name)}] must be a name of letters, digits, _, . or -")
            )
        elif not isinstance(table, Mapping):
            faults.append(SettingFault(VARIABLE, f"{name} must be in a table [name]"))
        else:
            found.append(_Table(name, table, Path(path).parent, environment, faults).connection(common))
    faults.extend(SettingFault(VARIABLE, detail) for detail in _defaults(found))
    if len(found) == 1 and not found[0].default:
        (only,) = found
        return (
            ConnectionSettings(
                only.name, only.runtime, only.description, True, only.tenants, only.fresh_running, only.fresh_finished
            ),
        )
    return tuple(found)


def _defaults(found: list[ConnectionSettings]) -> Iterator[str]:
    defaults = [connection.name for connection in found if connection.default]
    if not found:
        yield "leads to a file without a connection: a table [name] for each runtime is needed"
    elif len(defaults) > 1:
        yield f"only one connection can have default = true, not {', '.join(defaults)}"
    elif not defaults and len(found) > 1:
        yield "one of the connections must have default = true"


def _place(error: tomllib.TOMLDecodeError) -> str:
    """The place of a syntax error, without its text, which might quote a misplaced secret."""
    found = re.search(r"\(at [^()]*\)$", str(error))
    return found[0].strip("()") if found else "it ends too early"


class _Table:
    """One connection."""

    def __init__(
        self,
        name: str,
        table: Mapping[str, Any],
        directory: Path,
        environment: Mapping[str, str],
        faults: list[SettingFault],
    ) -> None:
        self._name = name
        self._table = table
        self._directory = directory
        self._environment = environment
        self._faults = faults

    def connection(self, common: Mapping[str, Any]) -> ConnectionSettings:
        kind = self._text("kind", parsers.one_of(RuntimeKind)) if "kind" in self._table else RuntimeKind.AI_API
        self._check_members(list(RuntimeKind) if kind is None else [kind])
        auth = self._text("auth", parsers.one_of(RuntimeAuth)) or common.get("auth", RuntimeAuth.SERVICE)
        found = {**common, "kind": kind or RuntimeKind.AI_API, "auth": auth}
        timeout = self._seconds("timeout", _LONGEST_TIMEOUT)
        if timeout is not None:
            found["timeout"] = timeout
        group = self._text("resource_group", partial(parsers.resource_group, kind=kind))
        if group is not None:
            found["resource_group"] = group
        as_client = auth is RuntimeAuth.SERVICE
        if kind is None:  # nobody knows what else it needs
            found["base_url"] = ""
        else:
            found |= self._mlflow(as_client) if kind is RuntimeKind.MLFLOW else self._ai_api(as_client)
        return ConnectionSettings(
            name=self._name,
            runtime=RuntimeSettings(**found),
            description=self._text("description", _description) or "",
            default=self._switch("default"),
            tenants=self._tenants(),
            fresh_running=self._seconds("fresh_running", _YEAR, zero=True),
            fresh_finished=self._seconds("fresh_finished", _YEAR, zero=True),
        )

    def _ai_api(self, as_client: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"base_url": self._need("base_url", addresses.runtime_url)}
        if not as_client:
            return found
        found["client_id"] = self._need("client_id", parsers.word)
        found["token_url"] = self._need("auth_url", addresses.token_url)
        found["certificate"] = self._file("certificate_file")
        found["private_key"] = self._file("key_file")
        found["client_secret"] = self._secret("client_secret")
        if (found["certificate"] is None) != (found["private_key"] is None):
            self._blame("certificate_file", "and key_file belong together: one of them is missing")
        elif found["certificate"] is None and found["client_secret"] is None and not self._has("client_secret"):
            self._blame("client_secret_env", "is missing, and so are client_secret_file and certificate_file")
        return found

    def _mlflow(self, as_client: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"base_url": self._need("tracking_uri", mlflow.tracking_uri)}
        found["ca_file"] = self._file("ca_file")
        found["insecure_tls"] = self._switch("insecure_tls")
        if found["ca_file"] and found["insecure_tls"]:
            self._blame("insecure_tls", "and ca_file exclude each other")
        if not as_client:
            return found
        found["username"] = self._text("username", mlflow.user)
        found["password"] = self._secret("password")
        found["token"] = self._secret("token", mlflow.token)
        if self._has("password") != ("username" in self._table):
            self._blame("username", "and password_env or password_file belong together: one of them is missing")
        return found

    def _check_members(self, kinds: Collection[RuntimeKind]) -> None:
        known = (*_COMMON, *dict.fromkeys(member for kind in kinds for member in _MEMBERS[kind]))
        for member in self._table:
            if member in _SECRETS:
                self._blame(
                    member, f"must not be in the file; name its variable ({member}_env) or its file ({member}_file)"
                )
            elif member not in known:
                close = get_close_matches(member, known, 1)
                hint = f"; did you mean {close[0]}?" if close else f"; {' or '.join(kinds)} has {', '.join(known)}"
                self._blame(parsers.echo(member).strip("'"), f"is unknown{hint}")

    def _need(self, member: str, parse: Callable[[str], str]) -> str:
        if member not in self._table:
            self._blame(member, "is missing")
        return self._text(member, parse) or ""

    def _text(self, member: str, parse: Callable[[str], T]) -> T | None:
        """A member that is text; ``None`` where it is missing, or after a fault."""
        given = self._table.get(member)
        if given is None:
            return None
        if not isinstance(given, str) or not given:
            self._blame(member, "must be text in quotation marks")
            return None
        try:
            return parse(given)
        except ValueError as error:
            self._blame(member, str(error))
            return None

    def _switch(self, member: str) -> bool:
        given = self._table.get(member, False)
        if not isinstance(given, bool):
            self._blame(member, "must be true or false, without quotation marks")
        return given is True

    def _seconds(self, member: str, most: int, *, zero: bool = False) -> float | None:
        given = self._table.get(member)
        if given is None:
            return None
        if (
            isinstance(given, bool)
            or not isinstance(given, int | float)
            or not (0 < given <= most or (zero and given == 0))
        ):
            self._blame(member, f"must be a number of seconds {'from 0' if zero else 'above 0,'} up to {most}")
            return None
        return float(given)

    def _tenants(self) -> tuple[str, ...] | None:
        given = self._table.get("tenants")
        if given is None:
            return None
        if not isinstance(given, list) or not given or not all(isinstance(one, str) and one for one in given):
            self._blame("tenants", "must be a list of tenants, none of them empty; leave it out to allow all")
            return ()
        return tuple(given)

    def _has(self, secret: str) -> bool:
        return f"{secret}_env" in self._table or f"{secret}_file" in self._table

    def _secret(self, secret: str, parse: Callable[[str], str] = parsers.unpadded) -> str | None:
        """A secret by its variable or file; ``None`` where none is named, or after a fault."""
        by_variable, by_file = f"{secret}_env", f"{secret}_file"
        if by_variable in self._table and by_file in self._table:
            self._blame(by_variable, f"and {by_file} exclude each other")
            return None
        if by_file in self._table:
            return self._text(by_file, lambda path: parse(read_text(self._directory / path).rstrip("\r\n")))
        return self._text(by_variable, lambda variable: parse(self._variable(variable)))

    def _variable(self, name: str) -> str:
        value = self._environment.get(name)
        if not value:
            raise ValueError("names an environment variable that is not set")
        return value

    def _file(self, member: str) -> str | None:
        return self._text(member, lambda path: parsers.readable_file(str(self._directory / path)))

    def _blame(self, member: str, detail: str) -> None:
        self._faults.append(SettingFault(VARIABLE, f"[{self._name}] {member} {detail}"))


def _description(text: str) -> str:
    if len(text) > _MOST_CHARACTERS or not text.isprintable():
        raise ValueError(f"must be one line of at most {_MOST_CHARACTERS} characters")
    return parsers.utf8(text)
