"""What is published is heard, and what is listened for is said."""

import ast
import re
from pathlib import Path

from flask import Flask

from tests.architecture.sources import python_files, relative, tree_of

# Published although nobody listens yet, and why.
UNHEARD = {
    "districts.changed": "maps in other processes read outlines anew; nothing else hangs on it yet",
}
PAST_FACT = re.compile(r"[a-z_]+\.[a-z_]+")


def published() -> dict[str, str]:
    """Message name to the file that publishes it; fails on a name that is not written out."""
    found: dict[str, str] = {}
    for path in python_files():
        if relative(path) == "marketplace/jobs/messages.py":
            continue
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called not in {"publish", "publish_later"}:
                continue
            names = names_of(node.args[1], within=path)
            assert names, f"{relative(path)}:{node.lineno}: the message's name must be written out"
            for name in names:
                found[name] = relative(path)
    return found


def names_of(node: ast.expr, *, within: Path) -> list[str]:
    """Of a variable: all that this file assigns to it."""
    if not isinstance(node, ast.Name):
        return written_names(node)
    return [
        name
        for found in ast.walk(tree_of(within))
        if isinstance(found, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == node.id for target in found.targets)
        for name in written_names(found.value)
    ]


def written_names(node: ast.expr) -> list[str]:
    """The strings that this expression can be: a literal, or a choice between literals."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return written_names(node.body) + written_names(node.orelse)
    return []


def handled(app: Flask) -> set[str]:
    return {name for part in app.extensions["parts"] for name in part.handlers}


def test_every_message_has_a_handler(app: Flask) -> None:
    unheard = set(published()) - handled(app)
    assert unheard == set(UNHEARD) - handled(app), "give it a handler, or a reason in UNHEARD"
    assert set(UNHEARD) <= set(published()), "take what is no longer published off the list"


def test_every_handler_hears_a_message_that_is_published(app: Flask) -> None:
    assert handled(app) - set(published()) == set()


def test_messages_are_past_facts_about_a_noun() -> None:
    for name in published():
        assert PAST_FACT.fullmatch(name), name


def test_only_actions_publish() -> None:
    """News belongs to the change: whoever changes rows says so in the same transaction."""
    for name, path in published().items():
        assert path.endswith(("/actions.py", "_actions.py")), (
            name,
            path,
        )
