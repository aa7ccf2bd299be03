"""Service bindings of a platform: ``VCAP_SERVICES``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import quote, unquote

from service.auth.issuers import header_word, zone_id
from service.caching.redis.url import is_encrypted
from service.settings import addresses, parsers
from service.settings.json_objects import Document, parse_object, text_at
from service.settings.model import IdentityBinding, XsuaaBinding
from service.settings.parsers import integer
from service.settings.setting_faults import SettingFault

VARIABLE = "VCAP_SERVICES"
REDIS_BINDING = "the redis-cache binding"
_REDIS = "redis-cache"
_WHOLE = ""
_PORT = integer(1, 65535)


class Bindings:
    """Reads the bindings in the environment; faults are added to ``faults``."""

    def __init__(self, environment: Mapping[str, str], faults: list[SettingFault]) -> None:
        self._faults = faults
        self._broken: set[str] = set()
        self._services: Document = {}
        try:
            self._services = parse_object(environment.get(VARIABLE) or "{}")
        except ValueError as error:
            self._blame(_WHOLE, str(error))

    def sound(self, *labels: str) -> bool:
        """Whether the bindings of these services could be read. To be called after reading them."""
        return self._broken.isdisjoint({_WHOLE, *labels})

    def xsuaa(self) -> tuple[XsuaaBinding, ...]:
        """All XSUAA bindings."""
        return tuple(map(_xsuaa, self._members("xsuaa")))

    def identity(self) -> tuple[IdentityBinding, ...]:
        """All Identity Authentication bindings."""
        return tuple(map(_identity, self._members("identity")))

    def redis_url(self) -> str | None:
        """The URL of the first Redis binding ("Redis on SAP BTP, hyperscaler option"); ``None`` where there is none."""
        bound = self._members(_REDIS)[:1]
        return next(filter(None, map(_redis_url, bound)), None)

    def credentials(self, label: str) -> list[tuple[str, Document]]:
        """The credentials of each instance of a service, with their place in the document."""
        instances = self._services.get(label, [])
        if not isinstance(instances, list):
            self._blame(label, f"{label} must be a list")
            return []
        places = [(f"{label}[{number}].credentials", one) for number, one in enumerate(instances)]
        return [(place, found) for place, one in places if (found := self._object(label, place, one)) is not None]

    def _members(self, label: str) -> list[Members]:
        blame = partial(self._blame, label)
        return [Members(found, place, blame) for place, found in self.credentials(label)]

    def _object(self, label: str, place: str, instance: object) -> Document | None:
        found = instance.get("credentials") if isinstance(instance, dict) else None
        if not isinstance(found, dict):
            self._blame(label, f"{place} must be an object")
            return None
        return found

    def _blame(self, label: str, detail: str) -> None:
        self._broken.add(label)
        self._faults.append(SettingFault(VARIABLE, detail))


class Members:
    """The members of one binding's credentials. Reading continues after a fault, to find the others."""

    def __init__(self, document: Document, place: str, blame: Callable[[str], None]) -> None:
        self._document = document
        self._place = place
        self._blame = blame

    def need(self, name: str, parse: Callable[[str], str] = parsers.word) -> str:
        """A required member."""
        if self._document.get(name) in (None, ""):
            self._blame(f"{self._place}.{name} is missing")
            return ""
        return self.may(name, parse) or ""

    def may(self, name: str, parse: Callable[[str], str] = parsers.word) -> str | None:
        """An optional member."""
        try:
            text = text_at(self._document, (name,))
            return None if text is None else parse(text)
        except ValueError as error:
            self._blame(f"{self._place}.{name} {error}")
            return None

    def switch(self, name: str) -> bool:
        """A member that is true or false, the latter where it is missing."""
        value = self._document.get(name)
        if not isinstance(value, bool | None):
            self._blame(f"{self._place}.{name} must be true or false")
        return value is True

    def port(self, name: str) -> int | None:
        """A member that is a port, as a number or in digits."""
        value = self._document.get(name)
        try:
            text = str(value) if type(value) is int else text_at(self._document, (name,))
            return None if text is None else _PORT(text)
        except ValueError as error:
            self._blame(f"{self._place}.{name} {error}")
            return None

    def check(self, parse: Callable[[str], str], text: str) -> str | None:
        """Parse text that is composed of members."""
        try:
            return parse(text)
        except ValueError as error:
            self._blame(f"{self._place} {error}")
            return None

    def domains(self) -> tuple[str, ...]:
        """``domains``, or ``domain`` of older bindings."""
        found = self._document.get("domains")
        if found is None:
            one = self.may("domain", addresses.domain)
            return () if one is None else (one,)
        listed = found if isinstance(found, list) else [found]
        members = Members(
            {str(number): one for number, one in enumerate(listed)}, f"{self._place}.domains", self._blame
        )
        return tuple(members.need(str(number), addresses.domain) for number in range(len(listed)))


def _xsuaa(members: Members) -> XsuaaBinding:
    return XsuaaBinding(
        client_id=members.need("clientid"),
        xsappname=members.need("xsappname"),
        url=members.need("url", addresses.http_url),
        uaadomain=members.need("uaadomain", addresses.domain),
        verification_key=members.may("verificationkey", parsers.utf8),
        identity_zone_id=members.may("identityzoneid", zone_id),
    )


def _identity(members: Members) -> IdentityBinding:
    return IdentityBinding(
        client_id=members.need("clientid", header_word),
        url=members.need("url", addresses.http_url),
        domains=members.domains(),
        app_tid=members.may("app_tid", header_word),
    )


def _redis_url(members: Members) -> str | None:
    """The URL, from ``hostname``, ``port``, ``password``, ``tls`` and ``cluster_mode``. In ``uri`` the password is not
    percent-encoded, so ``uri`` is used only for missing members; its user means none.
    """
    scheme, _, rest = (members.may("uri", parsers.unpadded) or "").partition("://")
    userinfo, _, place = rest.rpartition("@")
    host, port = members.may("hostname", addresses.bind_host), members.port("port")
    password = members.may("password", parsers.unpadded)
    tls, cluster = members.switch("tls"), members.switch("cluster_mode")
    if host is not None:
        place = host if port is None else f"{host}:{port}"
    elif not place:
        members.need("hostname")
        return None
    password = unquote(userinfo.partition(":")[2]) if password is None else password
    secure = "s" if tls or is_encrypted(scheme) else ""
    form = "+cluster" if cluster else ""
    return members.check(addresses.redis_url, f"redis{secure}{form}://:{quote(password, safe='')}@{place}")
