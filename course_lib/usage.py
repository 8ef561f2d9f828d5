"""What is wrong with a call of the `course` command, in one sentence of the course's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from .errors import unknown


def whole_number(least: int) -> Callable[[str | int], int]:
    """The type of an option whose value is a whole number that is not too small."""

    def convert(value: str | int) -> int:
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if number < least:
            raise click.BadParameter(f"takes a whole number from {least} on, not “{value}”.")
        return number

    return convert


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """The type of an option whose value is one of a few words."""

    def convert(value: str) -> str:
        if value not in words:
            raise click.BadParameter(f"takes {' or '.join(words)}, not “{value}”.")
        return value

    return convert


def path(value: str | Path) -> Path:
    """The type of a path; an empty one, as an unset variable of the shell leaves, is none."""
    if not str(value):
        raise click.BadParameter("takes a path, not “”.")
    return Path(value)


class Verb(click.Command):
    """A command that says itself what it was wrongly given.

    Attributes:
        elsewhere: sentence on options that are not its own, for who meant one of these.
    """

    allow_extra_args = True  # refused below

    def __init__(self, *arguments: Any, elsewhere: str = "", **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.elsewhere = elsewhere

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            others = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = ctx  # of some errors click does not know it
            raise
        if others and not ctx.resilient_parsing:
            raise click.UsageError(f"`{ctx.command_path}` takes no “{others[0]}”.", ctx)
        return others


class Verbs(click.Group):
    """A group of commands that names the nearest one for a name it does not know."""

    command_class = Verb

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are of use, which is that of their definition."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in self.commands:
            raise click.UsageError(
                unknown(f"command “{name}”", name, self.commands, self.commands), ctx
            )
        return super().resolve_command(ctx, args)


def sentence(error: click.UsageError, group: click.Group) -> str:
    """What was wrong with a call of one of these commands, and where to read more."""
    ctx = error.ctx or click.Context(group, info_name=group.name)
    return f"{_what(error, ctx)} (`{ctx.command_path} --help` tells more.)"


def _what(error: click.UsageError, ctx: click.Context) -> str:
    options = {
        name: option
        for option in ctx.command.get_params(ctx)
        if isinstance(option, click.Option)
        for name in option.opts
    }
    match error:
        case click.NoSuchOption(option_name=name):
            listed = (known for known in options if known.startswith("--"))
            elsewhere = getattr(ctx.command, "elsewhere", "")
            return f"{unknown(f'option “{name}”', name, options, listed)} {elsewhere}".strip()
        case click.BadOptionUsage(option_name=name) if name in options:
            if options[name].is_flag:
                return f"{name} takes no value."
            return f"{name} needs a value: `{name} {options[name].metavar}`."
        case click.MissingParameter(param=click.Option() as option):
            return f"`{ctx.command_path}` needs {option.opts[0]} {option.metavar}."
        case click.MissingParameter(param=click.Argument() as argument):
            return f"`{ctx.command_path}` needs {_word(argument)}."
        case click.BadParameter(param=click.Parameter() as parameter):
            return f"{_word(parameter)} {error.message}"
    return error.message


def _word(parameter: click.Parameter) -> str:
    """What the help calls it: the name of an option, the place of an argument."""
    if isinstance(parameter, click.Option):
        return parameter.opts[0]
    return str(parameter.metavar).removesuffix(" ...")
