"""Checks that every parameter of the template is used, is in one group, has a label, is explained in docs/deploy.md with its
default, and refuses to be empty where it is required (`make lint-template`).

    check_parameters.py template.yaml docs/deploy.md
"""

import json
import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse


def main(template, document):
    parsed = yaml_parse(Path(template).read_text())
    faults = list(faults_of(parsed, Path(document).read_text()))
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)
    print(f"{len(parsed['Parameters'])} parameters are grouped, labelled and explained")


def faults_of(template, document):
    parameters, interface = template["Parameters"], template["Metadata"]["AWS::CloudFormation::Interface"]
    groups = {group["Label"]["default"]: group["Parameters"] for group in interface["ParameterGroups"]}
    grouped = [name for names in groups.values() for name in names]
    yield from (f"{name} is in no group" for name in parameters if name not in grouped)
    yield from (f"{name} is in a group and no parameter" for name in grouped if name not in parameters)
    yield from (f"{name} is in two groups" for name in {name for name in grouped if grouped.count(name) > 1})
    labels = interface["ParameterLabels"]
    yield from (f"{name} has no label" for name in parameters if not labels.get(name, {}).get("default"))
    yield from (f"{name} has a label and is no parameter" for name in labels if name not in parameters)
    yield from faults_of_document(groups, parameters, explained(document))
    used = json.dumps({part: template[part] for part in ("Conditions", "Globals", "Resources")})
    for name, parameter in parameters.items():
        if f'{{"Ref": "{name}"}}' not in used and f"${{{name}}}" not in used:
            yield f"{name} is used nowhere"
        if "Default" not in parameter and accepts_nothing(parameter):
            yield f"{name} is required and may be empty"


def accepts_nothing(parameter):
    if "AllowedValues" in parameter:
        return "" in parameter["AllowedValues"]
    return re.fullmatch(parameter.get("AllowedPattern", ".*"), "") is not None


def faults_of_document(groups, parameters, document):
    for group, names in groups.items():
        rows = document.pop(group, {})
        if list(rows) != names:
            yield f"docs/deploy.md explains under {group}: {list(rows)}, the group is {names}"
        for name, default in rows.items():
            expected = str(parameters.get(name, {}).get("Default", "required")) or "none"
            if default != expected:
                yield f"docs/deploy.md says that {name} is {default} by default, and it is {expected}"
    yield from (f"docs/deploy.md explains the group {group}, which is none" for group in document)


def explained(document):
    """Name and default of every parameter, by group: the sections of `## Parameters`."""
    section = re.search(r"^## Parameters\n(.*?)(?=^## )", document, re.DOTALL | re.MULTILINE)[1]
    parts = re.split(r"^### (.+)$", section, flags=re.MULTILINE)
    return {group: dict(rows(body)) for group, body in zip(parts[1::2], parts[2::2])}


def rows(body):
    """`| `One`, `Other` | variables | 1, 2 | meaning |`"""
    for names, default in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|[^|]*\| ([^|]*) \|", body, re.MULTILINE):
        names, defaults = re.findall(r"`(\w+)`", names), default.replace("`", "").strip().split(", ")
        yield from zip(names, defaults if len(defaults) == len(names) else defaults * len(names))


if __name__ == "__main__":
    main(*sys.argv[1:])
