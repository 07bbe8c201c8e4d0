"""The history triggers of people, roles, second factors and links. They never record a secret."""

from __future__ import annotations

import pgtrigger

from reviewapp.audit.actions import Action
from reviewapp.audit.triggers import OwnerTrigger, Tracked

# A new database gets its roles and permissions before it has people: that is not recorded.
_HAS_NO_PEOPLE = "NOT EXISTS (SELECT FROM public.accounts_user)"
_PERMISSION = (
    "(SELECT t.app_label || '.' || p.codename FROM public.auth_permission p"
    " JOIN public.django_content_type t ON t.id = p.content_type_id"
    " WHERE p.id = {row}.permission_id)"
)
_OF_USER = "'people/' || (SELECT username FROM public.accounts_user WHERE id = {row}.user_id)"

PERSON = Tracked(
    columns=["username", "email", "first_name", "last_name", "is_active"],
    named={
        "is_superuser": "nullif({row}.is_superuser, false)",
        "is_staff": "nullif({row}.is_staff, false)",
    },
    secret={"password": "{row}.password"},
    # Sent to Mixpeek instead of the name.
    constant=["pseudonym"],
    # The keys change together with the name and the address.
    unexpected={
        "username_key": "OLD.username = NEW.username",
        "email_key": "OLD.email = NEW.email",
    },
    created=Action.PERSON_ADDED,
    changed=[
        ("OLD.is_active AND NOT NEW.is_active", Action.PERSON_DEACTIVATED),
        ("NEW.is_active AND NOT OLD.is_active", Action.PERSON_REACTIVATED),
        ("OLD.username <> NEW.username", Action.PERSON_RENAMED),
        ("OLD.password <> NEW.password", Action.PASSWORD_CHANGED),
        ("true", Action.PERSON_CHANGED),
    ],
    deleted=Action.PERSON_DELETED,
    ref="'people/' || {row}.username",
)

_NAMES_UPDATED = pgtrigger.UpdateOf("username", "email")  # type: ignore[no-untyped-call]
_EMAIL_KEY_NOT_WRITTEN = "NEW.email_key IS NOT DISTINCT FROM OLD.email_key"
# The app stores the keys itself. For names that SQL writes without keys, the database computes the
# nearest that it can.
KEYS_FOLLOW = OwnerTrigger(
    name="keys_follow",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | _NAMES_UPDATED,
    func=f"""
    IF NEW.username_key IS NULL
        OR (NEW.username IS DISTINCT FROM OLD.username AND NEW.username_key = OLD.username_key)
    THEN
        NEW.username_key := lower(normalize(NEW.username, NFKC));
    END IF;
    IF {_EMAIL_KEY_NOT_WRITTEN} AND NEW.email IS DISTINCT FROM OLD.email THEN
        NEW.email_key := nullif(lower(normalize(NEW.email, NFKC)), '');
    END IF;
    RETURN NEW;
    """,
)

ROLE = Tracked(
    columns=[],
    named={"role": "(SELECT name FROM public.auth_group WHERE id = {row}.group_id)"},
    created=Action.ROLE_GIVEN,
    changed=[("true", Action.ROLE_GIVEN)],
    deleted=Action.ROLE_TAKEN,
    ref=_OF_USER,
)

GROUP = Tracked(
    columns=["name"],
    constant=["id"],
    unless=_HAS_NO_PEOPLE,
    created=Action.GROUP_ADDED,
    changed=[("true", Action.GROUP_CHANGED)],
    deleted=Action.GROUP_DELETED,
    ref="'roles/' || {row}.name",
)

GROUP_PERMISSION = Tracked(
    columns=[],
    named={"permission": _PERMISSION},
    unless=_HAS_NO_PEOPLE,
    created=Action.PERMISSION_GIVEN,
    changed=[("true", Action.PERMISSION_GIVEN)],
    deleted=Action.PERMISSION_TAKEN,
    ref="'roles/' || (SELECT name FROM public.auth_group WHERE id = {row}.group_id)",
)

OWN_PERMISSION = Tracked(
    columns=[],
    named={"permission": _PERMISSION},
    created=Action.PERMISSION_GIVEN,
    changed=[("true", Action.PERMISSION_GIVEN)],
    deleted=Action.PERMISSION_TAKEN,
    ref=_OF_USER,
)

FACTOR = Tracked(
    columns=["type"],
    constant=["user_id"],
    # Only what stays the same for the life of a factor: not which recovery codes are used.
    secret={
        "secret": "jsonb_build_array({row}.data->'secret', {row}.data->'seed',"
        " {row}.data->'migrated_codes', {row}.data->'credential')"
    },
    created=Action.FACTOR_ADDED,
    changed=[("true", Action.FACTOR_CHANGED)],
    deleted=Action.FACTOR_REMOVED,
    ref=_OF_USER,
)

# Without `extra_data`, the provider's data about the person: it is new with every sign-in.
IDENTITY = Tracked(
    columns=["provider", "uid"],
    constant=["user_id"],
    created=Action.IDENTITY_LINKED,
    changed=[("true", Action.IDENTITY_CHANGED)],
    deleted=Action.IDENTITY_UNLINKED,
    ref=_OF_USER,
)

ADDRESS = Tracked(
    columns=["email", "verified", "primary"],
    constant=["user_id"],
    created=Action.ADDRESS_ADDED,
    changed=[("true", Action.ADDRESS_CHANGED)],
    deleted=Action.ADDRESS_REMOVED,
    ref=_OF_USER,
)

LINK = Tracked(
    columns=["email", "role", "expires_at", "used_at", "withdrawn_at"],
    constant=["kind", "digest", "person_id", "made_by_id", "made_at"],
    created=[
        ("NEW.kind = 'password'", Action.PASSWORD_LINK_MADE),
        ("true", Action.INVITATION_MADE),
    ],
    changed=[
        (
            "OLD.used_at IS NULL AND NEW.used_at IS NOT NULL AND NEW.kind = 'password'",
            Action.PASSWORD_LINK_USED,
        ),
        ("OLD.used_at IS NULL AND NEW.used_at IS NOT NULL", Action.INVITATION_ACCEPTED),
        ("OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL", Action.LINK_WITHDRAWN),
        ("true", Action.LINK_CHANGED),
    ],
    deleted=Action.LINK_DELETED,
    ref=(
        "coalesce('people/' || "
        "(SELECT username FROM public.accounts_user WHERE id = {row}.person_id), "
        "'invitations/' || {row}.id)"
    ),
)
