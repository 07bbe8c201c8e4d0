"""Signing in: forms, second factors, password hashing and password mail."""
