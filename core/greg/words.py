"""Figures in the words of a reason."""

_MOST_PLACES = 17


def beside(value: float, limit: float, places: int) -> str:
    """
    *value* with *places* decimals, more where it would read like the *limit* it is compared with.

    >>> beside(34.2, 35.0, 1), beside(35.04, 35.0, 1), beside(35.0, 35.0, 1)
    ('34.2', '35.04', '35.0')
    """
    while value != limit and places < _MOST_PLACES:
        if f"{value:.{places}f}" != f"{limit:.{places}f}":
            break
        places += 1
    return f"{value:.{places}f}"


def percent_beside(value: float, limit: float, places: int) -> str:
    """*value*, a fraction, in percent; decimals as beside."""
    return f"{beside(100.0 * value, 100.0 * limit, places)}%"
