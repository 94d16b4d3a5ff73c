"""Whose certificates are trusted: the packaged roots, and those of a file that a person names."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from syncd.errors import ConfigError


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 and newer, with the usual roots and those in `ca_file`; nothing of the environment.

    Raises:
        ConfigError: `ca_file` cannot be read, or is no PEM file.
    """
    context = httpx.create_ssl_context(verify=True, trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is None:
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the CA file cannot be used: {error.strerror or 'not a PEM file'}",
            where=str(ca_file),
            hint="give a readable PEM file with one or more CA certificates",
        ) from None
    return context
