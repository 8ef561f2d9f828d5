"""The `course` command. Each verb calls one function, imported when it is called."""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from . import __version__
from .errors import CourseError, UsageError, visible
from .lessons import EDITIONS, Edition
from .progress_bar import bar

if TYPE_CHECKING:
    from .learner.doctor import Finding

INTERRUPTED = 130
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # no quotas on Windows


class InOrder(click.Group):
    """A group that lists its commands in the order in which they are of use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


class NamedPath(click.Path):
    """A path; the empty one, as an unset variable of the shell leaves, would mean "here"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the path is empty.", param, ctx)
        return super().convert(value, param, ctx)


INPUT = click.Path(exists=True, path_type=Path)
OUTPUT = NamedPath(path_type=Path)


@click.group(
    cls=InOrder,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="course")
@click.pass_context
def course(ctx: click.Context) -> None:
    """Transfer Learning from First Principles: work through it, grade it, build it.

    Lessons are named by number, name or file: 01, losses, notebooks/01_losses.ipynb.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@course.command()
@click.argument("arguments", nargs=-1, metavar="[LESSON] [-- JUPYTER_OPTION ...]")
@click.option("--solution", is_flag=True, help="Open the solved lesson.")
def lab(arguments: tuple[str, ...], solution: bool) -> None:
    """Open JupyterLab on a lesson, by default on the start page.

    Options of JupyterLab come after --, as in: course lab losses -- --port 9999
    """
    from .learner.lab import open_lab
    from .lessons import chosen, find, pages

    named, options = arguments[:1], arguments[1:]
    if named and named[0].startswith("-"):
        named, options = (), arguments
    if options and not options[0].startswith("-"):
        raise UsageError(f"One lesson at a time: “{options[0]}” is one too many.")
    lessons = [find(name) for name in named] or [*pages(), *chosen(())]
    if not lessons:
        raise CourseError("There are no lessons in solutions/: is this copy complete?")
    if solution and lessons[0].is_page:
        raise UsageError("Which lesson's solution? Name it, as in `course lab --solution 01`.")
    open_lab(lessons[0], options, "solutions" if solution else "notebooks")


@course.command()
@click.argument("lessons", nargs=-1, required=True, metavar="LESSON ...")
def reset(lessons: tuple[str, ...]) -> None:
    """Put a lesson back as it was at first; a copy keeps your answers."""
    from .lessons import chosen

    named = chosen(lessons)
    from .authoring import build as authoring

    changed = authoring.reset(named)
    for file in changed:
        kept = " holds your answers" if authoring.is_kept(file) else " is as it was at first"
        click.echo(f"{file}{kept}")
    if not changed:
        click.echo("Nothing was changed: that is how it was handed out.")
    else:
        click.echo("If it is open in JupyterLab, choose File, Reload Notebook from Disk there.")


@course.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Say whether lessons can run on this machine. The status is 1 if one cannot."""
    from .learner.doctor import findings

    if sys.stderr.isatty():
        click.echo("Looking at this machine; loading Keras may take a minute.", err=True)
    missing = _show(findings())
    click.echo("A lesson cannot run yet: see the lines above." if missing else "Lessons can run.")
    ctx.exit(1 if missing else 0)


@course.command()
@click.argument("lessons", nargs=-1, metavar="[LESSON ...]")
@click.option(
    "--edition",
    type=click.Choice(EDITIONS),
    default="notebooks",
    show_default=True,
    help="The learners' notebooks or the solved ones.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Lessons at the same time.",
)
@click.option(
    "--json",
    "report",
    type=OUTPUT,
    metavar="FILE",
    help="Write the measurements here.",
)
@click.pass_context
def run(
    ctx: click.Context, lessons: tuple[str, ...], edition: str, jobs: int, report: Path | None
) -> None:
    """Execute lessons from top to bottom. Files are not changed; the status is 1 if one fails."""
    from .lessons import chosen

    named = chosen(lessons)
    from .authoring.run import run_lessons

    runs = run_lessons(named, cast(Edition, edition), jobs, report)
    ctx.exit(1 if any(run.error for run in runs) else 0)


@course.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH ...", type=INPUT)
@click.option(
    "--out",
    type=OUTPUT,
    required=True,
    metavar="DIR",
    help="Folder for the gradebook and the feedback.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Submissions at the same time; by default one per processor core.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="S",
    help="Of the random cases; the same seed gives the same grades.",
)
@click.option("--resume", is_flag=True, help="Go on with an interrupted run.")
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Grade on the workers of this Dask scheduler, as tcp://host:8786.",
)
@click.option(
    "--exercises",
    type=INPUT,
    metavar="FILE",
    help="A Python file with exercises of your own.",
)
@click.option(
    "--locate", is_flag=True, help="Say in the feedback where to look, too; several times slower."
)
@click.option(
    "--unsafe",
    is_flag=True,
    help="Grade a class even where nothing keeps learners' code from your files.",
)
@click.pass_context
def grade(
    ctx: click.Context,
    paths: tuple[Path, ...],
    out: Path,
    jobs: int | None,
    seed: int | None,
    resume: bool,
    cluster: str | None,
    exercises: Path | None,
    locate: bool,
    unsafe: bool,
) -> None:
    """Grade a notebook or a folder of them.

    A folder holds LEARNER.ipynb files, a folder for each learner, or nbgrader's submitted/.
    """
    # Judging works on small arrays; more threads would only cost time to start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()  # imports leave nothing to collect
    if cluster is None:
        from .grading.reading import launch_reader
        from .sandbox.run import launch

        launch()  # these processes import what they need while this process does
        launch_reader()
    from .grading.gradebook import grade

    gc.freeze()
    gc.enable()
    with bar("grading", "submissions") as step:
        summary = grade(
            paths,
            out,
            jobs=jobs,
            seed=seed,
            resume=resume,
            cluster=cluster,
            exercises=exercises,
            unsafe=unsafe,
            locate=locate,
            progress=lambda done, total, record: step(done, total),
            warn=lambda said: click.echo(visible(said), err=True),
        )
    counts = f"{summary.graded} graded"
    for number, word in ((summary.unreadable, "unreadable"), (summary.crashed, "crashed")):
        counts += f", {number} {word}" if number else ""
    click.echo(f"{counts}; seed {summary.seed}")
    for note in summary.notes:
        click.echo(f"note: {note}")
    if summary.missing:
        click.echo(f"not enforced on this machine: {', '.join(summary.missing)}")
    for file in summary.files:
        click.echo(file)
    ctx.exit(1 if summary.crashed else 0)


