"""The pages of annotations: one module a page, each view read, form, service, respond."""
