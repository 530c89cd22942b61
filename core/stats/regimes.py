"""Regimes hidden behind daily figures: a Gaussian Markov model, and how many states it has."""

from math import comb, log, pi

import numpy as np
from attrs import field, frozen

from core.kernel import kernel
from ports.columns import Bools, Floats, Ints

_FEWEST_STATES, _MOST_STATES = 2, 6
_STABLE = 0.8  # adjusted Rand between models of either half
_STARTS = 4  # of EM, the likeliest of which is kept
_MOST_STEPS = 200
_DONE = 1e-5  # gain of log-likelihood a row at which EM ends
_FLOOR = 1e-2  # of a state's variance, in variances of all rows
_SMOOTHING = 0.5  # of a day in each transition that was never seen


@frozen(kw_only=True, eq=False)
class HiddenRegimes:
    """
    A Gaussian hidden Markov model of *k* states over rows of *d* figures, in standard units.

    States come ordered by the first figure. *mean* and *deviation*, (d,), are the scaler: of the
    rows it was learned from.
    """

    mean: Floats = field(repr=False)
    deviation: Floats = field(repr=False)
    start: Floats  # (k,)
    transitions: Floats  # (k, k), by the day
    means: Floats  # (k, d)
    covariances: Floats = field(repr=False)  # (k, d, d)
    log_likelihood: float

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.start)

    def filtered(self, rows: Floats, begins: Bools) -> Floats:
        """
        Return the probability of each state at each row, (n, k), by that row and those before it.

        *begins* marks the rows that do not follow the one before by a day. No row looks ahead:
        these are the probabilities to decide by.
        """
        scores = _scores(self, (rows - self.mean) / self.deviation)
        probabilities, _ = _forward(scores, begins, self.start, self.transitions)
        return probabilities

    def bic(self, rows: int) -> float:
        """Schwarz's criterion for so many *rows*; the smaller the better."""
        k, d = self.means.shape
        parameters = k * (k - 1) + (k - 1) + k * d + k * d * (d + 1) // 2
        return float(parameters * log(rows) - 2.0 * self.log_likelihood)


@frozen(kw_only=True, eq=False)
class StatesTried:
    """One number of states: its model, criterion, and agreement of the models of either half."""

    model: HiddenRegimes
    bic: float
    agreement: float

    @property
    def is_stable(self) -> bool:
        """Whether both halves of the rows see the same states."""
        return self.agreement >= _STABLE


def begins_of(at_ms: Ints, day_ms: int = 86_400_000) -> Bools:
    """Return which of the rows at *at_ms*, (n,), do not follow the one before by a day."""
    return np.append(True, np.diff(at_ms) != day_ms)


def fitted(rows: Floats, begins: Bools, states: int, rng: np.random.Generator) -> HiddenRegimes:
    """
    Return the likeliest model of *states* that EM finds from four starts.

    Shapes: rows (n, d) without NaN, one a day; begins (n,), as in filtered.
    Source: L. Rabiner (1989), A tutorial on hidden Markov models, Proc. IEEE 77(2).

    Raises:
        ValueError: There are fewer than ten rows a state, or a figure never changes.
    """
    if len(rows) < 10 * states:
        raise ValueError(f"{len(rows)} rows are too few for {states} states")
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    if not (deviation > 0.0).all():
        raise ValueError("a figure that never changes says nothing of regimes")
    scaled = (rows - mean) / deviation
    tried = [
        _climbed(_first_guess(scaled, states, rng, mean, deviation), scaled, begins)
        for _ in range(_STARTS)
    ]
    return _ordered(max(tried, key=lambda model: model.log_likelihood))


def tried_states(rows: Floats, begins: Bools, rng: np.random.Generator) -> tuple[StatesTried, ...]:
    """Return a model for each number of states from two to six; shapes as in fitted."""
    half = len(rows) // 2
    tried = []
    for states in range(_FEWEST_STATES, _MOST_STATES + 1):
        model = fitted(rows, begins, states, rng)
        early = fitted(rows[:half], begins[:half], states, rng)
        late = fitted(rows[half:], np.append(True, begins[half + 1 :]), states, rng)
        labels = [np.argmax(each.filtered(rows, begins), axis=1) for each in (early, late)]
        agreement = adjusted_rand(labels[0], labels[1])
        tried.append(StatesTried(model=model, bic=model.bic(len(rows)), agreement=agreement))
    return tuple(tried)


def chosen(tried: tuple[StatesTried, ...]) -> StatesTried:
    """Return the best by BIC among the stable ones; the most stable where none is."""
    stable = [each for each in tried if each.is_stable]
    if stable:
        return min(stable, key=lambda each: each.bic)
    return max(tried, key=lambda each: each.agreement)


def adjusted_rand(one: Ints, other: Ints) -> float:
    """
    Return how far two labellings of the same rows agree: 1 the same, 0 as by chance.

    Source: L. Hubert, P. Arabie (1985), Comparing partitions, J. of Classification 2.
    """
    counts = np.zeros((one.max() + 1, other.max() + 1), dtype=np.int64)
    np.add.at(counts, (one, other), 1)
    pairs = sum(comb(int(count), 2) for count in counts.ravel())
    rows = sum(comb(int(count), 2) for count in counts.sum(axis=1))
    columns = sum(comb(int(count), 2) for count in counts.sum(axis=0))
    expected = rows * columns / comb(len(one), 2)
    most = 0.5 * (rows + columns)
    return (pairs - expected) / (most - expected) if most > expected else 1.0