@course.command()
@click.argument("lessons", nargs=-1, metavar="[LESSON ...]")
@click.option("--check", is_flag=True, help="Write nothing; status 1 if a file is out of date.")
@click.pass_context
def build(ctx: click.Context, lessons: tuple[str, ...], check: bool) -> None:
    """Make the notebooks and README's tables from solutions/*.py."""
    from .lessons import chosen

    named = chosen(lessons) if lessons else ()
    from .authoring import build as authoring

    if check:
        stale = authoring.drift()
        for sentence in stale:
            click.echo(sentence)
        click.echo("Run `course build`." if stale else "Everything is up to date.")
        ctx.exit(1 if stale else 0)
    with bar("building", "cells") as step:
        changed = authoring.build(named, step)
    for file in changed:
        kept = " is your notebook as it was" if authoring.is_kept(file) else ""
        click.echo(f"{file}{kept}")
    click.echo(f"{len(changed)} file{'' if len(changed) == 1 else 's'} written.")


@course.command()
@click.option(
    "--out",
    type=OUTPUT,
    default="artefacts/book",
    show_default=True,
    metavar="DIR",
    help="Folder for the site; a site that is there is replaced.",
)
@click.option("--mistakes", is_flag=True, help="Add the known mistakes of all exercises.")
def book(out: Path, mistakes: bool) -> None:
    """Make a site of the solved lessons, with search. It needs no internet connection."""
    from .authoring.book import make_book

    click.echo(f"Open {make_book(out, mistakes)}")


@course.command()
@click.pass_context
def fetch(ctx: click.Context) -> None:
    """Get weights and data for work without internet. The status is 1 if one is missing."""
    from .learner.fetch import fetch_supplies

    missing = _show(fetch_supplies())
    click.echo("Something is missing: see the lines above." if missing else "Everything is here.")
    ctx.exit(1 if missing else 0)


@course.command()
@click.option("--reset", is_flag=True, help="Start again; the old file is kept beside the new one.")
@click.option("--yes", is_flag=True, help="Do not ask before starting again.")
def progress(reset: bool, yes: bool) -> None:
    """Show which exercises you have solved."""
    from .learner.start import ProgressView

    if not reset:
        click.echo(ProgressView().text)
        return
    from .learner.progress import reset as start_again

    if not yes:
        try:
            yes = click.confirm("Forget which exercises you have solved?", err=True)
        except click.Abort:
            click.echo(err=True)  # no answer has ended the line
            raise CourseError("Nothing was changed: with --yes nobody is asked.") from None
    if not yes:
        click.echo("Nothing was changed.")
        return
    kept = start_again()
    click.echo(f"Your progress starts again; the old one is {kept}." if kept else "There is none.")


def main() -> None:
    """Entry point: a person sees one sentence for whatever a person can mend."""
    _open_standard_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may not be in its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = course.main(prog_name="course", standalone_mode=False)
    except CourseError as error:
        status = _said(visible(str(error)), error.status)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "course"
        said = f"{error.format_message().removesuffix('.')} (`{path} --help` tells more)."
        status = _said(said, error.exit_code)
    except click.ClickException as error:
        status = _said(error.format_message(), error.exit_code)
    except OSError as error:
        if error.errno not in FULL:
            raise
        status = _said(f"{error}: make room, then try again.", CourseError.status)
    except (KeyboardInterrupt, click.Abort):
        # Who presses Ctrl-C again would see Python's own threads end with a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = _said("Interrupted: everything that was started has been stopped.", INTERRUPTED)
    sys.exit(status)


def _open_standard_streams() -> None:
    """One that is closed leads nowhere: else the next file that is opened would take its place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115 (as long as the process)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115


def _show(findings: Iterable[Finding]) -> int:
    """Print findings as they come; returns how many of them say that something is missing."""
    colors = {"ok": "green", "note": "yellow", "missing": "red"}
    missing = 0
    for finding in findings:
        level, rest = str(finding)[:7], str(finding)[7:]
        click.echo(click.style(level, fg=colors[finding.level]) + rest)
        missing += finding.level == "missing"
    return missing


def _said(sentence: str, status: int) -> int:
    click.echo(sentence, err=True)
    return status


if __name__ == "__main__":
    main()
