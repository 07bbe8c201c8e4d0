"""Pure rules of the sandbox: stages, templates, paging, revisions and validation."""
