"""Commands that keep what the backend knows, and bring it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.commands import shell
from backend.commands.shell import AsJson
from backend.terminal import plain

_MEGABYTE = 1e6


def add_backups(app: typer.Typer) -> None:
    """Puts `backup` and `restore` into the command line."""
    app.command(epilog=shell.examples("backup /srv/backups/monday.nlb"))(backup)
    app.command(epilog=shell.examples("restore /srv/backups/monday.nlb"))(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write database and model versions into one file, while the server runs. Holds texts, no secrets."""
    with shell.people_errors():
        from backend.backup.make import make_backup

        made = make_backup(shell.read_settings(), file, overwrite=overwrite)
        data = {
            "file": str(made.path),
            "projects": made.projects,
            "versions": made.versions,
            "bytes": made.size,
        }
        words = (
            f"{made.path} holds {made.projects} projects and {made.versions} versions, "
            f"{made.size / _MEGABYTE:.1f} MB. Keep SECRET_KEY and the other secrets elsewhere: none is in it."
        )
        shell.print_result(as_json, data, lambda: shell.out.print(plain(words), soft_wrap=True))


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Set a database that is there aside, and write versions anew."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring database and model versions back from a backup, where no server runs; all or nothing."""
    with shell.people_errors():
        from backend.backup.restore import restore_backup

        done = restore_backup(shell.read_settings(), file, overwrite=overwrite)
        data = {
            "projects": done.projects,
            "versions": done.versions,
            "made_at": done.made_at,
            "set_aside": None if done.aside is None else str(done.aside),
            "differing_settings": {
                name: {"then": then, "now": now} for name, (then, now) in done.differing.items()
            },
        }
        lines = [f"{done.projects} projects and {done.versions} versions are as of {done.made_at}."]
        if done.aside is not None:
            lines.append(f"The database that was there is now {done.aside}.")
        lines += [f"{name} was {then!r}, and is {now!r} now." for name, (then, now) in done.differing.items()]
        lines.append("Next: nextlabel start. Each project reads all its tasks again within a minute.")
        shell.print_result(as_json, data, lambda: shell.out.print(plain("\n".join(lines)), soft_wrap=True))
