"""Faults of a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingFault:
    """A fault: the variable, and what is wrong with it. ``detail`` never repeats a secret."""

    variable: str
    detail: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.detail}"


class SettingsError(Exception):
    """The configuration cannot be used. As text: one line for each fault."""

    def __init__(self, faults: Iterable[SettingFault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class Unreadable(Exception):
    """A whole source of settings cannot be read, so nothing is known about its content."""

    def __init__(self, fault: SettingFault) -> None:
        super().__init__(fault)
        self.fault = fault
