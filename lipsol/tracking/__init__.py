"""What was tried and how it went: runs with their parameters, figures and files."""
