from dataclasses import replace

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from predictive.clock import DAY
from predictive.leakage import audit
from predictive.tables import SCHEMAS
from tests.leakage.crm import END, config, crm, honest, some, tables


@pytest.mark.parametrize("engine", ["polars", "pandas"])
def test_every_engine_finds_the_same(con, engine):
    random = np.random.default_rng(0)
    world = crm(random, contacts=500)
    signed = pd.DataFrame({"contact_id": world.ids, "type": "signing", "t": world.closed - DAY // 24})[world.won]
    first = {"object": "contact", "object_id": world.ids, "attribute": "budget", "changed_at": world.closed}
    leaking = replace(
        world.plus(
            owner=some(random, np.full(500, "team", dtype=object), world.won, 0.8),
            budget=np.where(world.won, "yes", None),
            **honest(random, 500, columns=5),
        ),
        activities=signed.assign(known=signed["t"]),
        changes=pd.DataFrame(first).assign(value="yes")[world.won],
    )
    here = tables(leaking, con)
    arrow = {name: con.table(name).arrow().read_all() for name in SCHEMAS}
    if engine == "polars":
        import polars as pl

        moved = {name: pl.from_arrow(rows).lazy() for name, rows in arrow.items()}
    else:
        moved = {name: rows.to_pandas(types_mapper=pd.ArrowDtype) for name, rows in arrow.items()}
    there = replace(here, **{name: nw.from_native(frame).lazy() for name, frame in moved.items()})
    found = audit(here, config(), now=END)
    assert audit(there, config(), now=END) == found
    assert {s.column for s in found if s.confidence == "high"} == {"signing", "owner", "budget"}
