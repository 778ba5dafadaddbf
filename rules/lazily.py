"""Values worked out when first asked for, without the lock that functools takes on Python 3.11."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_Value = TypeVar("_Value")


class lazily(Generic[_Value]):
    """A property that is computed once per instance. One thread at a time decides an account."""

    def __init__(self, compute: Callable[[Any], _Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> "lazily[_Value]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> _Value: ...
    def __get__(self, instance: object | None, owner: type) -> "lazily[_Value] | _Value":
        if instance is None:
            return self
        found = self._compute(instance)
        instance.__dict__[self._name] = found
        return found
