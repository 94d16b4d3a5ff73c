"""The hours in which a person may be called: weeks, their intersection over zones, presets."""
