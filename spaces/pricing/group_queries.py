"""Organisations with the customer groups that they are priced for; for the city's staff."""

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from spaces.pricing.models import OrganisationGroup
from spaces.pricing.rules import GROUP_OF_KIND


@dataclass(frozen=True)
class GroupedOrganisation:
    """An organisation, the group that the city gave it, and the one that it is priced for."""

    organisation: Organisation
    given: str | None
    group: str


@dataclass(frozen=True)
class WantedOrganisations:
    """The filter of the list; `group` is the one they are priced for."""

    words: str = ""
    kind: str = ""
    group: str = ""
    page: int = 1


def grouped_organisations(
    session: Session, city_id: int, wanted: WantedOrganisations, *, page_size: int
) -> tuple[list[GroupedOrganisation], int]:
    """One page of the city's organisations by name, and how many match in all."""
    by_kind = case(
        *((Organisation.kind == kind, code) for kind, code in GROUP_OF_KIND.items()), else_="resident"
    )
    group = func.coalesce(OrganisationGroup.group_code, by_kind)
    found = (
        select(Organisation, OrganisationGroup.group_code, group.label("priced_for"))
        .outerjoin(
            OrganisationGroup,
            (OrganisationGroup.city_id == Organisation.city_id)
            & (OrganisationGroup.organisation_id == Organisation.id),
        )
        .where(Organisation.city_id == city_id)
    )
    if wanted.words:
        named = Organisation.name.icontains(wanted.words, autoescape=True)
        found = found.where(named | (Organisation.business_id == wanted.words))
    if wanted.kind:
        found = found.where(Organisation.kind == wanted.kind)
    if wanted.group:
        found = found.where(group == wanted.group)
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    rows = session.execute(
        found.order_by(func.lower(Organisation.name), Organisation.id)
        .limit(page_size)
        .offset((wanted.page - 1) * page_size)
    )
    return [GroupedOrganisation(*row) for row in rows], total
