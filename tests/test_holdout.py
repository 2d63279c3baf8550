import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.holdout import held_out

IDS = [f"C{i:07}" for i in range(20_000)]


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_every_member_of_a_smaller_one(a, b):
    small, large = sorted((a, b))
    assert (held_out(IDS[:300], small) <= held_out(IDS[:300], large)).all()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_it_holds_that_share_whatever_the_ids_look_like(share):
    for ids in (IDS, [str(i) for i in range(20_000)], [f"{i}@crm" for i in range(20_000)]):
        error = np.sqrt(share * (1 - share) / 20_000)
        assert abs(held_out(ids, share).mean() - share) < 4 * error


def test_a_contact_is_in_it_or_not_whoever_else_is_there():
    whole = held_out(IDS[:500], 0.2)
    assert [bool(held_out([i], 0.2)[0]) for i in IDS[:500]] == whole.tolist()


def test_who_is_in_it_never_changes_from_one_version_to_the_next():
    assert [i for i, out in zip(IDS, held_out(IDS, 0.001), strict=True) if out][:5] == GOLDEN
    assert held_out(IDS, 0).sum() == 0


GOLDEN = ["C0000533", "C0000620", "C0000879", "C0002720", "C0003464"]
