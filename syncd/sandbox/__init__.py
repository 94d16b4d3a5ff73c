"""A faithful local Calls API with a dialer on a virtual clock.

Owns an independent witness of what a client does: it shares no code with the client and must never
import any of it. `serve` runs it; `syncd.sandbox.testing.running_sandbox` runs it inside a test.
"""

from __future__ import annotations

from syncd.sandbox.journal import StateError
from syncd.sandbox.server import banner, build_app, serve
from syncd.sandbox.world import SandboxConfig, World, build_world

__all__ = ["SandboxConfig", "StateError", "World", "banner", "build_app", "build_world", "serve"]
