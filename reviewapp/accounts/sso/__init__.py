"""Single sign-on through OpenID Connect: allauth does the talking, we are stricter about what we
believe.
"""

from __future__ import annotations
