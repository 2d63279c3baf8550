"""Predictive lead scoring that people can trust and that runs itself."""

__version__ = "0.1.0"
