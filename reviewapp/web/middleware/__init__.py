"""Middleware for every request: limits of what comes in, headers and size of what goes out."""
