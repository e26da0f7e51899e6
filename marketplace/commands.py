"""The ground floor's commands: the schema and the templates' check."""

from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from flask import current_app
from flask.cli import AppGroup
from jinja2 import TemplateError

from marketplace.settings import ROOT

db_group = AppGroup("db", help="The database's schema.")
templates_group = AppGroup("templates", help="The pages' templates.")


def alembic_config(url: str = "") -> Config:
    """Alembic's settings for our migrations; `url` is handed to migrations/env.py."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = url
    return config


@db_group.command("upgrade")
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema to REVISION (the newest)."""
    command.upgrade(alembic_config(current_app.config["DATABASE_URL"]), revision)


@templates_group.command("check")
def check_templates() -> None:
    """Compile every template; exit with 1 when one fails."""
    failed = 0
    for name in sorted(current_app.jinja_env.list_templates()):
        if Path(name).suffix not in {".html", ".txt", ".xml"}:
            continue
        try:
            current_app.jinja_env.get_template(name)
        except TemplateError as error:
            failed += 1
            click.echo(f"{name}: {error}", err=True)
    if failed:
        raise SystemExit(1)
