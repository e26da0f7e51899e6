"""What the partners package brings to the application."""

from marketplace.errors import N_
from marketplace.part import NavItem, Part
from partners.api.api import api

part = Part(
    name="partners",
    blueprints=[api],
    nav=[NavItem(N_("Open data and API"), "api.document", group="Information")],
)
