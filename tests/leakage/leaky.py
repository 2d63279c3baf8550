"""Configurations of the demo and of the real sets with their leaks left in."""

from pathlib import Path

import yaml

CONFIGS = Path(__file__).parents[2] / "configs"
SELLER = (
    "seller_id", "sdr_id", "sr_id", "business_segment", "lead_type", "lead_behaviour_profile", "has_company",
    "has_gtin", "average_stock", "business_type", "declared_product_catalog_size", "declared_monthly_revenue",
    "seller_zip_code_prefix", "seller_city", "seller_state",
)  # fmt: skip
"""What Olist knows of a lead only because it was won."""
LEAKS = {
    "olist": set(SELLER),
    "bank": {"duration"},
    "oulad": {"final_result", "date_unregistration"},
    "demo": {"contract_type", "onboarding_owner", "budget_confirmed"},
}


def leaky(name, folder, *, source=None):
    """The path of a configuration of this set in `folder` that lets its leaks in."""
    raw = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    raw["features"] = {k: v for k, v in raw.get("features", {}).items() if k != "exclude"}
    raw["rules"] = str(CONFIGS / "rules" / f"{name}.yaml") if "rules" in raw else None
    EDITS[name](raw["source"])
    if source is not None:
        raw["source"]["path"] = str(source)
    path = folder / f"{name}-leaky.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in raw.items() if v is not None}), encoding="utf-8")
    return path


def _olist(source):
    source["files"] = {
        "leads": "olist_marketing_qualified_leads_dataset.csv",
        "closed": "olist_closed_deals_dataset.csv",
        "sellers": "olist_sellers_dataset.csv",
    }
    query = """
        SELECT mql_id AS contact_id, first_contact_date AS created_at, landing_page_id, origin,
          closed.* EXCLUDE (mql_id, won_date, row_number), sellers.* EXCLUDE (seller_id, row_number)
        FROM leads LEFT JOIN closed USING (mql_id) LEFT JOIN sellers ON closed.seller_id = sellers.seller_id
    """
    source["tables"]["contacts"] = {"query": query}


def _bank(source):
    contacts = source["tables"]["contacts"]
    contacts["query"] = _replaced(contacts["query"], "pdays, duration, y)", "pdays, y)")


def _oulad(source):
    contacts = source["tables"]["contacts"]
    contacts["query"] = _replaced(contacts["query"], "gender,", "gender, final_result, date_unregistration,")


def _replaced(text, old, new):
    assert text.count(old) == 1
    return text.replace(old, new)


EDITS = {"olist": _olist, "bank": _bank, "oulad": _oulad, "demo": lambda _: None}
