"""The engine as Django, its tests and procrastinate use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connection, connections
from procrastinate.contrib.django.utils import connector_params

from reviewapp.postgres.base import DatabaseWrapper


def entry(**changes: Any) -> dict[str, Any]:
    """An entry of DATABASES as Django hands it to an engine."""
    return {
        **connections[DEFAULT_DB_ALIAS].settings_dict,
        "EMBEDDED": False,
        "OPTIONS": {},
        **changes,
    }


@pytest.mark.django_db
def test_it_gives_the_tests_a_database_of_their_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_setting('server_version_num')::int")
        name, version = cursor.fetchone() or ("", 0)
    assert name.startswith("test_reviewapp")
    assert version >= 140000


@pytest.mark.django_db
def test_it_hands_procrastinate_the_same_database() -> None:
    assert connector_params()["dbname"] == connection.settings_dict["NAME"]
    assert connector_params().get("host", "") == connection.settings_dict["HOST"]


def test_it_leaves_a_configured_server_alone(tmp_path: Path) -> None:
    theirs = entry(
        NAME="theirs", HOST="db.example.com", USER="", PORT="", EMBEDDED_DIR=tmp_path / "postgres"
    )
    params = DatabaseWrapper(theirs).get_connection_params()
    assert (params["dbname"], params["host"]) == ("theirs", "db.example.com")
    assert not list(tmp_path.iterdir())


def test_it_leaves_a_server_behind_the_default_socket_alone(tmp_path: Path) -> None:
    theirs = entry(NAME="theirs", HOST="", USER="", PORT="", EMBEDDED_DIR=tmp_path / "postgres")
    assert "host" not in DatabaseWrapper(theirs).get_connection_params()
    assert not list(tmp_path.iterdir())


def test_it_starts_nothing_before_a_connection_is_asked_for(tmp_path: Path) -> None:
    wrapper = DatabaseWrapper(entry(NAME="", HOST="", EMBEDDED_DIR=tmp_path / "postgres"))
    assert wrapper.settings_dict["NAME"] == "reviewapp"
    assert not list(tmp_path.iterdir())


def test_it_refuses_an_old_server_in_a_sentence() -> None:
    wrapper = DatabaseWrapper(entry(NAME="theirs", HOST="db.example.com"))
    wrapper.__dict__["pg_version"] = 130014  # what the server says when a connection opens
    with pytest.raises(
        ImproperlyConfigured, match=r"PostgreSQL 13\.14; reviewapp needs PostgreSQL 14"
    ):
        wrapper.check_database_version_supported()
