"""Editing a retriever's name, description and tags, one or many at once."""
