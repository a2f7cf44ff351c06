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


class TooLarge(ServiceError):
    """The body is larger than the operator allows."""

    status = 413
    code = "body-too-large"


class UnsupportedBody(ServiceError):
    """The body is not JSON in UTF-8, or it is compressed."""

    status = 415
    code = "unsupported-body"


class TooSlow(ServiceError):
    """The body did not arrive in time."""

    status = 408
    code = "body-too-slow"


class Overloaded(ServiceError):
    """More requests are under way than can be answered in time; the client may come back soon."""

    status = 503
    code = "overloaded"


class StoreUnavailable(ServiceError):
    """What was sent could not be kept, so it is not acknowledged."""

    status = 503
    code = "store-unavailable"


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
    """One mistake in the knowledge or the configuration: file, key, what was found, what was expected, and what to do."""

    file: str
    key: str
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        said = f"{self.file}: {self.key}: found {self.found}, expected {self.expected}"
        return f"{said} ({self.hint})" if self.hint else said


class KnowledgeError(Exception):
    """The knowledge cannot be used; all problems at once, in the order in which they are best mended."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class ConfigurationError(Exception):
    """The configuration cannot be used; all problems at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in sorted(problems)))
        self.problems = sorted(problems)
