"""The advice that stands now, shared by those who make it and those who show it."""

from collections.abc import Iterable
from datetime import datetime

from attrs import define, field, frozen

from core.greg.advice import Suggestion
from ports.checks import utc


@frozen(kw_only=True)
class Standing:
    """All advice of one evaluation."""

    suggestions: tuple[Suggestion, ...] = ()
    updated_at: datetime | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.suggestions)

    def of(self, position_id: str) -> Suggestion | None:
        """What stands for *position_id*; None if nothing does."""
        found = (each for each in self.suggestions if each.position_id == position_id)
        return next(found, None)


@define(eq=False)
class SuggestionStore:
    """
    The advice that stands, replaced as a whole.

    Safe to read from any thread: what is handed out never changes.
    """

    _standing: Standing = field(factory=Standing, init=False)

    def standing(self) -> Standing:
        """Return the advice that stands."""
        return self._standing

    def replace(self, suggestions: Iterable[Suggestion], at: datetime) -> tuple[Suggestion, ...]:
        """
        Let *suggestions* stand from *at* on; return those that are new, or of another action or
        priority than before.

        Raises:
            ValueError: *at* is no UTC instant.
        """
        before = {each.position_id: each for each in self._standing.suggestions}
        made = _Stamped(tuple(suggestions), at)
        self._standing = Standing(suggestions=made.suggestions, updated_at=made.at)
        return tuple(
            each
            for each in made.suggestions
            if (known := before.get(each.position_id)) is None
            or (known.action, known.priority) != (each.action, each.priority)
        )


@frozen
class _Stamped:
    suggestions: tuple[Suggestion, ...]
    at: datetime = field(validator=utc)
