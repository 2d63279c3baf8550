"""Notices: contacts that newly entered pursue, with their deadline, as a file or to a webhook.

They are read off the history of the sink, so only what is committed is ever announced. The file holds those of the
newest night, and writing it again changes nothing. What the webhook has received stands in a small state file: a night
that is repeated sends nothing twice, and what could not be delivered is sent by the next run.
"""

from predictive.notices.entered import Notice, notices_at, waiting
from predictive.notices.notify import Notified, notify
from predictive.notices.webhook import post, signature

__all__ = ["Notice", "Notified", "notices_at", "notify", "post", "signature", "waiting"]
