"""The review list: the few contacts where a person should look, as not everything is automated."""

from predictive.review.causes import changed, find_causes
from predictive.review.views import KINDS, ReviewItem, review_list

__all__ = ["KINDS", "ReviewItem", "changed", "find_causes", "review_list"]
