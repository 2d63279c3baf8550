import pytest

from predictive.config_file import load_config
from predictive.definitions import funnel

pytest_plugins = ["tests.trained"]

CONFIGURED = """
source: {kind: files, path: data, tables: {contacts: {file: c.csv}, deals: {file: d.csv}}}
rules: rules.yaml
capacity: {per_week: 200}
holdout: 0.05
notices: {file: new.csv, webhook: "https://hooks.example/T0KEN", secret: S3CRET}
eligibility: {lost: exclude, non_marketing: {status: [staff, partner]}}
review: {per_week: 10}
quadrants:
  by: share
  fit: 0.2
  interest: 0.3
  grid: {fit: [0.05, 0.5], interest: [0.1, 0.6]}
  actions:
    pursue: {action: the inside team calls, respond_within: 4h}
    A1: {respond_within: 30m}
"""
RULES = """
stages: {prospect: 1, MQL: 30, SQL: 60}
lifecycle: {customer: [customer, evangelist]}
sets:
  - name: visited
    points: 5
    when: [{activity: page_view}]
"""
GOLDEN = """\
# Our funnel

Probability, fit and interest are the chance to close within 90 days. The rule score is 0 to 100 points from the \
manual rules.

## Stages

| stage | a contact that |
| --- | --- |
| visitor | has 0 points |
| prospect | has 1 to 29 points |
| MQL | has 30 to 59 points |
| SQL | has 60 to 100 points |
| opportunity | has an open deal, or whose lifecycle_stage is opportunity, whatever the points |
| customer | has won a deal, or whose lifecycle_stage is customer or evangelist, whatever the points |

## What an MQL is

- By points: 30 or more; from 60 on it is an SQL.
- By the model: in pursue, high fit and high interest. Sales owns it: the inside team calls within 4 hours.

## Fit × interest

- High fit is the top 20.0% of contacts.
- High interest is the top 30.0% of contacts.
- The grid's lines of fit, best first: A|B at 5.0%, B|C at 20.0%, C|D at 50.0% of contacts.
- The grid's lines of interest, best first: 1|2 at 10.0%, 2|3 at 30.0%, 3|4 at 60.0% of contacts.
- A and B are high fit, 1 and 2 high interest, so that every cell lies in one quadrant.

| quadrant | fit | interest | what is done | owner | respond within |
| --- | --- | --- | --- | --- | --- |
| pursue | high | high | the inside team calls | sales | 4 hours |
| nurture | high | low | marketing educates until interest grows | marketing | – |
| opportunistic | low | high | one low-cost follow-up by a rep | sales | – |
| disengage | low | low | out of the communication flow | marketing | – |
| unknown | – | – | work by tier: one axis could not be judged | sales | – |
| A1 | high | high | the inside team calls | sales | 30 minutes |

## Tiers

| tier | probability |
| --- | --- |
| very high | at least 4 × the average |
| high | at least 2 × the average |
| medium | at least 1 × the average |
| low | below 1 × the average |

## Agreements

- Whoever is not to be marketed to is not scored: status is staff or partner.
- Customers are not scored.
- Contacts whose deal was lost are not scored.
- 200 contacts a week can be worked.
- 5.0% of contacts, drawn by lot, are outside the actions: that shows what the actions do.
- Who newly enters pursue is announced in a file and by webhook, with the deadline.
- A person looks at up to 10 contacts of the review list a week.
- A person's decision, with reason and expiry, wins over quadrant and tier, never over the probability.
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "crm.yaml").write_text(CONFIGURED)
    return tmp_path / "crm.yaml"


def test_the_page_says_what_is_configured(config):
    assert funnel(load_config(config)).markdown() == GOLDEN


def test_the_command_prints_and_writes_the_same_page_and_needs_no_table(config, run, tmp_path):
    said = run("definitions", config)
    assert (said.code, said.out) == (0, GOLDEN)
    assert run("definitions", config, "--out", tmp_path / "wall.md").code == 0
    assert (tmp_path / "wall.md").read_text(encoding="utf-8") == GOLDEN
    assert run("definitions", config, "--json").json["stages"][2] == ["MQL", "has 30 to 59 points"]
    refused = run("definitions", config, "--out", tmp_path / "no" / "wall.md")
    assert refused.code == 1
    assert refused.err.endswith("wall.md cannot be written: No such file or directory\n")
