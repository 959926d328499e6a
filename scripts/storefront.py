"""Gives a storefront limits of its own: an API key, which stands in the usage plan of its tier.

    storefront.py add TENANT [standard|plus]    makes its key, or moves it to this tier
    storefront.py remove TENANT                 deletes its key

Before `remove`, and after `add`, deploy with TENANT left out of, or put into, the parameter StorefrontsWithKey: a storefront
that is listed and has no key is refused. It works on the stack that the environment names.
"""

import hashlib
import sys

import boto3
from outputs import in_one_line, outputs

TIERS = {"standard": "StandardPlanId", "plus": "PlusPlanId"}


def add(tenant, tier="standard"):
    gateway, value = boto3.client("apigateway"), key_of(tenant)
    key = find(gateway, value) or gateway.create_api_key(name=tenant, value=value, enabled=True)["id"]
    plan = outputs()[TIERS[tier]]
    # A key stands in one plan of a stage, so it leaves the other first.
    for other in (outputs()[name] for name in TIERS.values()):
        if other != plan and stands_in(gateway, other, key):
            gateway.delete_usage_plan_key(usagePlanId=other, keyId=key)
    if not stands_in(gateway, plan, key):
        gateway.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    print(f"{tenant} has a key in the tier {tier}; now list it in StorefrontsWithKey")


def remove(tenant):
    gateway = boto3.client("apigateway")
    if key := find(gateway, key_of(tenant)):
        gateway.delete_api_key(apiKey=key)
    print(f"{tenant} has no key")


def key_of(tenant):
    """As `shared/adapters/src/usage_keys.rs` does."""
    return hashlib.sha256(f"{outputs()['SharedUsageKey']}:{tenant}".encode()).hexdigest()


def stands_in(gateway, plan, key):
    try:
        gateway.get_usage_plan_key(usagePlanId=plan, keyId=key)
    except gateway.exceptions.NotFoundException:
        return False
    return True


def find(gateway, value):
    pages = gateway.get_paginator("get_api_keys").paginate(includeValues=True)
    return next((key["id"] for page in pages for key in page["items"] if key.get("value") == value), None)


def main():
    match sys.argv[1:]:
        case ["add", tenant]:
            add(tenant)
        case ["add", tenant, ("standard" | "plus") as tier]:
            add(tenant, tier)
        case ["remove", tenant]:
            remove(tenant)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    in_one_line(main)
