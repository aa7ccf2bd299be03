"""The service's configuration: read from environment variables, checked as a whole, frozen.

``model`` says what there is to set, ``table`` how each simple variable becomes one field of it, ``sources`` and
``bindings`` where SAP's platforms put credentials, ``environment`` brings all together. See ``docs/configuration.md``.
"""

from service.settings.description import describe
from service.settings.environment import available_cores, read_settings
from service.settings.model import (
    AuthSettings,
    CacheSettings,
    ConnectionSettings,
    IdentityBinding,
    PageSettings,
    RuntimeAuth,
    RuntimeKind,
    RuntimeSettings,
    ServerSettings,
    Settings,
    TracingSettings,
    XsuaaBinding,
)
from service.settings.risks import risks
from service.settings.setting_faults import SettingFault, SettingsError

__all__ = [
    "AuthSettings",
    "CacheSettings",
    "ConnectionSettings",
    "IdentityBinding",
    "PageSettings",
    "RuntimeAuth",
    "RuntimeKind",
    "RuntimeSettings",
    "ServerSettings",
    "SettingFault",
    "Settings",
    "SettingsError",
    "TracingSettings",
    "XsuaaBinding",
    "available_cores",
    "describe",
    "read_settings",
    "risks",
]
