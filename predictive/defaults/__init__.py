"""Files that the package falls back on: the default rules."""
