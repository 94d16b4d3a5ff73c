"""What stays of an erased person: keyed digests, enough to never call again.

Without the ledger's pepper a digest says nothing. Who has the pepper can try all phones there are:
a digest is a pseudonym, not an anonymity, and the pages say so.
"""

from __future__ import annotations

import hmac

#: The phone of an erased call job. It is no number that anybody has, and no other job asks for it.
ERASED_PHONE = 0
#: Why a job ended, and why a record is no lead.
ERASED = "erased"
#: 160 bits: long enough never to meet by chance, short enough to be compared by eye.
_DIGEST_CHARS = 40


def phone_digest(pepper: str, phone: int) -> str:
    """The digest of a phone, whichever sync or campaign it was in."""
    return _digest(pepper, f"phone\x00{phone}")


def key_digest(pepper: str, sync: str, key: str) -> str:
    """The digest of a lead's key: the same key in another sync is another person."""
    return _digest(pepper, f"key\x00{sync}\x00{key}")


def _digest(pepper: str, text: str) -> str:
    return hmac.digest(pepper.encode(), text.encode(), "sha256").hex()[:_DIGEST_CHARS]
