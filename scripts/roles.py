"""What the roles of the stack that the environment names allow."""

import json
from dataclasses import dataclass

from outputs import resources


@dataclass
class Policy:
    """An inline policy of a role."""

    role: str
    name: str
    document: dict

    def put(self, iam, document):
        iam.put_role_policy(RoleName=self.role, PolicyName=self.name, PolicyDocument=json.dumps(document))


def functions():
    """Every function of the stack with the name of its role."""
    for logical, physical in resources("AWS::IAM::Role").items():
        if logical.endswith("FunctionRole"):
            yield logical.removesuffix("Role"), physical


def policies(iam):
    """Every inline policy of the stack's functions, beside its function."""
    for function, role in functions():
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            yield function, Policy(role, name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])


def of_aws(iam, name):
    """The actions of one of AWS's own policies for functions."""
    return of_policy(iam, f"arn:aws:iam::aws:policy/service-role/{name}")


def of_policy(iam, arn):
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return set(actions(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]))


def actions(document):
    """All that a document allows."""
    return [action for statement in as_list(document["Statement"]) for action in as_list(statement["Action"])]


def without(document, action):
    """The document, which allows this action no more."""
    statements = []
    for statement in as_list(document["Statement"]):
        kept = [other for other in as_list(statement["Action"]) if other != action]
        # A policy must hold a statement, so an empty one becomes one that allows nothing useful.
        statements.append({**statement, "Action": kept or ["sts:GetCallerIdentity"]})
    return {**document, "Statement": statements}


def as_list(value):
    return value if isinstance(value, list) else [value]
