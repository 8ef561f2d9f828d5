"""How errors that a person can mend look in a notebook."""

from IPython.core.interactiveshell import InteractiveShell

from course_lib.errors import CourseError, UsageError, unknown


def test_a_notebook_shows_the_sentence_without_a_traceback(capsys):
    shell = InteractiveShell()
    for kind in (CourseError, UsageError):
        shell.user_ns["error"] = kind("The images are missing: install them.")
        shell.run_cell("raise error")
        shown = capsys.readouterr().out
        assert shown == f"{kind.__name__}: The images are missing: install them.\n"


def test_an_unknown_name_gets_the_nearest_else_all_that_there_are():
    known = ["losses", "sgd"]
    assert unknown("lesson “sdg”", "sdg", known) == "There is no lesson “sdg”: did you mean “sgd”?"
    assert unknown("x", "sdg", known, called=len) == "There is no x: did you mean “3”?"
    assert unknown("x", "nonsense", known, known) == "There is no x: there are losses, sgd."
    assert unknown("x", "nonsense", known, known[:1]) == "There is no x: there is losses."
    assert unknown("x", "nonsense", known) == "There is no x."
