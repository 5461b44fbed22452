"""What chance alone makes of a distance: the quantiles that a window of a quiet stream stays below.

All of them know that the reference is a sample too: with n clips of it and m in the window, a mean differs by chance
like one of n m / (n + m) clips.
"""

import numpy as np
from jaxtyping import Float
from scipy import special


def apart(window: np.ndarray | float, reference: np.ndarray | float) -> np.ndarray:
    """1/m + 1/n: the variance of one clip times that is the variance of the difference of two means."""
    with np.errstate(divide="ignore"):
        return np.asarray(1 / np.asarray(window, float) + 1 / np.asarray(reference, float))


def normal(alpha: float) -> float:
    """How many standard deviations a difference stays below, either way (two-sided)."""
    return float(special.ndtri(1 - alpha / 2))


def kolmogorov(alpha: float, spread: np.ndarray) -> np.ndarray:
    """Quantile of the two-sample KS distance (Kolmogorov's limit law; of bins the distance is smaller still)."""
    return np.asarray(special.kolmogi(alpha) * np.sqrt(spread))


def population(alpha: float, parts: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Quantile of PSI over so many parts: chi-square of parts - 1 degrees, scaled (Yurdakul 2018)."""
    return np.asarray(special.chdtri(np.maximum(parts - 1, 1), alpha) * spread)


def wasserstein(
    alpha: float,
    cumulative: Float[np.ndarray, "features edges"],
    widths: Float[np.ndarray, "features edges"],
    spread: Float[np.ndarray, "features"],
) -> Float[np.ndarray, "features"]:
    """A bound on the Wasserstein-1 distance of two samples of that distribution function (of both: what is rare in one
    may have come into the other).

    The distance is the integral of a Brownian bridge's absolute value: of known mean, and concentrated about it like
    a Gaussian of the variance of the plain integral (Borell 1975).
    """
    weighted = widths * cumulative  # the bridge's covariance is min(F, G) - F G, and F rises from edge to edge
    covered = (widths * (2 * np.cumsum(weighted, axis=1) - weighted)).sum(axis=1)
    deviation = np.sqrt(np.maximum(covered - weighted.sum(axis=1) ** 2, 0))
    mean = (np.sqrt(2 / np.pi * cumulative * (1 - cumulative)) * widths).sum(axis=1)
    return np.asarray((mean + deviation * np.sqrt(2 * np.log(1 / alpha))) * np.sqrt(spread))


def quadratic(alpha: float, traces: Float[np.ndarray, "3"]) -> float:
    """Quantile of a squared Gaussian whose covariance has the traces tr C, tr C^2, tr C^3.

    A weighted sum of chi-squares, approximated by one of the same first three moments (Buckley & Eagleson 1988); for
    word counts that is the second-order correction for words of one clip that are not independent (Rao & Scott 1981).
    """
    first, second, third = traces
    if second <= 0 or third <= 0:
        return float(first)
    degrees = second**3 / third**2
    standard = (special.chdtri(degrees, alpha) - degrees) / np.sqrt(2 * degrees)
    return float(first + np.sqrt(2 * second) * standard)


def beyond(alpha: float, traces: Float[np.ndarray, "3"], floor: float) -> float:
    """The same where the populations themselves may be apart by a squared distance of `floor`.

    The square of a Gaussian off its centre has the floor as its further mean, and four times the floor, times the
    variance along the way, as its further variance; that one is taken to be the covariance's own weighted mean.
    """
    first, second, _ = traces
    central = quadratic(alpha, traces) - first
    across = normal(alpha) * np.sqrt(4 * floor * second / first) if first > 0 else 0.0
    return float(first + floor + np.hypot(central, across))
