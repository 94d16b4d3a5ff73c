"""Which kinds of source there are: entry points of the group "syncd.sources".

Kinds of other packages enter by the same door as ours. Owns names and loading; never opens a
source.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from syncd.core.names import did_you_mean
from syncd.errors import ConfigError
from syncd.sources.base import SourceKind

GROUP = "syncd.sources"

#: The kinds of this package. In a source checkout nothing is installed, so no entry point names
#: them; and another package cannot take their names over.
BUILT_IN = {"csv": "syncd.sources.csv_file:CsvSource"}


def names() -> tuple[str, ...]:
    """All known kinds, sorted."""
    return tuple(sorted(_points()))


def kind_of(name: str, *, where: str = "") -> SourceKind:
    """The kind called `name`, loaded; ConfigError when there is none or it cannot be loaded."""
    points = _points()
    point = points.get(name)
    if point is None:
        hint = did_you_mean(name, sorted(points))
        raise ConfigError(f'unknown kind of source "{name}"', where=where, hint=hint)
    try:
        loaded: SourceKind = point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f'the kind of source "{name}" cannot be loaded: {type(error).__name__}',
            where=where,
            hint=f"reinstall the package that gives {point.value}",
        ) from error
    return loaded


def _points() -> dict[str, EntryPoint]:
    installed = {point.name: point for point in entry_points(group=GROUP)}
    ours = {name: EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()}
    return installed | ours
