import numpy as np
import pytest
from scipy import stats

from lipsol.drift import chance


def test_the_kolmogorov_bound_is_the_textbook_s():
    assert chance.kolmogorov(0.05, np.array([1 / 100 + 1 / 100])) == pytest.approx(1.358 * np.sqrt(2 / 100), rel=1e-3)


@pytest.mark.parametrize("variances", [[1.0] * 10, [5.0, 1.0, 0.1]], ids=["alike", "uneven"])
def test_a_quadratic_form_s_quantile_is_that_of_the_drawn_ones(variances):
    rng, own = np.random.default_rng(1), np.array(variances)
    drawn = (rng.standard_normal((200_000, len(own))) ** 2 @ own).astype(float)
    traces = np.array([own.sum(), (own**2).sum(), (own**3).sum()])
    assert chance.quadratic(0.001, traces) == pytest.approx(np.quantile(drawn, 0.999), rel=0.06)
    off = rng.standard_normal((200_000, len(own))) * np.sqrt(own)
    off[:, 0] += np.sqrt(2.0)
    assert chance.beyond(0.001, traces, 2.0) >= np.quantile((off**2).sum(axis=1), 0.998) * 0.8


def test_psi_of_samples_of_one_distribution_stays_below_its_quantile():
    rng = np.random.default_rng(1)
    over = 0
    for _ in range(300):
        now, was = (rng.multinomial(clips, [0.1] * 10) / clips for clips in (500, 800))
        psi = float(((now - was) * np.log(now / was)).sum())
        over += psi > chance.population(0.05, np.array(10), chance.apart(500.0, 800.0))
    assert 5 <= over <= 27


def test_the_wasserstein_bound_is_one():
    rng = np.random.default_rng(1)
    edges = np.linspace(-3, 3, 61)
    cumulative = stats.norm.cdf(edges)[np.newaxis]
    bound = chance.wasserstein(
        0.05, cumulative, np.full((1, 61), 0.1), chance.apart(np.array([200.0]), np.array([400.0]))
    )
    found = [stats.wasserstein_distance(rng.standard_normal(200), rng.standard_normal(400)) for _ in range(300)]
    assert np.quantile(found, 0.95) < bound[0] < 3 * np.quantile(found, 0.95)
