"""Checks what operators rely on: every alarm and every widget names a metric that exists, every alarm a section of
docs/operations.md, and every function, table, index and dead-letter queue has its alarm. Every function's new version is
called before requests reach it, and its failures take its deployment back.

It reads the template as CloudFormation gets it (scripts/transformed.py), and docs/metrics.md, which a test of
shared/adapters holds to the code.
"""

import importlib.util
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What stands for the name of the stack in the dashboard, and for every other reference.
STACK, ELSEWHERE = "the-stack", "a-reference"

HOOK = "CheckReleaseFunction"

# CodeDeploy takes so many alarms of a deployment group.
MOST_ALARMS = 10

# The authorizer fails whenever it refuses a token, so another alarm than that on its errors takes it back.
INSTEAD = {"AuthorizeFunction": "TokensAreRefused"}


def main(path):
    template = json.loads(pathlib.Path(path).read_text())
    resources = template["Resources"]
    metrics = documented_metrics((ROOT / "docs/metrics.md").read_text())
    operations = sections((ROOT / "docs/operations.md").read_text())
    faults = [*faults_of_alarms(resources, metrics, operations), *faults_of_dashboards(resources, metrics), *unwatched(resources)]
    faults += [*unwatched_tables(resources), *unchecked(resources, checked()), *unguarded(resources)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)
    alarms = len(of_type(resources, "AWS::CloudWatch::Alarm"))
    print(f"{alarms} alarms name metrics that exist and sections that say what to do")


