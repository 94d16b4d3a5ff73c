"""Brings in the Russian numbering registry and keeps it; `core/zones/registry.py` compiles it."""
