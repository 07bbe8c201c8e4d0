"""allauth's sign-in form, which finds the person by the normal form of what was typed."""

from __future__ import annotations

from allauth.account.forms import LoginForm
from django import forms

from reviewapp.accounts.models import User
from reviewapp.accounts.normal_form import lookup_key


class SignInForm(LoginForm):  # type: ignore[misc]
    """Takes a username or an address, however it is spelled, and a password."""

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
