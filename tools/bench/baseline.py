"""The baseline: a Django project in one file that does the least a page or a transaction can do.

Session and CSRF middleware, the signed-in session read, one query by an index. `view` shows one
row, `page` thirty with what a line of the queue says of them, `change` inserts one row. It is
served by the same gunicorn, with the same options, from the same database as the product: `gunicorn
tools.bench.baseline:application`.
"""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings

from reviewapp.env import Env

_env = Env()
_options = _env.database("DATABASE_URL").items()
_database = {name: value for name, value in _options if not name.startswith("?")}
_PAGE = """<!doctype html><html lang="en"><head><title>Bare</title></head><body>
<form method="post" action="/change">{% csrf_token %}<button>Change</button></form>
<ol>{% for row in rows %}<li><a href="/{{ row.pk }}">{{ row.title }}</a> <p>{{ row.excerpt }}</p>
{{ row.document_id }}
{{ row.label }} {{ row.confidence }} {{ row.score }} {{ row.status }}
{{ row.created_at|date:"c" }}</li>
{% endfor %}</ol>
</body></html>"""

settings.configure(
    SECRET_KEY=_env.text("SECRET_KEY"),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    USE_I18N=False,
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.cached.Loader",
                        [("django.template.loaders.locmem.Loader", {"page": _PAGE})],
                    )
                ]
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            **_database,
            "CONN_MAX_AGE": 300,
        }
    },
)
django.setup()

# Django must be set up before models can be declared.
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models, transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402


class Row(models.Model):
    """A row of the product's largest table, as far as a bare list shows it."""

    title = models.CharField(max_length=200)
    excerpt = models.CharField(max_length=300)
    document_id = models.CharField(max_length=200)
    status = models.CharField(max_length=12)
    score = models.FloatField(null=True)
    created_at = models.DateTimeField(null=True)
    label = models.CharField(max_length=100)
    confidence = models.FloatField(null=True)

    objects: models.Manager[Row] = models.Manager()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = "annotations_annotation"


class Note(models.Model):
    """What a bare transaction inserts."""

    body = models.TextField()

    objects: models.Manager[Note] = models.Manager()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = "bench_note"


def view(request: HttpRequest) -> HttpResponse:
    """Show one row, by its key, to whoever is signed in."""
    return HttpResponse(f"{request.session.get('_auth_user_id')} {Row.objects.get(pk=1).title}")


def page(request: HttpRequest) -> HttpResponse:
    """List thirty rows, by their key, to whoever is signed in."""
    context: dict[str, Any] = {
        "rows": Row.objects.order_by("pk")[:30],
        "person": request.session.get("_auth_user_id"),
    }
    return render(request, "page", context)


def change(request: HttpRequest) -> HttpResponse:
    """Insert one row in a transaction, for whoever is signed in."""
    with transaction.atomic():
        Note.objects.create(body=str(request.session.get("_auth_user_id")))
    return HttpResponse("done")


urlpatterns = [path("view", view), path("page", page), path("change", change)]
application = get_wsgi_application()
