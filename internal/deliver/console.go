package deliver

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"aws-switch-role/internal/cred"
)

// issuer is told to the console, which shows it where a session has ended.
const issuer = "aws-switch-role"

// LoginURL is the address that signs whoever opens it in to the console, once:
// a secret ("Enable custom identity broker access to the AWS console" of the
// IAM User Guide). signin is where AWS Sign-In is reached.
func LoginURL(signin string, token cred.Secret, destination string) cred.Secret {
	query := url.Values{"Action": {"login"}, "Issuer": {issuer}, "Destination": {destination}, "SigninToken": {token.Reveal()}}
	return cred.NewSecret(signin + "/federation?" + query.Encode())
}

// PrintURL writes a secret address on a line of its own.
func PrintURL(w io.Writer, u cred.Secret) error {
	_, err := fmt.Fprintln(w, u.Reveal())
	return err
}

// Destination is a page of the console, whose own address is console. A path
// may have a query and a fragment; the region is added where it names none.
// Without a path it is the console's home.
func Destination(console, region, path string) (string, error) {
	if path == "" {
		path = "/console/home"
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", errors.New("a path of the console has no blanks and no control characters")
	}
	if strings.Contains(path, "://") || strings.HasPrefix(path, "//") {
		return "", fmt.Errorf("a path of the console is what follows its host, such as /s3/home, not %s", path)
	}
	page, fragment, fragmented := strings.Cut(strings.TrimPrefix(path, "/"), "#")
	name, query, _ := strings.Cut(page, "?")
	if region != "" && !slices.ContainsFunc(strings.Split(query, "&"), func(s string) bool { return strings.HasPrefix(s, "region=") }) {
		query = strings.TrimPrefix(query+"&region="+region, "&")
	}
	page = console + "/" + name
	if query != "" {
		page += "?" + query
	}
	if fragmented {
		page += "#" + fragment
	}
	return page, nil
}

// services are the paths of the console's services by the names that the AWS
// CLI and people have for them.
var services = map[string]string{
	"acm":            "acm/home",
	"apigateway":     "apigateway/home",
	"athena":         "athena/home",
	"backup":         "backup/home",
	"batch":          "batch/home",
	"billing":        "costmanagement/home",
	"ce":             "costmanagement/home#/cost-explorer",
	"cfn":            "cloudformation/home",
	"cloudformation": "cloudformation/home",
	"cloudfront":     "cloudfront/v4/home",
	"cloudtrail":     "cloudtrailv2/home",
	"cloudwatch":     "cloudwatch/home",
	"codebuild":      "codesuite/codebuild/projects",
	"codecommit":     "codesuite/codecommit/repositories",
	"codedeploy":     "codesuite/codedeploy/applications",
	"codepipeline":   "codesuite/codepipeline/pipelines",
	"cognito":        "cognito/v2/home",
	"config":         "config/home",
	"dynamodb":       "dynamodbv2/home",
	"ec2":            "ec2/home",
	"ecr":            "ecr/home",
	"ecs":            "ecs/v2/home",
	"efs":            "efs/home",
	"eks":            "eks/home",
	"elasticache":    "elasticache/home",
	"elb":            "ec2/home#LoadBalancers:",
	"emr":            "emr/home",
	"eventbridge":    "events/home",
	"events":         "events/home",
	"glue":           "glue/home",
	"guardduty":      "guardduty/home",
	"health":         "health/home",
	"iam":            "iam/home",
	"kinesis":        "kinesis/home",
	"kms":            "kms/home",
	"lambda":         "lambda/home",
	"logs":           "cloudwatch/home#logsV2:log-groups",
	"opensearch":     "aos/home",
	"organizations":  "organizations/v2/home",
	"rds":            "rds/home",
	"redshift":       "redshiftv2/home",
	"route53":        "route53/v2/home",
	"s3":             "s3/home",
	"sagemaker":      "sagemaker/home",
	"secretsmanager": "secretsmanager/home",
	"securityhub":    "securityhub/home",
	"servicequotas":  "servicequotas/home",
	"ses":            "ses/home",
	"sns":            "sns/v3/home",
	"sqs":            "sqs/v3/home",
	"ssm":            "systems-manager/home",
	"sso":            "singlesignon/home",
	"states":         "states/home",
	"stepfunctions":  "states/home",
	"sts":            "iam/home",
	"trustedadvisor": "trustedadvisor/home",
	"vpc":            "vpcconsole/home",
	"waf":            "wafv2/homev2",
}

// ServicePath returns the path of a service of the console. A name that is not
// known is a path itself: the console leads on from most services' names.
func ServicePath(service string) string {
	if path, ok := services[strings.ToLower(service)]; ok {
		return path
	}
	return service
}

// Services lists the names that [ServicePath] knows, sorted.
func Services() []string { return slices.Sorted(maps.Keys(services)) }

// SwitchURL is the console's own Switch Role page for a role, filled in; there
// is no secret in it ("Switch to an IAM role (console)" of the IAM User Guide).
// role has its path before it; an empty color is the console's choice.
func SwitchURL(signin, account, role, name, color string) string {
	// In the order in which the IAM console writes it, for people who look.
	link := signin + "/switchrole?account=" + url.QueryEscape(account) + "&roleName=" + url.QueryEscape(role) + "&displayName=" + url.QueryEscape(name)
	if color != "" {
		link += "&color=" + url.QueryEscape(color)
	}
	return link
}
