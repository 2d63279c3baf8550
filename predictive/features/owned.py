"""Own features: written in a module of the user's, named in the configuration by import path."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from predictive.errors import ConfigError, nearest
from predictive.features.catalog import Feature


def own_feature(path: str) -> Feature:
    """The feature that an import path such as ``my_features:emails_per_visit`` names.

    The working directory is searched like an installed package. A bundle holds what the feature computes, so scoring
    does not import it again. Raises :class:`~predictive.errors.ConfigError` if there is no such module or feature.
    """
    where = f"features.own: {path!r}"
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name) or module_name.startswith("."):
        raise ConfigError(f"{where} is no import path; write module:name, such as my_features:emails_per_visit")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"{where}: the module {module_name!r} cannot be imported ({error}); install it, or run where it lies"
        ) from None
    found = getattr(module, name, None)
    if not isinstance(found, Feature):
        named = [key for key, value in vars(module).items() if isinstance(value, Feature)]
        hint = nearest(name, named) if named else "make one with predictive.own(…)"
        raise ConfigError(f"{where}: {module_name} has no feature {name!r}; {hint}")
    return found
