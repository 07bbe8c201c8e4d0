"""What the tests of safety borrow from those of accounts."""

from __future__ import annotations

from tests.accounts.conftest import idp

__all__ = ["idp"]
