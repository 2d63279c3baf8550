"""The public API is what `__all__` says."""

import pkgutil

import pytest

import predictive


def test_every_public_name_can_be_imported_and_comes_from_the_package():
    for name in predictive.__all__:
        value = getattr(predictive, name)
        if name != "__version__":
            assert value.__module__.startswith("predictive."), name
            assert value.__doc__, name


def test_no_public_name_is_hidden_by_a_module_of_the_same_name():
    modules = {module.name for module in pkgutil.iter_modules(predictive.__path__)}
    assert not modules & set(predictive.__all__)


def test_an_unknown_name_says_so():
    with pytest.raises(AttributeError, match="nothing"):
        _ = predictive.nothing
