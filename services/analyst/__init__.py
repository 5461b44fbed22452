"""Judges a release's canary, and lets it in or gives all back to stable:
`python -m services analyst [--hand-back|--way-back]`.

It is a Job of a Helm hook, and runs from the monitor's image. It serves nothing: it listens, and decides.
"""
