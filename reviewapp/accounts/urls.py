"""Sign-in (of allauth's pages, those we mean and no other), and a person's own preferences."""

from __future__ import annotations

from allauth.account import views as allauth
from django.urls import path

from reviewapp.accounts import views

urlpatterns = [
    path("accounts/login/", views.sign_in, name="account_login"),
    path("accounts/logout/", allauth.logout, name="account_logout"),
    path("accounts/inactive/", allauth.account_inactive, name="account_inactive"),
    path("accounts/password/change/", views.change_password, name="account_change_password"),
    path("preferences", views.preferences, name="preferences"),
    path("preferences/theme", views.theme, name="theme"),
]
