"""Encrypt second factors with a new SECRET_KEY, so that they do not need the old one."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from reviewapp.accounts.sign_in.factors import reencrypt


class Command(BaseCommand):
    help = (
        "Encrypt all second factors with the current SECRET_KEY. After that you can remove the old "
        "one from SECRET_KEY_FALLBACKS."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Encrypt them; raises CommandError with the people whose factors cannot be decrypted."""
        factors = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)
        factors = factors.select_related("user").order_by("pk")
        unreadable = [factor for factor in factors if not reencrypt(factor)]

        number = len(factors) - len(unreadable)
        sentence = _("%(number)s factors are encrypted with the current SECRET_KEY.")
        self.stdout.write(sentence % {"number": number})

        if unreadable:
            usernames = {factor.user.get_username() for factor in unreadable}
            names = ", ".join(sorted(usernames))
            problem = _(
                "%(number)s factors were encrypted with another key. They belong to: %(names)s. "
                "Add that key to SECRET_KEY_FALLBACKS and run this again, or remove the second "
                "factors on the page of each person."
            )
            raise CommandError(problem % {"number": len(unreadable), "names": names})
