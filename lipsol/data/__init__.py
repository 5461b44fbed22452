"""What models learn from: datasets on disk, their checks, and how they are made."""
