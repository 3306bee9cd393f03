# As the AWS CLI keeps a session.
mkdir -p ~/.aws/cli/cache
echo '{"Credentials": {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "x", "SessionToken": "x", "Expiration": "2026-01-02T15:04:05Z"}}' >~/.aws/cli/cache/0123.json
