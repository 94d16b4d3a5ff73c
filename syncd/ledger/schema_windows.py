"""The table of zones and hours that call jobs share.

Made by `migrations/` like all others (schema.py says more).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from syncd.ledger.schema import Id, metadata

#: Zones and hours, each once, however many jobs have them. Rows never change.
call_windows = Table(
    "call_windows",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("fields", Text, nullable=False),  # members of a JSON object, as they are sent
    Column("basis", Text, nullable=False),  # JSON: what they were worked out from
    Column("made_at", BigInteger, nullable=False),
)
Index("uq_call_windows_digest", call_windows.c.digest, unique=True)
