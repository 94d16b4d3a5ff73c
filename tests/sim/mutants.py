"""All mutants: importing their rooms puts them on the list."""

from __future__ import annotations

from tests.sim import mutants_ledger, mutants_sending
from tests.sim.mutant import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant", "mutants_ledger", "mutants_sending"]
