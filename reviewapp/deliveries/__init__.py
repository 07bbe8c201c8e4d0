"""The pages about changes on their way to Mixpeek: deliveries, conflicts and refusals."""
