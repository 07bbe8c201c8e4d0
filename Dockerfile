# Web and worker from one image; compose.yaml shows both. Nothing secret is in it, and nothing in it is root's to run.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install -r requirements.txt
COPY . .
# The key only lets the settings load; it signs nothing and stays out of the image. The import compiles the templates.
RUN export DATABASE_URL=postgresql:///none SECRET_KEY=only-while-building && \
    /venv/bin/python manage.py collectstatic --no-input --verbosity 0 && \
    /venv/bin/python -m compileall -q reviewapp && \
    /venv/bin/python -c "import reviewapp.wsgi"

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin reviewapp
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VAR_DIR=/tmp/var PORT=8000 LOG_FORMAT=json
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/live', timeout=4)"]
CMD ["gunicorn", "-c", "python:reviewapp.operations.gunicorn_conf", "reviewapp.wsgi:application"]
