# LocalStack runs this in its container when it is ready: the bucket of the lake and of the models, in its own S3.
import os

import boto3

listen = os.environ.get("GATEWAY_LISTEN", "0.0.0.0:4566").split(",")[0]
s3 = boto3.client(
    "s3",
    endpoint_url="http://127.0.0.1:" + listen.rsplit(":", 1)[1],
    region_name="us-east-1",
    aws_access_key_id="lakelet",
    aws_secret_access_key="lakelet-secret",
)
# In this region, making one's own bucket again changes nothing.
s3.create_bucket(Bucket="lakelet")
