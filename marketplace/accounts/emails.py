"""E-mail addresses as people type them."""

from email_validator import EmailNotValidError, validate_email


def normalised_email(text: str) -> str | None:
    """The address in the one form that is kept: lower case, ASCII; None when it cannot be an address.

    Letters beyond ASCII before the @ are refused: few mail servers deliver to them, and they allow look-alikes.
    """
    try:
        found = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError:
        return None
    address = found.ascii_email
    return address.lower() if address and len(address) <= 254 else None
