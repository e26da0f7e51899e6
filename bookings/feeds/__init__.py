"""Private calendar feeds: of a person, of an organisation, of a space; and a public one of when a space is taken."""
