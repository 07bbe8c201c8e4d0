"""allauth's forms of those who are not signed in yet. What they answer, and when, tells nobody which people exist."""

from __future__ import annotations

from allauth.account.forms import LoginForm
from allauth.core import ratelimit
from django import forms
from django.http import HttpRequest

from reviewapp.accounts.models import User
from reviewapp.accounts.people.normal_form import lookup_key
from reviewapp.accounts.tasks import mail_password_link


class SignInForm(LoginForm):  # type: ignore[misc]
    """Takes a username or an address, however it is spelled, and a password.

    Whoever is meant, and if nobody is, allauth looks for one username and hashes one password.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(max_length=254)

    def clean_login(self) -> str:
        """Return the username of whom was meant; what means nobody comes back in its normal form.

        Limits count by what this returns, so that all spellings of a name or an address are one account.
        """
        login: str = super().clean_login()
        person = User.people.with_login(login).first()
        return person.username if person else lookup_key(login)


class ResetPasswordForm(forms.Form):
    """Takes the address of somebody who forgot the password. Whether anybody has it is left to the worker."""

    email = forms.EmailField()

    def clean_email(self) -> str:
        """Return the address in its normal form, so that all spellings count as one."""
        return lookup_key(self.cleaned_data["email"])

    def save(self, request: HttpRequest) -> None:
        """Have the link mailed, unless this address was asked for so often that its owner has it by now."""
        address = self.cleaned_data["email"]
        if ratelimit.consume(request, action="reset_mail", key=address):
            mail_password_link.defer(address=address, site=request.build_absolute_uri("/"))
