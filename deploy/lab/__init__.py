"""What makes parts of the chart, and what proves that it works."""
