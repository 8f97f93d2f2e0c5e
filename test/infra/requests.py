"""Holds requests against the services' models as botocore has them: `requests.py FILE`, a JSON list of [service, operation, parameters].

Prints a JSON list of what does not fit, in words. botocore's own check sees names and types; what it leaves to the service (enums,
patterns, lengths, ranges) is looked at here. Patterns are Java's, with classes such as `\\p{L}`, which the standard `re` does not know.
"""

import json
import sys

import botocore.session
import regex
from botocore.validate import ParamValidator

SESSION = botocore.session.get_session()


def misfits(shape, value, path):
    rules = shape.metadata
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from misfits(shape.members[name], inner, f"{path}.{name}")
            else:
                yield f"{path}.{name} is not known"
    elif shape.type_name == "list":
        for i, inner in enumerate(value):
            yield from misfits(shape.member, inner, f"{path}[{i}]")
    elif shape.type_name == "map":
        for name, inner in value.items():
            yield from misfits(shape.key, name, f"{path} key")
            yield from misfits(shape.value, inner, f"{path}.{name}")
    elif shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value} is none of its values"
        if "pattern" in rules and not regex.fullmatch(rules["pattern"], value):
            yield f"{path}: {value} does not match {rules['pattern']}"
    if "min" in rules or "max" in rules:
        size = value if isinstance(value, (int, float)) else len(value)
        if not rules.get("min", size) <= size <= rules.get("max", size):
            yield f"{path}: {size} is not within {rules.get('min')} to {rules.get('max')}"


def check(service, operation, parameters):
    shape = SESSION.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        return [f"{service} {operation}: {line}" for line in report.generate_report().splitlines()]
    return [f"{service} {operation}: {words}" for words in misfits(shape, parameters, "")]


with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps([words for request in json.load(file) for words in check(*request)]))
