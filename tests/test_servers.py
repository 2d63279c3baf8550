import pytest

pytest_plugins = ["tests.servers"]


def test_a_database_of_its_own_is_there_and_empty_and_asks_for_the_password(postgres, postgres_server):
    name = postgres.rsplit("/", 1)[1]
    postgres_server.sql("CREATE TABLE t AS SELECT generate_series(1, 3) AS n", database=name)
    assert postgres_server.sql("SELECT sum(n) FROM t", database=name).strip() == "6"
    with pytest.raises(AssertionError, match="password authentication failed"):
        postgres_server.run("psql", "-d", postgres.replace(":kept", ":wrong"), "-c", "SELECT 1")


def test_a_killed_server_comes_back(postgres, postgres_server):
    name = postgres.rsplit("/", 1)[1]
    postgres_server.sql("CREATE TABLE t AS SELECT 1 AS n", database=name)
    postgres_server.stop()
    postgres_server.start()
    assert postgres_server.sql("SELECT n FROM t", database=name).strip() == "1"
