from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from predictive.evaluation.stability import profile, shifts

FEATURES = [SimpleNamespace(name="size", kind="number"), SimpleNamespace(name="source", kind="text")]


def rows(n, seed, *, shift=0.0, sources=("web", "fair", "ads"), missing=0.1):
    rng = np.random.default_rng(seed)
    size = pd.Series(rng.normal(shift, 1, n)).mask(rng.random(n) < missing)
    return pd.DataFrame({"size": size, "source": rng.choice(sources, n)})


def test_the_index_is_the_formula():
    known = {"rows": 1_000, "features": {"size": {"edges": [0.0], "shares": [0.4, 0.4, 0.2]}}}
    now = pd.DataFrame({"size": [-1.0] * 600 + [1.0] * 200 + [None] * 200})
    (found,) = shifts(known, now)
    p, q = (np.array(x) / 1_001.5 for x in ([400.5, 400.5, 200.5], [600.5, 200.5, 200.5]))
    assert found.psi == pytest.approx(sum((q - p) * np.log(q / p)))


def test_what_has_not_moved_stays_within_the_noise_and_what_has_does_not():
    known, within = profile(FEATURES, rows(2_000, 1)), []
    for seed in range(40):
        within += [s.psi < s.noise for s in shifts(known, rows(300, seed + 10))]
    assert np.mean(within) > 0.95
    moved = {s.name: s for s in shifts(known, rows(300, 2, shift=1.0, sources=("web", "web", "new")))}
    assert all(s.psi > 0.25 > s.noise for s in moved.values())


def test_more_missing_values_and_unseen_levels_are_moves():
    known = profile(FEATURES, rows(2_000, 1))
    found = {s.name: s.psi for s in shifts(known, rows(2_000, 2, missing=0.6))}
    assert found["size"] > 0.25 > found["source"]
    assert list(found) == ["size", "source"]
    assert {s.name: s.psi for s in shifts(known, rows(2_000, 3, sources=("other",)))}["source"] > 1
    assert shifts(known, rows(0, 1)) == ()


def test_a_profile_is_plain_and_of_constant_and_empty_columns_too():
    odd = pd.DataFrame({"size": [np.nan] * 4, "source": [None, None, "a", "a"]})
    known = profile(FEATURES, odd)
    assert known == {"rows": 4, "features": {
        "size": {"edges": [], "shares": [0, 1]}, "source": {"levels": ["a"], "shares": [0.5, 0, 0.5]},
    }}  # fmt: skip
    assert {s.psi for s in shifts(known, odd)} == {0.0}
