"""What the views of every app share: requests, pagination, one-time forms, template tags, response headers."""
