"""From the places that a record names to zones: country, region, town, post code."""
