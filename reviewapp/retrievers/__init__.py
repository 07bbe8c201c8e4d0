"""Retrievers, their executions, and the results that reviewers see."""
