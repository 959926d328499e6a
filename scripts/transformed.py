"""Prints a SAM template as CloudFormation gets it: what SAM adds is checked as well (`make lint-template`).

    transformed.py TEMPLATE [PARAMETER=VALUE ...]
"""

import json
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def main(path, *values):
    with open(path) as file:
        template = yaml_parse(file.read())
    parameters = {name: parameter.get("Default", "x") for name, parameter in template.get("Parameters", {}).items()}
    parameters |= dict(value.split("=", 1) for value in values)
    for resource in template["Resources"].values():
        # What `sam build` puts there.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/code"
    # No role is given a managed policy, so none has to be looked up.
    translator = Translator({}, Parser())
    print(json.dumps(translator.translate(template, parameters), indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
