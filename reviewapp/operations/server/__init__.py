"""gunicorn's worker that buffers requests, and its request parser."""
