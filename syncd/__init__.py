"""syncd: new leads into an outbound-call campaign, exactly once, at a permitted hour."""

__version__ = "0.1.0"
