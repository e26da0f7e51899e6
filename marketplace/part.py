"""What a package brings to the application. `wsgi.py` names the parts, `create_app` joins them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from click import Command
from flask import Blueprint, current_app
from sqlalchemy import Select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.jobs.messages import Handler
from marketplace.jobs.periodic import PeriodicJob

Port = TypeVar("Port")

# A panel returns safe HTML, or "" to stay away. It gets the reading session, the actor and what the page hands over.
Panel = Callable[..., str]
Badge = Callable[[Session, Actor], int]
# (city id, person id, at) -> a query of the person's roles at single things, rows of (kind, id, role): Actor.grants. The
# arguments are columns of the query that it becomes a part of: all that an actor may do is read in one statement.
Grants = Callable[[Any, Any, Any], Select[str, int, str]]


@dataclass(frozen=True)
class NavItem:
    """A link in the header or footer; `label` is an English source text, `group` is "main", "account" or a footer group's title."""

    label: str
    endpoint: str
    group: str = "main"
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A package's blueprints, message handlers, page panels, commands and jobs."""

    name: str
    blueprints: Sequence[Blueprint] = ()
    handlers: Mapping[str, Sequence[Handler]] = field(default_factory=dict)
    panels: Mapping[str, Sequence[Panel]] = field(default_factory=dict)
    commands: Sequence[Command] = ()
    periodic: Sequence[PeriodicJob] = ()
    nav: Sequence[NavItem] = ()
    badges: Sequence[Badge] = ()
    grants: Sequence[Grants] = ()
    ports: Mapping[str, Any] = field(default_factory=dict)  # answers to what a lower part asks, by its name
    demo: Sequence[Callable[[Session, City], None]] = ()  # what `flask demo load` fills, lowest part first


def port_of(name: str, nobody: Port) -> Port:
    """What the first part that answers to this port gives; `nobody` where none does."""
    parts: Sequence[Part] = current_app.extensions["parts"]
    found: Port = next((part.ports[name] for part in parts if name in part.ports), nobody)
    return found
