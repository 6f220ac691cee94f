"""What another program does with the store: `python store.py <endpoint> <certificate> <id> <secret> <command> …`.

Prints one line of JSON.
"""

import hashlib
import json
import sys
from io import BytesIO

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

BUCKET = "box"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def content(size):
    return bytes(((at * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF) >> 56 for at in range(size))


def main():
    endpoint, certificate, key_id, secret, command, *rest = sys.argv[1:]

    def client(name):
        return boto3.client(
            name,
            endpoint_url=endpoint,
            verify=certificate,
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    s3 = client("s3")
    answer = {}
    if command == "prepare":  # four actions, which the store lets through without asking who is there
        iam = client("iam")
        s3.create_bucket(Bucket=BUCKET)
        iam.create_user(UserName="bailee")
        iam.put_user_policy(UserName="bailee", PolicyName="all", PolicyDocument=json.dumps(POLICY))
        made = iam.create_access_key(UserName="bailee")["AccessKey"]
        answer = {"id": made["AccessKeyId"], "secret": made["SecretAccessKey"]}
    elif command == "put":
        key, size = rest
        extra = {"Metadata": {"origin": "Rhein Main"}, "ContentType": "text/csv"}
        parts = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, use_threads=False)
        s3.upload_fileobj(BytesIO(content(int(size))), BUCKET, key, ExtraArgs=extra, Config=parts)
    elif command == "mark":
        s3.put_object(Bucket=BUCKET, Key=rest[0], Body=b"")
    elif command == "see":
        (key,) = rest
        got = s3.get_object(Bucket=BUCKET, Key=key)
        body = got["Body"].read()
        answer = {
            "size": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "type": got["ContentType"],
            "metadata": got["Metadata"],
            "encryption": got.get("ServerSideEncryption"),
            "class": got.get("StorageClass"),
        }
    elif command == "count":
        uploads = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        objects = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        answer = {"uploads": len(uploads), "objects": [found["Key"] for found in objects]}
    else:
        sys.exit(f"no command {command}")
    print(json.dumps(answer))


main()
