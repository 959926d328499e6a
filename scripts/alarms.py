"""The alarms of template.yaml, evaluated on what was observed."""

import re
from dataclasses import dataclass

from deployment import template

# A minute of an alarm is a second of the local stack, so ages count sixtyfold.
AGES = {"IteratorAge", "BusLag", "FeedLag", "OldestFollowUp"}
SCALE = 60


@dataclass(frozen=True)
class Ringing:
    """An alarm that has begun."""

    name: str
    section: str
    metric: str
    value: float
    threshold: float


def ringing(observed):
    """The alarms whose metric is beyond their threshold, of those whose metric can be observed."""
    resources = template()["Resources"]
    alarms = {name: it["Properties"] for name, it in resources.items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    found = []
    for name, alarm in alarms.items():
        values = observed.values(alarm["Namespace"], alarm["MetricName"], dimensions(alarm))
        if not values or not isinstance(alarm["Threshold"], (int, float)):
            continue
        value = statistic(alarm.get("Statistic", "Maximum"), values) * (SCALE if alarm["MetricName"] in AGES else 1)
        if value > alarm["Threshold"]:
            section = re.search(r"operations\.md#([\w-]+)", alarm["AlarmDescription"])[1]
            found.append(Ringing(name, section, alarm["MetricName"], value, alarm["Threshold"]))
    return found


def dimensions(alarm):
    """Values by name; a reference is the name of its resource."""
    return {dimension["Name"]: str(dimension["Value"]).partition(".")[0] for dimension in alarm.get("Dimensions", [])}


def statistic(name, values):
    match name:
        case "Sum":
            return sum(values)
        case "Average":
            return sum(values) / len(values)
        case _:
            return max(values)
