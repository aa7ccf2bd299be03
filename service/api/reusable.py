"""What the plain way through the application tells the fast lane of an answer that can be given again."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.access import AccessRule

REUSABLE = "metric_resource.reusable"
"""Where in the WSGI environment it is told."""


@dataclass(frozen=True, slots=True)
class Reusable:
    """What an answer hung on: the stored entry and its content, the access rule, the resource group (``None`` where
    none was asked for); ``tag`` names the representation, ``route`` the route for the log."""

    key: str
    digest: bytes
    tag: str
    rule: AccessRule
    resource_group: str | None
    route: str
