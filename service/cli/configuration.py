"""The settings a command runs with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial

from service.auth.catalogue import load_catalogue
from service.auth.verification_keys import read_pem
from service.settings import Settings, SettingsError, read_settings


def settings() -> Settings | None:
    """The settings from the environment; ``None`` where they are invalid, with each fault on standard error."""
    try:
        read = read_settings(os.environ)
    except SettingsError as error:
        _tell(str(error).splitlines())
        return None
    faults = _fault("ROLE_CATALOGUE", lambda: load_catalogue(read.auth.role_catalogue))
    for binding in read.auth.xsuaa:
        if binding.verification_key is not None:
            faults += _fault("VCAP_SERVICES: verificationkey", partial(read_pem, binding.verification_key))
    _tell(faults)
    return None if faults else read


def _fault(name: str, read: Callable[[], object]) -> list[str]:
    try:
        read()
    except ValueError as error:
        return [f"{name}: {error}"]
    return []


def _tell(faults: Iterable[str]) -> None:
    for fault in faults:
        print(fault, file=sys.stderr)
