"""Which modules pytest leaves alone: those on Spark where it is not installed; `make spark` installs it."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("pyspark") else ["predictive/spark"]
