"""Endpoints about annotations: list, render, write, withdraw."""
