"""Errors that a person can mend: one sentence saying what happened and what to do."""

NEAR = 0.65
"""So alike must a name be to an unknown one, as `difflib` measures it, to be offered as what was
meant: "sgd" for "sdg" is 0.67, "losses" for "nonsense" 0.57."""


class CourseError(Exception):
    """Something went wrong; the `course` command prints the sentence and ends with `status`."""

    status = 1

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(CourseError):
    """The command was called wrongly: an unknown name, a missing path."""

    status = 2
