"""Scores on Spark: tables of its catalog in and out, features by the same expressions, the model by `mapInArrow`.

Imported only where a configuration says ``engine: spark``; PySpark is the extra of that name.
"""
