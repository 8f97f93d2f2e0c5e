"""Creates a stack in moto and tells what moto really made of it, as JSON. Arguments: endpoint, template file, artifacts bucket."""

import json
import sys

import boto3

endpoint, template, bucket = sys.argv[1:4]


def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


s3 = client("s3")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
with open(template, encoding="utf-8") as file:
    parsed = json.load(file)
# Two things that CloudFormation takes and moto 5.2 stumbles over: a key's tags, and a dashboard that names alarms, which it skips.
del parsed["Resources"]["DataKey"]["Properties"]["Tags"]
del parsed["Resources"]["Dashboard"], parsed["Outputs"]["DashboardName"]
body = json.dumps(parsed)
for resource in parsed["Resources"].values():
    if resource["Type"] == "AWS::Lambda::Function":
        s3.put_object(Bucket=bucket, Key=resource["Properties"]["Code"]["S3Key"], Body=b"PK\x05\x06" + b"\0" * 18)
cloudformation = client("cloudformation")
cloudformation.create_stack(StackName="fw-flights", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
stack = cloudformation.describe_stacks(StackName="fw-flights")["Stacks"][0]
kinesis = client("kinesis")
functions = client("lambda").list_functions()["Functions"]
print(
    json.dumps(
        {
            "status": stack["StackStatus"],
            "outputs": {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
            "streams": {
                name: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["OpenShardCount"]
                for name in kinesis.list_streams()["StreamNames"]
            },
            "functions": {f["FunctionName"]: [f["Runtime"], f["Architectures"], f["Environment"]["Variables"]] for f in functions},
            "mappings": len(client("lambda").list_event_source_mappings()["EventSourceMappings"]),
            "roles": len(client("iam").list_roles()["Roles"]),
            "queues": len(client("sqs").list_queues().get("QueueUrls", [])),
            "machines": [m["name"] for m in client("stepfunctions").list_state_machines()["stateMachines"]],
        }
    )
)
