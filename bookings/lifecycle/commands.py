"""Commands about bookings."""

import click
from flask.cli import AppGroup

from bookings.lifecycle.drawing import life_cycle

bookings_group = AppGroup("bookings", help="Look at bookings.")


@bookings_group.command("draw")
def draw() -> None:
    """Print the life cycle as it stands in docs/bookings.md."""
    click.echo(life_cycle(), nl=False)
