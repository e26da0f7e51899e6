"""The people of the desk's tests."""

from tests.bookings.desk.conftest import client_of, owner, persona, venue

__all__ = ["client_of", "owner", "persona", "venue"]