def _first_guess(
    scaled: Floats, states: int, rng: np.random.Generator, mean: Floats, deviation: Floats
) -> HiddenRegimes:
    """States that last, about rows chosen far from each other."""
    centres = scaled[[rng.integers(len(scaled))]]
    for _ in range(states - 1):
        apart = ((scaled[:, None, :] - centres) ** 2).sum(axis=2).min(axis=1)
        centres = np.vstack([centres, scaled[rng.choice(len(scaled), p=apart / apart.sum())]])
    stay = 0.95
    transitions = np.full((states, states), (1.0 - stay) / (states - 1))
    np.fill_diagonal(transitions, stay)
    figures = scaled.shape[1]
    return HiddenRegimes(
        mean=mean,
        deviation=deviation,
        start=np.full(states, 1.0 / states),
        transitions=transitions,
        means=centres,
        covariances=np.repeat(np.eye(figures)[None] * 0.5, states, axis=0),
        log_likelihood=-np.inf,
    )


def _climbed(model: HiddenRegimes, scaled: Floats, begins: Bools) -> HiddenRegimes:
    for _ in range(_MOST_STEPS):
        before = model.log_likelihood
        model = _step(model, scaled, begins)
        if model.log_likelihood - before < _DONE * len(scaled):
            break
    return model


def _step(model: HiddenRegimes, scaled: Floats, begins: Bools) -> HiddenRegimes:
    """One step of EM; its log-likelihood is that of the model it starts from."""
    scores = _scores(model, scaled)
    forward, norms = _forward(scores, begins, model.start, model.transitions)
    smoothed, moved = _backward(scores, begins, model.transitions, forward, norms)
    weight = smoothed.sum(axis=0)
    means = smoothed.T @ scaled / weight[:, None]
    apart = scaled[:, None, :] - means
    covariances = np.einsum("nk,nki,nkj->kij", smoothed, apart, apart) / weight[:, None, None]
    covariances += _FLOOR * np.eye(scaled.shape[1])
    first = smoothed[begins].sum(axis=0) + 1e-3
    moved = moved + _SMOOTHING
    return HiddenRegimes(
        mean=model.mean,
        deviation=model.deviation,
        start=first / first.sum(),
        transitions=moved / moved.sum(axis=1, keepdims=True),
        means=means,
        covariances=covariances,
        log_likelihood=float(np.sum(norms) + np.sum(scores.max(axis=1))),
    )


def _ordered(model: HiddenRegimes) -> HiddenRegimes:
    order = np.argsort(model.means[:, 0])
    return HiddenRegimes(
        mean=model.mean,
        deviation=model.deviation,
        start=model.start[order],
        transitions=model.transitions[np.ix_(order, order)],
        means=model.means[order],
        covariances=model.covariances[order],
        log_likelihood=model.log_likelihood,
    )


def _scores(model: HiddenRegimes, scaled: Floats) -> Floats:
    """The log density of each row in each state, (n, k)."""
    columns = []
    for mean, covariance in zip(model.means, model.covariances, strict=True):
        root = np.linalg.cholesky(covariance)
        apart = np.linalg.solve(root, (scaled - mean).T)
        spread = 2.0 * np.log(np.diag(root)).sum() + scaled.shape[1] * log(2.0 * pi)
        columns.append(-0.5 * ((apart**2).sum(axis=0) + spread))
    return np.column_stack(columns)


@kernel
def _forward(
    scores: Floats, begins: Bools, start: Floats, transitions: Floats
) -> tuple[Floats, Floats]:
    """Filtered probabilities, (n, k), and the log of each row's norm less its best score, (n,)."""
    rows, states = scores.shape
    out, norms = np.empty((rows, states)), np.empty(rows)
    for row in range(rows):
        best = scores[row].max()
        total = 0.0
        for state in range(states):
            chance = start[state]
            if not begins[row]:
                chance = 0.0
                for other in range(states):
                    chance += out[row - 1, other] * transitions[other, state]
            out[row, state] = chance * np.exp(scores[row, state] - best)
            total += out[row, state]
        norms[row] = np.log(total)
        for state in range(states):
            out[row, state] /= total
    return out, norms


@kernel
def _backward(
    scores: Floats, begins: Bools, transitions: Floats, forward: Floats, norms: Floats
) -> tuple[Floats, Floats]:
    """Smoothed probabilities, (n, k), and the expected moves from state to state, (k, k)."""
    rows, states = scores.shape
    out, moved = forward.copy(), np.zeros((states, states))
    back = np.ones(states)
    for row in range(rows - 2, -1, -1):
        if begins[row + 1]:
            back[:] = 1.0
            continue
        best = scores[row + 1].max()
        weighed = back * np.exp(scores[row + 1] - best - norms[row + 1])
        for state in range(states):
            back[state] = 0.0
            for other in range(states):
                onward = transitions[state, other] * weighed[other]
                back[state] += onward
                moved[state, other] += forward[row, state] * onward
        for state in range(states):
            out[row, state] = forward[row, state] * back[state]
    return out, moved
