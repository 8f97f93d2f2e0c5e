"""Runs deployed jobs in one Flink, so that its start is paid for once. A request a line on stdin, a reply a line on stdout.

{"do": "start", "job": id, "folder": path}   runs the folder's main.py as the service does
{"do": "check", "job": id}                   whether it has failed
{"do": "wait", "job": id}                    until the job has ended with its input
{"do": "stop", "job": id, "to": folder}      with a savepoint; replies with where it lies
{"do": "cancel", "job": id}
{"do": "set", "property": name, "value": text}   a system property of the JVM, for jobs that start from now on
"""

import importlib.util
import json
import os
import sys
import traceback

from pyflink.java_gateway import get_gateway

REPLY = "reply "
jobs = {}


def start(folder):
    os.environ["FOREWATCH_PROPERTIES"] = os.path.join(folder, "properties.json")
    spec = importlib.util.spec_from_file_location("deployed_main", os.path.join(folder, "main.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main()


def carry_out(request):
    what = request["do"]
    if what == "set":
        get_gateway().jvm.System.setProperty(request["property"], request["value"])
    elif what == "start":
        jobs[request["job"]] = start(request["folder"])
    elif what == "check":
        client = jobs[request["job"]].get_job_client()
        if client.get_job_status().result().name == "FAILED":
            client.get_job_execution_result().result()
    elif what == "wait":
        jobs.pop(request["job"]).wait()
    elif what == "stop":
        # PyFlink 2.2's own stop_with_savepoint calls a method that JobClient no longer has.
        client = jobs.pop(request["job"]).get_job_client()._j_job_client
        canonical = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.CANONICAL
        return client.stopWithSavepoint(False, request["to"], canonical).get()
    elif what == "cancel":
        jobs.pop(request["job"]).get_job_client().cancel().result()
    else:
        raise ValueError(what)
    return None


for line in sys.stdin:
    try:
        reply = {"result": carry_out(json.loads(line))}
    except Exception:
        reply = {"error": traceback.format_exc()}
    print(REPLY + json.dumps(reply), flush=True)
