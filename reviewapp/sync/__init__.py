"""Moves records between us and Mixpeek: pull down, deliver up."""
