"""Accounts, for teams that sell to companies: the best contact, the engaged ones, and the chance of at least one close.

The chance depends on how much colleagues share their luck: :mod:`predictive.accounts.together` measures it on what
became of past scores, and :mod:`predictive.accounts.view` puts the table together.
"""
