"""What delta-rs needs to reach S3: the AWS SDK's settings of the environment, by delta-rs's names."""

import os

OPTIONS = {
    "aws_endpoint": os.environ["AWS_ENDPOINT_URL_S3"],
    "aws_region": os.environ["AWS_REGION"],
    "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
    "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
    "aws_allow_http": "true",
    "aws_virtual_hosted_style_request": "false",
    "conditional_put": "etag",
}
