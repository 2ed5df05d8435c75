"""A secret that does not show itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True, repr=False)
class SecretText:
    """A Secret, token or password; `reveal()` is the only way to its value."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The value, for the one call that must send or store it."""
        return self._value

    def __repr__(self) -> str:
        return "SecretText(***)"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)
