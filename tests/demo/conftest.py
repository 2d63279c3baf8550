from pathlib import Path

import duckdb
import pytest
from numpy.random import default_rng

from predictive.demo import Demo, generate
from predictive.demo.simulate import History, simulate
from predictive.demo.world import World, draw_world


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return generate(contacts=5_000, seed=11, out=tmp_path_factory.mktemp("demo"))


@pytest.fixture
def ask(demo: Demo):
    """The rows of a query on the demo's database."""
    with duckdb.connect(str(demo.database), read_only=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def large() -> tuple[World, History]:
    """A world large enough to count closes in, without tables."""
    world = draw_world(40_000, default_rng(1))
    return world, simulate(world, default_rng(2))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "made" / "here"
