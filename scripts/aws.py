"""Clients of the emulator's AWS services."""

from functools import cache

import boto3


def client(service, env):
    """A client of one service, with endpoint, region and credentials from these variables."""
    return _client(
        service, env["AWS_ENDPOINT_URL"], env["AWS_REGION"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
    )


@cache
def _client(service, endpoint, region, key, secret):
    # A session of its own: clients cannot be made of one session by several threads.
    return boto3.Session().client(
        service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret
    )
