"""Everything here happens inside the application, as in a job, on the test bank."""

import pytest

from tests.marketplace.payments.conftest import money_app  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def inside_the_application(money_app) -> None:  # noqa: F811
    """As in a job."""
