"""Every way in which the service can refuse, each with a stable code and no patient data."""

from dataclasses import dataclass


class ServiceError(Exception):
    """A refusal that a client or an operator reads: what was wrong, where, what was expected, what to do."""

    status = 500
    code = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(ServiceError):
    """The body is not a valid request of the hook."""

    status = 400
    code = "invalid-request"


class UnknownService(ServiceError):
    """No service has this id."""

    status = 404
    code = "unknown-service"


class CannotDecide(ServiceError):
    """Data that every answer needs could not be had; the specification asks for 412."""

    status = 412
    code = "required-data-unavailable"

    def __init__(self, message: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in the knowledge: file, key, what was found, what was expected."""

    file: str
    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: found {self.found}, expected {self.expected}"


class KnowledgeError(Exception):
    """The knowledge cannot be used; all problems at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in sorted(problems)))
        self.problems = sorted(problems)
