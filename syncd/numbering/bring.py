"""Brings in the registry: files or addresses ▶ rows ▶ one table, kept only when all of it is right.

Every refusal comes before the one write, so that the table that was there stays in force.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from syncd.core.zones import registry_csv
from syncd.core.zones.registry import ATTRIBUTION, Block, Registry, compiled
from syncd.core.zones.registry_csv import RegistryFile
from syncd.errors import ConfigError, SourceDown
from syncd.numbering.download import BYTES_MAX, Downloads, is_url, name_of
from syncd.numbering.kept import keep_registry, load_registry
from syncd.sources.decompress import UnpackLimits, sniff_compression, unpacked

_LIMITS: Final = UnpackLimits(bytes_max=2 * BYTES_MAX, ratio_max=200)
_UNKNOWN_TOLD = 20


@dataclass(frozen=True, slots=True)
class Brought:
    """The table now in force; `lost` are first digits of codes that only the one before covered."""

    registry: Registry
    lost: tuple[str, ...]


def bring_in(names: Sequence[str], place: Path, downloads: Downloads, *, now: datetime) -> Brought:
    """Compile the files and addresses in `names` into the table at `place`.

    Raises:
        ConfigError: a file is not the registry's, has too few rows, or blocks overlap.
        Transient: a download failed; nothing was done.
    """
    files = [_read(name, downloads) for name in names]
    blocks = [block for file in files for block in file.blocks]
    registry_csv.refuse_too_few(blocks)
    registry = compiled(blocks, _about(files, now))
    before = _before(place)
    keep_registry(place, registry.dump())
    lost = set(before) - set(registry.about["numbers"])
    return Brought(registry, tuple(sorted(lost)))


def _before(place: Path) -> dict[str, int]:
    """What the table before covered; a damaged one is replaced like none."""
    try:
        before = load_registry(place)
    except ConfigError:
        before = None
    return before.about["numbers"] if before else {}


def _about(files: Sequence[RegistryFile], now: datetime) -> dict[str, Any]:
    unknown: Counter[str] = Counter()
    for file in files:
        unknown.update(file.unknown)
    return {
        "imported_at": now.isoformat(timespec="seconds"),
        "files": [
            {"name": file.name, "rows": len(file.blocks), "numbers": _numbers(file.blocks)}
            for file in files
        ],
        "rows": sum(len(file.blocks) for file in files),
        "unknown": [
            {"territory": territory, "numbers": size}
            for territory, size in unknown.most_common(_UNKNOWN_TOLD)
        ],
        "attribution": ATTRIBUTION,
    }


def _numbers(blocks: Sequence[Block]) -> int:
    return sum(block.last - block.first + 1 for block in blocks)


def _read(name: str, downloads: Downloads) -> RegistryFile:
    if is_url(name):
        short = name_of(name)
        return _parsed(io.BytesIO(downloads.fetch(name)), short)
    path = Path(name)
    try:
        with path.open("rb") as file:
            return _parsed(io.BytesIO(file.read(BYTES_MAX + 1)), path.name)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=path.name) from None


def _parsed(file: io.BytesIO, name: str) -> RegistryFile:
    size = file.getbuffer().nbytes
    if size > BYTES_MAX:
        raise ConfigError(f"is larger than {BYTES_MAX:,} bytes", where=name, hint=_NOT_IT)
    try:
        kind = sniff_compression(file)
        with unpacked(file, kind, size=size, member=None, limits=_LIMITS, where=name) as read:
            raw = read(_LIMITS.bytes_max + 1)
    except (ConfigError, SourceDown) as error:
        raise ConfigError(error.what, where=name, hint="unpack it by hand") from None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8, as the registry is", where=name, hint=_NOT_IT) from None
    return registry_csv.read(io.StringIO(text), name)


_NOT_IT = "expected DEF-9xx.csv, ABC-3xx.csv, ABC-4xx.csv or ABC-8xx.csv as it is published"
