"""The daemon: passes on a schedule, until a signal or a lost ledger ends it."""
