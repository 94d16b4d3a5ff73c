"""Identities by content: the idempotence key of a batch, and fingerprints of secrets.

The key is a hash of everything that makes a batch this batch, so other content has another key
by construction (Calls API, Idempotence: a key reused for other content silently loses it).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

#: 200 bits in base32: short enough for a header, long enough never to collide.
KEY_CHARS = 40


def body_digest(body: bytes) -> str:
    """The hex SHA-256 of a batch's exact bytes: checked when sealed and again when sent."""
    return hashlib.sha256(body).hexdigest()


def idempotence_key(
    ledger_id: str, campaign: str, members: Iterable[tuple[int, int]], digest: str
) -> str:
    """The key of a batch.

    Args:
        ledger_id: the ledger's own UUID, so that two ledgers never share a key.
        campaign: the campaign's name.
        members: (call job ID in the ledger, generation) of each job of the batch.
        digest: `body_digest` of the batch's body.
    """
    head = f"{ledger_id}\x00{campaign}\x00{digest}\x00".encode()
    tail = ",".join(f"{job}.{generation}" for job, generation in sorted(members)).encode()
    raw = hashlib.sha256(head + tail).digest()
    return base64.b32encode(raw).decode("ascii")[:KEY_CHARS]


def fingerprint(*parts: str) -> str:
    """Twelve hex digits that tell two secrets apart and give neither away."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:12]
