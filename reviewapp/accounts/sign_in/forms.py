"""allauth's forms for visitors. Neither responses nor response times reveal which people exist."""

from __future__ import annotations

from allauth.account.forms import LoginForm
from allauth.core import ratelimit
from django import forms
from django.http import HttpRequest
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.accounts.people.normal_form import lookup_key
from reviewapp.accounts.tasks import mail_password_link


class SignInForm(LoginForm):  # type: ignore[misc]
    """Takes a username or an address, in any spelling, and a password.

    In every case allauth looks up one username and hashes one password, also if there is no person.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(max_length=254)

    def clean_login(self) -> str:
        """Return the person's username, or the normalized login if there is no person.

        Rate limits count by this value, so that all spellings of a login are one account.
        """
        login: str = super().clean_login()
        person = User.people.with_login(login).first()
        if person is None:
            return lookup_key(login)
        return person.username


class ResetPasswordForm(forms.Form):
    """Takes the address of a person who forgot the password; the worker looks the person up."""

    email = forms.EmailField()

    def clean_email(self) -> str:
        """Return the normalized address, so that all spellings count as one."""
        return lookup_key(self.cleaned_data["email"])

    def save(self, request: HttpRequest) -> None:
        """Enqueue the mail, unless too many were requested for this address."""
        address = self.cleaned_data["email"]
        if ratelimit.consume(request, action="reset_mail", key=address):
            site = request.build_absolute_uri(reverse("home"))
            mail_password_link.defer(address=address, site=site)
