"""What a run leaves behind: a table to read, JSON to keep, JUnit for CI, a comment for pull requests, one HTML page."""
