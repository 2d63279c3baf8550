"""Examples of which some that did not close were left out, and the weights that put them back.

Every close is kept, and the other examples with the same chance each; what is kept weighs the inverse of its chance, so
that every sum over the examples is what it was, but for luck (Horvitz and Thompson 1952,
doi:10.1080/01621459.1952.10483446). The same chance also makes a sample of all examples, closes included, in which
everybody counts once: whatever is judged is judged on that one, and only what is fitted needs weights.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LUCK = "::luck"
"""The column of thinned examples that says who is in the sample; no feature can have its name."""
WEIGHT = "::weight"


def weigh(frame: pd.DataFrame, share: float) -> pd.DataFrame:
    """Examples with their weights, of which those that did not close were kept with the chance `share`.

    `frame` has the `label` and the :data:`LUCK` (in [0, 1)) of each. With a share of 1 they need no weights.
    """
    if share >= 1:
        return frame.drop(columns=LUCK, errors="ignore")
    weighed = frame.copy()
    weighed[WEIGHT] = np.where(frame["label"] == 1, 1.0, 1 / share)
    weighed[LUCK] = frame[LUCK] < share
    return weighed


def weight_of(frame: pd.DataFrame) -> np.ndarray | None:
    """The weights (n,) of examples; None where none were left out, and all count once.

    >>> whole = pd.DataFrame({"label": [1, 0, 1], "::luck": [0.9, 0.1, 0.2]})
    >>> weight_of(weigh(whole, 0.5)).tolist()
    [1.0, 2.0, 1.0]
    >>> weight_of(weigh(whole, 1.0)) is None
    True
    """
    return frame[WEIGHT].to_numpy(dtype=float) if WEIGHT in frame else None


def in_sample(frame: pd.DataFrame) -> np.ndarray:
    """Which examples (n,) are in the sample in which everybody counts once."""
    return frame[LUCK].to_numpy(dtype=bool) if LUCK in frame else np.ones(len(frame), dtype=bool)


def sample(frame: pd.DataFrame) -> pd.DataFrame:
    """The examples in which everybody counts once.

    >>> whole = pd.DataFrame({"label": [1, 0, 1], "::luck": [0.9, 0.1, 0.2]})
    >>> sample(weigh(whole, 0.5))["label"].tolist()
    [0, 1]
    """
    return frame[in_sample(frame)].drop(columns=[WEIGHT, LUCK], errors="ignore")
