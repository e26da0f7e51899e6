"""Names the parts and builds the application; the only file that knows all four packages."""

import sys

from bookings.part import part as bookings
from marketplace.app import create_app
from marketplace.settings import SettingsError, read_settings
from partners.part import part as partners
from spaces.part import part as spaces

PARTS = (spaces, bookings, partners)

try:
    app = create_app(read_settings(), PARTS)
except SettingsError as error:
    sys.exit(f"Tilaa does not start: {error}")
