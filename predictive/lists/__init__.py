"""Lists: who is on them tonight, since when, and who left.

Active lists are filters that every scoring run evaluates; static ones keep their members; tags are active lists of what
contacts did, named ``#form``. Membership is written beside the scores, with the nights of entry and exit::

    scores ──► evaluate (who is on which list tonight) ──► membership (what changed) ──► beside the sink's tables
"""
