"""The API's own description against the API: nothing that Schemathesis sends breaks it or gets an answer it does not describe."""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from control import limits

EXAMPLES = 200 if os.environ.get("RELAIS_LONG") else 3


@pytest.mark.django_db(transaction=True)
def test_every_answer_is_described(live_server, device, ticket):
    schema = schemathesis.openapi.from_url(f"{live_server.url}/api/v1/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 9

    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answers_as_described(case):
            limits.left.clear()
            case.call_and_validate(headers={"Authorization": "Bearer jeton"})

        answers_as_described()
