"""The calls of Mixpeek's API, one module for each resource."""
