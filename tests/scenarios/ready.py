"""Waiting for services to say that they are ready."""

import time
from collections.abc import Callable, Mapping

import httpx


def await_ready(doors: Mapping[str, str], at_most_s: float, look: Callable[[], None] = lambda: None) -> None:
    """Wait until every door's `/readyz` says yes. look: called meanwhile, and raises where waiting is in vain.

    Raises TimeoutError naming those that do not, with what they say.
    """
    until = time.monotonic() + at_most_s
    unready = dict.fromkeys(doors, "nothing")
    while unready:
        look()
        if time.monotonic() > until:
            said = "; ".join(f"{name} says {what}" for name, what in unready.items())
            raise TimeoutError(f"not ready after {at_most_s:g} s: {said}")
        unready = {name: said for name in unready if (said := _said(doors[name])) != ""}
        time.sleep(0.05)


def _said(url: str) -> str:
    """Why a service is not ready; "": it is."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=5)
    except httpx.TransportError as fault:
        return type(fault).__name__
    return "" if answer.status_code == 200 else answer.text[:200]
