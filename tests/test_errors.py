"""How errors that a person can mend look in a notebook."""

from IPython.core.interactiveshell import InteractiveShell

from course_lib.errors import CourseError, UsageError


def test_a_notebook_shows_the_sentence_without_a_traceback(capsys):
    shell = InteractiveShell()
    for kind in (CourseError, UsageError):
        shell.user_ns["error"] = kind("The images are missing: install them.")
        shell.run_cell("raise error")
        shown = capsys.readouterr().out
        assert shown == f"{kind.__name__}: The images are missing: install them.\n"
