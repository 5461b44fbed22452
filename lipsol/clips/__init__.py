"""Clips: what a camera saw, and the part of it that speaks."""
