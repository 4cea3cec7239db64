"""Problems a caller can understand and mend, told over HTTP as RFC 9457 problem details."""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """Something the caller must know: `kind` is a slug (`offer-unknown`), `detail` a sentence that says what happened and
    what to do, `field` the name of the field it is about."""

    def __init__(self, status: int, kind: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors: list[dict[str, str]] = [{"field": field, "detail": detail}] if field else []

    @property
    def field(self) -> str | None:
        """The first field the problem is about."""
        return self.errors[0]["field"] if self.errors else None

    def document(self, instance: str) -> dict[str, Any]:
        """The body of the answer, `application/problem+json`."""
        body: dict[str, Any] = {
            "type": f"urn:fenghe:problem:{self.kind}",
            "title": self.kind.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            body["errors"] = self.errors
        return body


class NotFound(Problem):
    """404: there is no such thing, or the caller may not know of it."""

    def __init__(self, thing: str, id: str, field: str | None = None) -> None:
        super().__init__(404, f"{thing}-unknown", f"There is no {thing} {id!r} here.", field)


class Conflict(Problem):
    """409: the thing does not stand where the call needs it."""

    def __init__(self, kind: str, detail: str, field: str | None = None) -> None:
        super().__init__(409, kind, detail, field)


class Forbidden(Problem):
    """403: the caller is known, but this is not the caller's."""

    def __init__(self, detail: str) -> None:
        super().__init__(403, "forbidden", detail)


class Invalid(Problem):
    """422: a field's value cannot be accepted."""

    def __init__(self, field: str, detail: str, kind: str = "invalid") -> None:
        super().__init__(422, kind, detail, field)
