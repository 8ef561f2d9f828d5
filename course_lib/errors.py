"""Errors that a person can mend: one sentence saying what happened and what to do."""


class CourseError(Exception):
    """Something went wrong; the `course` command prints the sentence and ends with `status`."""

    status = 1


class UsageError(CourseError):
    """The command was called wrongly: an unknown name, a missing path."""

    status = 2
