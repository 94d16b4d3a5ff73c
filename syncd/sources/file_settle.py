"""Which files there are, and whether their writers are done with them.

Never opens a file.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path

from syncd.errors import ConfigError, SourceDown
from syncd.sources.csv_options import CsvOptions

FILES_MAX = 10_000
#: A file dated later than this after `now` has a wrong date, not a busy writer.
FUTURE_MAX = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it stands: two equal values mean, for all we can see cheaply, the same content."""

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str, status: os.stat_result) -> Found:
        return cls(path, status.st_size, status.st_mtime_ns)


class Ready(IntEnum):
    """How far a file may be read."""

    NO = 0  #: it may still be written
    LINES = 1  #: its whole lines
    ALL = 2  #: also a last line that has no end


def find_files(options: CsvOptions, *, where: str) -> list[Found]:
    """The regular files that the path names, oldest first; symbolic links are followed.

    Raises SourceDown when a path without wildcards names nothing or a folder cannot be listed,
    ConfigError when a glob names too many.
    """
    # A name that is too long, or a folder that is closed to us, is an error of Path's is_file.
    if not glob.has_magic(options.path) or os.path.isfile(options.path):  # noqa: PTH113 - as said
        return [_the_file(options.path, where)]
    _check_folder(options.path, where)
    found = []
    for path in glob.iglob(options.path, recursive=True):  # noqa: PTH207 - lazy
        if any(fnmatch.fnmatchcase(Path(path).name, pattern) for pattern in options.ignore):
            continue
        try:
            status = os.stat(path)  # noqa: PTH116 - one call, no object a file
        except OSError:
            continue  # gone since, or a link to nothing: the next poll looks again
        if stat.S_ISREG(status.st_mode):
            found.append(Found.of(path, status))
        if len(found) > FILES_MAX:
            raise ConfigError(
                f"the glob names more than {FILES_MAX} files",
                where=where,
                hint="move finished exports away, or narrow the path",
            )
    markers = {marker_of(file.path, options.complete_marker) for file in found}
    kept = [file for file in found if file.path not in markers]
    return sorted(kept, key=lambda file: (file.mtime_ns, file.path))


def _check_folder(pattern: str, where: str) -> None:
    """A glob in a folder that is away (a share not mounted) is trouble, not an empty folder."""
    folder = Path(pattern).parent
    while glob.has_magic(str(folder)):
        folder = folder.parent
    try:
        with os.scandir(folder):
            return
    except OSError as error:
        raise unreadable(error, where) from None


def _the_file(path: str, where: str) -> Found:
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
    except FileNotFoundError:
        raise SourceDown(
            "the file is not there (yet)", where=where, hint="check path; or use a glob"
        ) from None
    except OSError as error:
        raise unreadable(error, where) from None
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(
            "the path names something that is no regular file",
            where=where,
            hint="name a file, or a glob such as exports/*.csv",
        )
    return Found.of(path, status)


def unreadable(error: OSError, where: str) -> SourceDown:
    """The error for a file that the system does not let us read."""
    return SourceDown(
        f"cannot read: {error.strerror or type(error).__name__}",
        where=where,
        hint="check that the user who runs syncd may read it and its folders",
    )


def marker_of(path: str, pattern: str | None) -> str | None:
    """The path of the marker that says that `path` is complete."""
    if pattern is None:
        return None
    name = pattern.replace("{path}", path)
    return str(Path(path).parent / name)


def how_ready(file: Found, options: CsvOptions, now: datetime) -> Ready:
    """Whether the file is complete, by marker or rename, or has been still for long enough."""
    if options.complete_marker is not None:
        return Ready.ALL if _is_marked(file, options.complete_marker) else Ready.NO
    if options.renamed:
        return Ready.ALL
    still = now.timestamp() - file.mtime_ns / 1e9
    if still < -FUTURE_MAX.total_seconds():
        return Ready.ALL
    if still < options.settle.total_seconds():
        return Ready.NO
    return Ready.ALL if still >= options.last_line_after.total_seconds() else Ready.LINES


def _is_marked(file: Found, pattern: str) -> bool:
    try:
        marker = os.stat(marker_of(file.path, pattern) or "")  # noqa: PTH116 - as above
    except OSError:
        return False
    # An older marker belongs to the file that stood here before.
    return marker.st_mtime_ns >= file.mtime_ns
