"""The clients of a drill: reviewers, an abusive client, and an editor at Mixpeek."""
