"""From a record to the time zones that it may be in."""
