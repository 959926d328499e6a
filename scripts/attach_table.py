"""Makes a stack that holds a table of orders which was kept or restored; the next deployment adds everything else to it.

    attach_table.py TABLE

Settings: STACK_NAME (orders), a stack that does not exist yet, and AWS credentials.
"""

import json
import os
import sys

import boto3
from outputs import in_one_line
from processes import say
from sam import ROOT
from samcli.yamlhelper import yaml_parse


def main(table):
    complete(table)
    attach(os.environ.get("STACK_NAME", "orders"), table)


def complete(table):
    """Switches on what a restored table lacks. Protection is the stack's to set."""
    dynamodb = boto3.client("dynamodb")
    stream = dynamodb.describe_table(TableName=table)["Table"].get("StreamSpecification", {})
    if not stream.get("StreamEnabled"):
        say(f"{table} gets its stream")
        specification = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        dynamodb.update_table(TableName=table, StreamSpecification=specification)
        dynamodb.get_waiter("table_exists").wait(TableName=table)
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)


def attach(stack, table):
    cloudformation = boto3.client("cloudformation")
    change = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="attach-the-table",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template()),
        ResourcesToImport=[
            {
                "ResourceType": "AWS::DynamoDB::Table",
                "LogicalResourceId": "OrdersTable",
                "ResourceIdentifier": {"TableName": table},
            }
        ],
    )["Id"]
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change)
    cloudformation.execute_change_set(ChangeSetName=change)
    cloudformation.get_waiter("stack_import_complete").wait(StackName=stack)
    say(f"{stack} holds {table}; `make deploy` adds everything else")


def template():
    """The table as the template has it. An import may hold nothing that is not imported."""
    whole = yaml_parse((ROOT / "template.yaml").read_text())
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"DeletionProtection": whole["Parameters"]["DeletionProtection"]},
        "Resources": {"OrdersTable": whole["Resources"]["OrdersTable"]},
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    in_one_line(lambda: main(sys.argv[1]))