def documented_metrics(text):
    """Dimensions by name of metric, from the table."""
    rows = re.findall(r"^\| `(\w+)` \| (?:Count|Milliseconds|Seconds|None) \| ([^|]*) \|", text, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", dimensions)) for name, dimensions in rows}


def sections(text):
    """The text of each section by the anchor that GitHub gives it."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return {anchor(heading): body for heading, body in zip(parts[::2], parts[1::2])}


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def of_type(resources, kind):
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def faults_of_alarms(resources, metrics, operations):
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        dimensions = {dimension["Name"] for dimension in alarm.get("Dimensions", [])}
        is_own = alarm["Namespace"] == {"Ref": "AWS::StackName"}
        yield from (f"{name}: {fault}" for fault in faults_of_metric(is_own, alarm["Namespace"], alarm["MetricName"], dimensions, metrics))
        named = re.search(r"docs/operations\.md#([\w-]+)", alarm.get("AlarmDescription", ""))
        if not named or named[1] not in operations:
            yield f"{name}: its description names no section of docs/operations.md"
        elif missing := [part for part in ("Symptom", "Check", "Do") if f"**{part}.**" not in operations[named[1]]]:
            yield f"docs/operations.md#{named[1]} lacks {missing}"


def faults_of_metric(is_own, namespace, metric, dimensions, metrics):
    if not is_own:
        if not str(namespace).startswith("AWS/"):
            yield f"{namespace} is neither the stack's name nor a namespace of AWS"
        return
    family = next((known for known in metrics if metric == known or re.fullmatch(f"{known}[A-Z]{{3}}", metric)), None)
    if family is None:
        yield f"no code emits {metric}"
    elif metrics[family] != dimensions:
        yield f"{metric} has the dimensions {sorted(metrics[family])}, not {sorted(dimensions)}"


def faults_of_dashboards(resources, metrics):
    for name, dashboard in of_type(resources, "AWS::CloudWatch::Dashboard").items():
        references = set(re.findall(r"\$\{(\w+)[\w.]*\}", dashboard["DashboardBody"]["Fn::Sub"]))
        for missing in references - resources.keys() - {"AWS"}:
            yield f"{name}: there is no {missing}"
        body = dashboard["DashboardBody"]["Fn::Sub"].replace("${AWS::StackName}", STACK)
        for widget in json.loads(re.sub(r"\$\{[^}]+\}", ELSEWHERE, body))["widgets"]:
            for row in widget["properties"]["metrics"]:
                title = widget["properties"]["title"]
                yield from (f"{name}, {title}: {fault}" for fault in faults_of_row(row, metrics))


def faults_of_row(row, metrics):
    if isinstance(row[0], str):
        namespace, metric, *rest = [part for part in row if isinstance(part, str)]
        yield from faults_of_metric(namespace == STACK, namespace, metric, set(rest[::2]), metrics)
        return
    searched = re.fullmatch(r"SEARCH\('\{\"the-stack\"((?:,\w+)*)\} MetricName=\"?(\w+)\"?', .*\)", row[0]["expression"])
    if not searched:
        yield f"{row[0]['expression']} is no search that this check can read"
        return
    dimensions = set(filter(None, searched[1].split(",")))
    yield from faults_of_metric(True, STACK, searched[2], dimensions, metrics)


def unwatched(resources):
    """Functions, and queues that something is set aside in, without an alarm. One on a new version is for its deployment alone."""
    dimensions = [alarm.get("Dimensions", []) for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()]
    watched = {
        (dimension["Name"], json.dumps(dimension["Value"], sort_keys=True))
        for group in dimensions
        if "ExecutedVersion" not in {dimension["Name"] for dimension in group}
        for dimension in group
    }
    for function in of_type(resources, "AWS::Lambda::Function"):
        if ("FunctionName", json.dumps({"Ref": function})) not in watched:
            yield f"{function} has no alarm"
    for queue in sorted(dead_letter_queues(resources)):
        if ("QueueName", json.dumps({"Fn::GetAtt": [queue, "QueueName"]})) not in watched:
            yield f"{queue} has no alarm"


def unwatched_tables(resources):
    """Tables and indexes whose throttles raise no alarm."""
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    watched = [(alarm["MetricName"], {part["Name"]: part["Value"] for part in alarm.get("Dimensions", [])}) for alarm in alarms]
    for name, table in of_type(resources, "AWS::DynamoDB::Table").items():
        of_table = {"TableName": {"Ref": name}}
        indexes = [{"GlobalSecondaryIndexName": index["IndexName"]} for index in table.get("GlobalSecondaryIndexes", [])]
        for part in [{}, *indexes]:
            for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
                if (metric, of_table | part) not in watched:
                    yield " ".join([f"{metric} of {name}", *part.values(), "raise no alarm"])


def checked():
    """The variables of the hook by which it names what it calls."""
    path = ROOT / "hooks/check-release/check_release.py"
    specification = importlib.util.spec_from_file_location("check_release", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.CHECKED


def unchecked(resources, called):
    """Functions whose new version would get requests without having been called before."""
    hook, role = resources[HOOK]["Properties"], json.dumps(resources[f"{HOOK}Role"])
    for function in of_type(resources, "AWS::Lambda::Function").keys() - {HOOK}:
        variable = re.sub(r"(?<!^)(?=[A-Z])", "_", function.removesuffix("Function")).upper()
        version = json.dumps({"Ref": version_of(function, resources)})
        if variable not in called:
            yield f"{function} is not checked before it is deployed: add {variable} to STORY or EVENTS in hooks/check-release/check_release.py"
        if json.dumps(hook["Environment"]["Variables"].get(variable)) != version:
            yield f"{function} is not checked before it is deployed: give {HOOK} the variable {variable}: !Ref {function}.Version"
        if version not in role:
            yield f"{function} is not checked before it is deployed: let {HOOK}Role invoke !Ref {function}.Version"


def version_of(function, resources):
    return next(name for name, it in of_type(resources, "AWS::Lambda::Version").items() if it["FunctionName"] == {"Ref": function})


def unguarded(resources):
    """Deployments that go on while the new version fails, and those with more alarms than CodeDeploy takes."""
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    for group, properties in of_type(resources, "AWS::CodeDeploy::DeploymentGroup").items():
        function = group.removesuffix("DeploymentGroup")
        named = [alarm["Name"]["Ref"] for alarm in properties["AlarmConfiguration"]["Alarms"]]
        version = {"Name": "ExecutedVersion", "Value": {"Fn::GetAtt": [version_of(function, resources), "Version"]}}
        if INSTEAD.get(function) not in named and not any(version in alarms[name].get("Dimensions", []) for name in named):
            yield f"{function}: no alarm on the errors of its new version is among the Alarms of its DeploymentPreference"
        if len(named) > MOST_ALARMS:
            yield f"{function}: {len(named)} alarms would take its deployment back, and CodeDeploy takes {MOST_ALARMS}"


def dead_letter_queues(resources):
    queues = of_type(resources, "AWS::SQS::Queue").keys()
    text = json.dumps({name: resource for name, resource in resources.items() if resource["Type"] != "AWS::SQS::QueuePolicy"})
    places = r'"(?:DeadLetterConfig": \{"Arn|deadLetterTargetArn|Destination|DEAD_LETTERS_URL)": ([^]}]*)'
    return {queue for place in re.findall(places, text) for queue in queues if f'"{queue}"' in place}


if __name__ == "__main__":
    main(*sys.argv[1:])
