"""The pages of accounts, a module a concern."""

from __future__ import annotations
