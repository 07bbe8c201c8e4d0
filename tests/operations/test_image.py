"""Check the image and the compose file against the code; no container engine is needed."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

from reviewapp.postgres.cluster import APP_USER
from tests.operations.processes import (
    ROOT,
    environment,
    listens,
    reserved_port,
    running,
    told_to_stop,
    until,
)

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SETTINGS = (ROOT / "docs" / "settings.md").read_text()


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions and what follows them, lines joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    parsed = []
    for line in joined.splitlines():
        word, _, rest = line.partition(" ")
        if word:
            parsed.append((word, rest))
    return parsed


def is_sent(path: PurePosixPath) -> bool:
    """Return whether .dockerignore lets a path into the context: the last matching rule decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        rule = line.strip()
        if rule and not rule.startswith("#") and _matches(path, rule.lstrip("!")):
            sent = rule.startswith("!")
    return sent


def _matches(path: PurePosixPath, rule: str) -> bool:
    wanted = rule.split("/")
    if wanted[0] == "**":
        return any(fnmatch.fnmatchcase(part, wanted[1]) for part in path.parts)
    return len(path.parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, path.parts, wanted))


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that a build would be sent, in a folder of their own."""
    folder = tmp_path_factory.mktemp("context")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in listed.splitlines():
        if is_sent(PurePosixPath(name)) and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_it_sends_the_code_and_nothing_else(sent: Path) -> None:
    assert {path.name for path in sent.iterdir()} == {
        "docs",
        "manage.py",
        "requirements.txt",
        "reviewapp",
        "static",
        "templates",
    }
    # What migrate runs.
    assert [path.name for path in (sent / "docs").iterdir()] == ["database-roles.sql"]
    assert not (sent / "tools").exists()
    for name in (
        ".git/config",
        ".env",
        "var/secret_key",
        "tests/conftest.py",
        "reviewapp/__pycache__/a.pyc",
    ):
        assert not is_sent(PurePosixPath(name)), name


def test_it_is_built_of_what_is_there(sent: Path) -> None:
    for word, rest in instructions():
        if word != "COPY":
            continue
        *options_and_sources, _target = rest.split()
        for source in options_and_sources:
            if not source.startswith(("--", "/")):
                assert (sent / source).exists(), source
    runs = " ".join(rest for word, rest in instructions() if word == "RUN")
    assert "requirements-dev" not in runs
    for command in re.findall(r"manage\.py (\w+)", runs):
        assert command in get_commands()


def test_it_is_small_and_nobodys_root() -> None:
    steps = instructions()
    assert [rest.split()[0] for word, rest in steps if word == "FROM"] == ["python:3.11-slim"] * 2
    assert [rest for word, rest in steps if word == "USER"] == ["10001"]
    assert steps.index(("USER", "10001")) < [word for word, _ in steps].index("CMD")
    assert "SECRET_KEY" not in " ".join(rest for word, rest in steps if word in {"ENV", "ARG"})


def test_it_asks_whether_it_is_alive() -> None:
    (check,) = [rest for word, rest in instructions() if word == "HEALTHCHECK"]
    code = json.loads(check[check.index("[") :])[2]
    compile(code, "HEALTHCHECK", "exec")
    path = re.search(r"'(/health/\w+)'", code)
    assert path
    assert resolve(path[1]).url_name == "live"


@pytest.mark.long
@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_it_builds_and_runs_from_that_context_alone(sent: Path, tmp_path: Path) -> None:
    image = shutil.copytree(sent, tmp_path / "image")
    collected = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=image,
        env={"DATABASE_URL": "postgresql:///none", "SECRET_KEY": "only-while-building"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert collected.returncode == 0, collected.stderr
    assert (image / "staticfiles" / "staticfiles.json").exists()
    (start,) = [json.loads(rest) for word, rest in instructions() if word == "CMD"]
    env = environment(WEB_CONCURRENCY="1", VAR_DIR=str(tmp_path / "var"), ALLOWED_HOSTS="x.example")
    with (
        reserved_port() as port,
        running(["-m", *start, "--bind", f"127.0.0.1:{port}"], env, cwd=image) as web,
    ):
        until(lambda: listens(port), web)
        with urlopen(f"http://127.0.0.1:{port}/health/live", timeout=60) as answer:
            assert answer.read() == b"alive\n"
        assert "gunicorn" in told_to_stop(web)
    assert not (tmp_path / "var").exists()


def test_it_composes_web_worker_and_database() -> None:
    services = COMPOSE["services"]
    assert services.keys() == {"db", "migrate", "web", "worker"}
    for name in ("migrate", "web", "worker"):
        assert services[name]["build"] == "."
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    for name in ("migrate", "worker"):
        python, manage, command, *_ = services[name]["command"]
        assert (python, manage) == ("python", "manage.py")
        assert command in get_commands()
    assert services["web"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }
    assert services["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert services["web"]["ports"][0].startswith("${PUBLISH:-127.0.0.1:")
    data, first_start = (mount.split(":") for mount in services["db"]["volumes"])
    assert data[0] in COMPOSE["volumes"]
    assert (ROOT / first_start[0]).is_file()
    assert first_start[1].startswith("/docker-entrypoint-initdb.d/")


def test_it_runs_web_and_worker_as_a_user_who_owns_nothing() -> None:
    users = {
        name: COMPOSE["services"][name]["environment"]["DATABASE_URL"].split("://")[1].split(":")[0]
        for name in ("migrate", "web", "worker")
    }
    assert users == {"migrate": "reviewapp", "web": APP_USER, "worker": APP_USER}
    assert COMPOSE["services"]["db"]["environment"]["POSTGRES_USER"] not in users.values()


def test_it_sets_only_settings_that_there_are_and_holds_no_secret() -> None:
    listed = set(re.findall(r"`([A-Z_]+)`", SETTINGS))
    for name in ("migrate", "web", "worker"):
        assert COMPOSE["services"][name]["environment"].keys() <= listed
    environment = COMPOSE["services"]["web"]["environment"]
    for name in ("SECRET_KEY", "MIXPEEK_API_KEY", "DATABASE_URL"):
        assert ":?" in environment[name]
    longest = COMPOSE["services"]["worker"]["stop_grace_period"]
    assert int(longest.removesuffix("s")) > 30
