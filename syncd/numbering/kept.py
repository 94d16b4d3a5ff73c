"""Where the compiled numbering registry is kept, and how it is read and replaced.

One file holds the table and all that is told about it, so that the two can never disagree.
"""

from __future__ import annotations

from pathlib import Path

from syncd.core.zones.registry import Registry
from syncd.errors import ConfigError
from syncd.ledger.whole_file import put_whole

_MODE = 0o644  # open data: whoever imports it, syncd's own user has to read it
_BYTES_MAX = 64 * 1024 * 1024


def load_registry(path: Path | None) -> Registry | None:
    """The registry at `path`; None when there is none, or no place for one.

    Raises:
        ConfigError: it cannot be read, is damaged, or was compiled by another version.
    """
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            raw = file.read(_BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        return Registry.load(raw)
    except ConfigError as error:
        raise ConfigError(error.what, where=str(path), hint=error.hint) from None


def keep_registry(path: Path, raw: bytes) -> None:
    """Put dumped bytes in the place of the registry at `path`; the old one stays on an error.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    try:
        put_whole(path, raw, mode=_MODE)
    except OSError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the numbering registry cannot be kept here: {error.strerror}",
        where=str(path),
        hint="set path in [numbering] to a file that the user of syncd can read and write",
    )
