"""The pages about retrievers."""
