"""A document's files: fresh links to them, and why one cannot be shown."""
