"""What the history says: close rates, what buyers did before they bought, and thresholds that hold on later data.

::

    tables ──► cuts (who was eligible when, and closed) ──► havings (what they had) ──► evidence ──► rates, patterns
          └──► buyers (what they did before the close, beside contacts alike)
"""

from predictive.closerates.buyers import Buyers, Kind, buyers
from predictive.closerates.patterns import Pattern, Patterns, patterns
from predictive.closerates.rates import CloseRates, Rate, close_rates

__all__ = ["Buyers", "CloseRates", "Kind", "Pattern", "Patterns", "Rate", "buyers", "close_rates", "patterns"]
