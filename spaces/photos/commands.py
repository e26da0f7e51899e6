"""`flask photos`: the operator's look after files."""

import click
from flask.cli import AppGroup

from spaces.photos.jobs import sweep_files

photos_group = AppGroup("photos", help="Photos of spaces.")


@photos_group.command("sweep")
def sweep() -> None:
    """Delete files older than a day that no photo names. The worker does so every night."""
    click.echo(f"{sweep_files()} files deleted.")
