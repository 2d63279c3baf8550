"""A Spark session in local mode, as a pytest plugin: a module that needs it says ``pytest_plugins``."""

import sys

import pytest

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.default.parallelism": "2",
    "spark.sql.shuffle.partitions": "2",
    # Plans this wide take longer to compile than small tables take to run.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    # Nothing may depend on where the session thinks it is.
    "spark.sql.session.timeZone": "America/New_York",
    "spark.driver.memory": "3g",
}


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """Skips where PySpark is not installed; `make spark` installs it."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed; `make spark` installs and runs this")
    builder = sql.SparkSession.builder.master("local[2]")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    session = builder.config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse"))).getOrCreate()
    session.sparkContext.pythonExec = sys.executable
    yield session
    session.stop()
