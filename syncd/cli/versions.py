"""The versions of what decides zones and hours, for `status`: a newer one can change both."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from syncd import __version__
from syncd.config.load import numbering_file
from syncd.config.settings import Settings
from syncd.core import phone, zone
from syncd.core.hours.holiday_dates import data_version
from syncd.core.hours.presets import presets
from syncd.errors import ConfigError
from syncd.ledger import migrate
from syncd.numbering.kept import load_registry


def versions() -> Mapping[str, str]:
    """Of syncd, of the ledger's tables, and of the data that it comes with."""
    return {
        "syncd": __version__,
        "schema": migrate.head(),
        "tzdata": zone.data_version(),
        "phonenumbers": version("phonenumbers"),
        "phone_binding": phone.binding,
        "holidays": data_version(),
        "presets": max(one.version for one in presets().values()).isoformat(),
    }


def registry_of(settings: Settings) -> tuple[bool, str]:
    """Whether there is a numbering registry, and what is told of it: its day, how many rows."""
    try:
        registry = load_registry(numbering_file(settings))
    except ConfigError as error:
        return False, error.what
    if registry is None:
        return False, "none"
    about = registry.about
    return True, f"{about['imported_at'][:10]} ({about['rows']:,} rows)"
