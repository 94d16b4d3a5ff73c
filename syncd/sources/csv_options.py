"""The options of the kind "csv": what a person may say about an export.

The descriptions become the reference pages and config.example.toml.
"""

from __future__ import annotations

import codecs
import hashlib
from datetime import timedelta
from typing import Annotated, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from syncd.sources.duration import Duration

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
TIB = 1024 * GIB

#: What Linux takes as a path.
PATH_CHARS_MAX = 4096
#: More lines than are ever looked at for a header.
HEADER_LINE_MAX = 1_000_000

#: Names that a writer uses until its file is complete; only a glob is filtered by them.
IGNORED_NAMES = (
    "*.tmp",
    "*.temp",
    "*.part",
    "*.partial",
    "*.filepart",
    "*.crdownload",
    "*~",
    "~$*",
)

#: The options that decide what a record is: when one changes, known files are read again.
_DECIDES = (
    "delimiter",
    "encoding",
    "quote",
    "header",
    "columns",
    "compression",
    "member",
    "field_bytes_max",
    "record_bytes_max",
)

#: Encodings of the names of hosts; their errors are not those of files.
_OF_HOSTS = frozenset({"idna", "punycode"})
_NO_ENCODING = 'expected the name of an encoding such as "utf-8" or "cp1251"'

Character = Annotated[str, Field(min_length=1, max_length=1)]
HeaderLine = Annotated[int, Field(ge=1, le=HEADER_LINE_MAX, strict=True)]


class CsvOptions(BaseModel):
    """One export or a folder of them. Everything but `path` is found out when it is not given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    path: str = Field(
        min_length=1,
        max_length=PATH_CHARS_MAX,
        description="The file, or a glob such as exports/*.csv (** goes into sub-folders).",
    )
    delimiter: Character | None = Field(
        default=None,
        description='The character between two values: "," ";" "|" or a tab. '
        "Found out when not given.",
    )
    encoding: str | None = Field(
        default=None,
        description='"utf-8", "cp1251", "utf-16" and so on. Found out when not given.',
    )
    quote: Annotated[str, Field(max_length=1)] | None = Field(
        default=None,
        description='The character around a quoted value; "" when nothing is quoted. '
        "Found out when not given.",
    )
    header: HeaderLine | Literal[False] | None = Field(
        default=None,
        description="The line on which the names of the columns stand (1 is the first), or false "
        "when there is none; then `columns` names them. Found out when not given.",
    )
    columns: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="The names of the columns, in order, for a file without a header row.",
    )
    compression: Literal["auto", "none", "gzip", "zstd", "zip"] = Field(
        default="auto",
        description="How the file is packed; auto looks at its first bytes, not at its name.",
    )
    member: str | None = Field(
        default=None,
        description="For a zip with several files: the name (or a glob) of the one to read.",
    )
    settle: Duration = Field(
        default=timedelta(seconds=30),
        description="A file is read when it has not changed for this long.",
    )
    complete_marker: str | None = Field(
        default=None,
        min_length=1,
        max_length=PATH_CHARS_MAX,
        description='A file is complete when this one exists and is not older: "{path}.done", or a '
        'name in the same folder such as "_SUCCESS". `settle` is then not waited for.',
    )
    renamed: bool = Field(
        default=False,
        description="True when the exporter writes under another name and renames at the end: a "
        "file that is there is then complete, and `settle` is not waited for.",
    )
    last_line_after: Duration = Field(
        default=timedelta(minutes=10),
        description="A last line without its line end may be half a line: it waits until the file "
        "has not changed for this long. It does not wait when marker or rename say complete.",
    )
    ignore: tuple[str, ...] = Field(
        default=IGNORED_NAMES,
        description="Names that a glob leaves out, because writers use them for unfinished files.",
    )
    field_bytes_max: int = Field(
        default=64 * KIB,
        ge=1,
        le=16 * MIB,
        description="A record with a longer value (in characters) is rejected: field_too_long.",
    )
    record_bytes_max: int = Field(
        default=MIB,
        ge=KIB,
        le=64 * MIB,
        description="A longer line (in characters) is rejected, and never held in memory: "
        "record_too_long.",
    )
    page_records: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="How many records are stored in one transaction, at most.",
    )
    unpacked_bytes_max: int = Field(
        default=16 * GIB,
        ge=1,
        le=1024 * TIB,
        description="A packed file that unpacks to more is refused.",
    )
    unpacked_ratio_max: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description="A packed file that unpacks to more than so many times its size is refused "
        "(looked at from 16 MiB on).",
    )

    @field_validator("delimiter", "quote")
    @classmethod
    def _separates(cls, value: str | None) -> str | None:
        if value in ("\n", "\r", "\0"):
            raise ValueError("expected a character other than a line end")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            found = codecs.lookup(value)
            codecs.getincrementaldecoder(value)("strict").decode(b"")
            b"a".decode(found.name, "ignore")  # refuses what gives no text, such as "hex"
        except (LookupError, TypeError, ValueError):
            raise ValueError(_NO_ENCODING) from None
        if found.name in _OF_HOSTS:
            raise ValueError(_NO_ENCODING)
        return found.name

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.header is False and not self.columns:
            raise ValueError("header = false needs columns = [...]")
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("columns names one column twice")
        if self.delimiter is not None and self.delimiter == self.quote:
            raise ValueError("delimiter and quote are the same character")
        return self

    @property
    def digest(self) -> str:
        """Changes when an option changes that decides what a record is."""
        chosen = self.model_dump(mode="json", include=set(_DECIDES))
        return hashlib.sha256(orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
