# As awsume leaves it.
mkdir -p ~/.awsume/cache
echo '{"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "x", "SessionToken": "x", "Expiration": "2026-01-02 15:04:05"}' >~/.awsume/cache/aws-ops-x
cat >>~/.aws/config <<'END'
[profile ops]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
region = eu-west-1
END
