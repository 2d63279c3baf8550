"""A working database for small histories."""

import duckdb
import pytest


@pytest.fixture(scope="session")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set disabled_optimizers = 'join_order'")
        yield connection
