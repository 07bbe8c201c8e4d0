"""Endpoints about retrievers and their executions."""
