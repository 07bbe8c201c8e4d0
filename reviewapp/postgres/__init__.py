"""A Django database engine that starts the bundled PostgreSQL when none is configured."""
