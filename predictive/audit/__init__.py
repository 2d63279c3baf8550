"""The audit: scores that people saw, against what happened since. What no vendor shows."""

from predictive.audit.first import First, first_scores
from predictive.audit.outcome import Audit, Line, audit

__all__ = ["Audit", "First", "Line", "audit", "first_scores"]
