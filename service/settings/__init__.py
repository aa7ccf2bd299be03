"""The service's configuration: read from environment variables, checked as a whole, frozen.

``model`` has the settings, ``table`` maps each simple variable to a field, ``sources`` and ``bindings`` read
credentials of SAP's platforms, and ``environment`` combines them. See ``docs/configuration.md``.
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
