"""Runs the SQL of job.json on Managed Service for Apache Flink (runtime 2.2). All that depends on the pipeline is in there."""

import json
import os
from string import Template

from pyflink.table import EnvironmentSettings, TableEnvironment, TableResult

PROPERTIES = os.environ.get("FOREWATCH_PROPERTIES", "/etc/flink/application_properties.json")


def main() -> TableResult:
    with open(PROPERTIES, encoding="utf-8") as file:
        groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "job.json"), encoding="utf-8") as file:
        job = json.load(file)

    tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, value in job["settings"].items():
        tables.get_config().set(name, value)
    for statement in job["tables"]:
        tables.execute_sql(Property(statement).substitute(groups["Pipeline"]))
    # The service keeps the job from here on; who runs this elsewhere has it in the result.
    return tables.execute_sql(job["insert"])


class Property(Template):
    """`${events.stream.arn}`: application properties have dots in their names."""

    braceidpattern = r"[a-z][a-z.]*"


if __name__ == "__main__":
    main()
