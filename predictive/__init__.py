"""Predictive lead scoring that people can trust and that runs itself.

The flow, as functions of values::

    from predictive import load_bundle, load_config, open_sink, open_store, read_tables, score
    from predictive.train import train

    config = load_config("configs/demo.yaml")
    with open_store() as con:
        tables = read_tables(config, con, now=now)      # source → canonical tables
        trained = train(tables, config, now=now)        # → features → model → bundle, tracked
        scored = score(con, tables, config, load_bundle(trained.bundle), open_sink(config.sink), now=now)

Times are int64 microseconds since the epoch, UTC (:func:`predictive.clock.to_micros`).
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "Bundle": "predictive.model.bundle",
    "Config": "predictive.config",
    "ConfigError": "predictive.errors",
    "ConnectionLostError": "predictive.errors",
    "DataError": "predictive.errors",
    "Feature": "predictive.features.catalog",
    "ModelError": "predictive.errors",
    "NotEligibleError": "predictive.errors",
    "Note": "predictive.tables",
    "PredictiveError": "predictive.errors",
    "Tables": "predictive.tables",
    "Attribute": "predictive.features.expression",
    "Suspect": "predictive.leakage",
    "examine": "predictive.leakage",
    "build_features": "predictive.features.anywhere",
    "load_bundle": "predictive.model.bundle",
    "load_config": "predictive.config_file",
    "open_sink": "predictive.sinks",
    "own": "predictive.features.catalog",
    "open_store": "predictive.store",
    "read_tables": "predictive.sources",
    "score": "predictive.serve",
    "total": "predictive.features.expression",
    "write_report": "predictive.report",
}
__all__ = [*sorted(_WHERE), "__version__"]


def __getattr__(name: str) -> Any:
    # Functions that share their name with a module (train, explain) are imported from there; a module wins over this.
    # Imported on first use, so that the command line answers at once and scoring never loads MLflow.
    if name not in _WHERE:
        raise AttributeError(f"module 'predictive' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
