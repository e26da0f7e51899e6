"""The operator's command for saved searches."""

from flask.cli import AppGroup

from spaces.saved.jobs import follow_saved_searches

saved_group = AppGroup("saved-searches", help="Searches that tell when something frees up.")


@saved_group.command("follow")
def follow() -> None:
    """Do now what the worker does each minute: find what has freed up and write the mails."""
    follow_saved_searches()
