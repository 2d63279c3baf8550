"""A working database for made-up CRMs."""

import duckdb
import pytest


@pytest.fixture(scope="session")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection
