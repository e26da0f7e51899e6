"""What can be refused about feeds."""

from marketplace.errors import N_, Conflict, Forbidden, NotFound


class FeedNotFound(NotFound):
    code = "feed-not-found"
    title = N_("This calendar address is not in use (any more).")


class NoRightToFeed(Forbidden):
    code = "no-right-to-feed"
    title = N_("You cannot make a calendar address of this.")


class FeedExists(Conflict):
    code = "feed-exists"
    title = N_("There is an address already. Replace it if you need it anew.")
