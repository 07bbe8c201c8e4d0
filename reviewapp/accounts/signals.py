"""The signals of people, for apps that keep something for them."""

from __future__ import annotations

from django.dispatch import Signal

# A person's role changed or they were deactivated; sent in the transaction of that change, with
# the `person`. A receiver loads them anew: `person` may remember the permissions from before.
access_changed = Signal()
