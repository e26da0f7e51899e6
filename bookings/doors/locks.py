"""The lock providers of the running application."""

from flask import current_app

from bookings.doors.providers import LockProvider, ProviderDown, providers_of


def lock_provider(name: str) -> LockProvider:
    """Raises ProviderDown for one that no part brings (any more)."""
    provider = providers_of(current_app.extensions["parts"]).get(name)
    if provider is None:
        raise ProviderDown("this kind of lock is not connected")
    return provider


def provider_names() -> list[str]:
    return sorted(providers_of(current_app.extensions["parts"]))
