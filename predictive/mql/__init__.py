"""A definition of MQL for this company: from what closed later, and what sales can work."""

from predictive.mql.define import Definition, define
from predictive.mql.regions import Region, judge_regions

__all__ = ["Definition", "Region", "define", "judge_regions"]
