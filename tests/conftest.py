"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest

# Plugins of single modules: the search for doctests would import them before any module names them.
pytest.register_assert_rewrite("tests.servers", "tests.trained", "tests.sources.demo_crm")

BESIDE = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data_dir():
    """The folder of the real data sets: DATA_DIR, else the one beside the checkout; skips where there is none."""
    folder = Path(os.environ.get("DATA_DIR") or BESIDE)
    if not (folder / "olist").is_dir():
        pytest.skip(f"needs the real data sets in {folder}; set DATA_DIR to their folder")
    return folder.resolve()
