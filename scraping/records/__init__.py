"""What was answered, kept: WARC records, their index, and reading them back."""
