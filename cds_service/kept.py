"""Properties that are worked out once for each object, without a lock.

`functools.cached_property` of Python 3.11 holds one lock for all objects of a class while it works, so that threads that judge
different patients wait for one another. Here two threads that ask one object at the same moment may both work it out, which harms
nobody: what is worked out depends on the object alone.
"""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class kept(Generic[T]):  # noqa: N801, used as a decorator
    """The value of a method without arguments, kept in the object under the method's name."""

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work, self._name = work, work.__name__
        self.__doc__ = work.__doc__

    @overload
    def __get__(self, found: None, owner: type) -> Self: ...
    @overload
    def __get__(self, found: object, owner: type) -> T: ...
    def __get__(self, found: object | None, owner: type) -> Self | T:
        """Asked only until the object has the value."""
        if found is None:
            return self
        value: T = self._work(found)
        found.__dict__[self._name] = value
        return value
