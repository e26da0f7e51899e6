"""Who may make which feed; the same is asked again each time it is read."""

from dataclasses import dataclass

from marketplace.accounts.actor import Actor
from spaces.catalog import policy as catalog
from spaces.catalog.models import Space, Venue


@dataclass(frozen=True)
class Subject:
    """What a feed is of: a kind of `models.KINDS`, with the organisation or the space it needs."""

    kind: str
    organisation_id: int | None = None
    space: Space | None = None
    venue: Venue | None = None


def may_feed(actor: Actor, subject: Subject) -> bool:
    """One's own; an organisation's for those who book for it; a space's for those who see who uses it; that a space is
    taken, and nothing else, is made public by those who run it."""
    if not actor.is_signed_in:
        return False
    if subject.kind == "person":
        return True
    if subject.kind == "organisation":
        return subject.organisation_id is not None and actor.may_book_for(subject.organisation_id)
    if subject.space is None or subject.venue is None:
        return False
    if subject.kind == "space":
        return catalog.may_read(actor, subject.venue)
    return catalog.may_manage(actor, subject.venue)


def may_still_read(actor: Actor, subject: Subject) -> bool:
    """Whether the feed holds anything today. A public one goes on without its maker, as long as its space is on offer."""
    if subject.kind == "space_public":
        return subject.space is not None and subject.space.state == "published"
    return may_feed(actor, subject)
