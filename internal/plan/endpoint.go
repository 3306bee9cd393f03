package plan

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"aws-switch-role/internal/awsconfig"
)

// partitions are AWS's partitions by the prefix of their regions' names, with
// the region whose STS is used when none is named (the SDKs' partitions.json).
var partitions = []struct{ prefix, name, region string }{
	{"cn-", "aws-cn", "cn-north-1"},
	{"us-gov-", "aws-us-gov", "us-gov-west-1"},
	{"us-iso-", "aws-iso", "us-iso-east-1"},
	{"us-isob-", "aws-iso-b", "us-isob-east-1"},
	{"eu-isoe-", "aws-iso-e", "eu-isoe-west-1"},
	{"us-isof-", "aws-iso-f", "us-isof-south-1"},
	{"eusc-", "aws-eusc", "eusc-de-east-1"},
	{"", "aws", "us-east-1"},
}

// partitionOf returns the partition of a region; that of "" is aws.
func partitionOf(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p.name
		}
	}
	return "aws"
}

// stsRegion returns the region whose STS serves a role of partition: region
// when it belongs there, else the partition's default. Regional endpoints are
// used throughout: a token of the global one is refused in opt-in regions.
func stsRegion(region, partition string) string {
	if region != "" && partitionOf(region) == partition {
		return region
	}
	for _, p := range partitions {
		if p.name == partition {
			return p.region
		}
	}
	return "us-east-1"
}

// region finds the child's region: the flag's, else that of the profile or of
// the nearest source that names one, else the environment's.
func (b *builder) region(profiles []link) (string, Fact, error) {
	v := awsconfig.Value{Text: b.o.Region, Origin: awsconfig.Origin{File: "--region"}}
	owner := ""
	for _, l := range profiles {
		if v.Text != "" {
			break
		}
		if r, ok := l.get("region"); ok {
			v, owner = r, l.Name
		}
	}
	if env := b.o.Environment; v.Text == "" && env.Region != "" {
		v = awsconfig.Value{Text: env.Region, Origin: awsconfig.Origin{File: env.RegionFrom}}
	}
	if v.Text == "" {
		return "", Fact{}, nil
	}
	if !validRegion(v.Text) {
		return "", Fact{}, &Error{Kind: BadValue, Profile: owner, Origin: v.Origin, From: fromFlag(v), Name: "region", Msg: shown(v.Text) + " is not the name of a region, such as eu-west-1"}
	}
	return v.Text, Fact{"region", v.Text, v.Origin.String()}, nil
}

// endpoint finds where STS is to be reached, in the order of the AWS SDKs and
// Tools Reference Guide ("Service-specific endpoints"): the service's own
// variable, the general variable, the profile's services section, the
// profile's endpoint_url.
func (b *builder) endpoint(l link) (Endpoint, Fact, error) {
	env := b.o.Environment
	e, err := b.variants(l)
	if err != nil {
		return e, Fact{}, err
	}
	v, err := b.configuredURL(l, "sts", env.EndpointURLSTS, "AWS_ENDPOINT_URL_STS")
	if err != nil || v.Text == "" {
		return e, Fact{}, err
	}
	e.URL = strings.TrimSuffix(v.Text, "/")
	return e, Fact{"endpoint_url", v.Text, v.Origin.String()}, nil
}

// serviceURL is the configured URL of another service, "" for AWS's own.
func (b *builder) serviceURL(l link, service, text, variable string) (string, error) {
	v, err := b.configuredURL(l, service, text, variable)
	return strings.TrimSuffix(v.Text, "/"), err
}

// configuredURL finds the URL that the user configured for a service, in the
// order of [builder.endpoint]; text is the service's own variable.
func (b *builder) configuredURL(l link, service, text, variable string) (awsconfig.Value, error) {
	none := awsconfig.Value{}
	env := b.o.Environment
	ignore, err := l.toggle("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", env.IgnoreEndpoints, "ignore_configured_endpoint_urls")
	if err != nil || ignore {
		return none, err
	}
	var v awsconfig.Value
	switch {
	case text != "":
		v = awsconfig.Value{Text: text, Origin: awsconfig.Origin{File: variable}}
	case env.EndpointURL != "":
		v = awsconfig.Value{Text: env.EndpointURL, Origin: awsconfig.Origin{File: "AWS_ENDPOINT_URL"}}
	default:
		if name, ok := l.get("services"); ok {
			section, ok, err := b.config.Section("services", name.Text)
			if err != nil {
				return none, err
			}
			if !ok {
				return none, &Error{Kind: BadValue, Profile: l.Name, Origin: name.Origin, Name: "services", Msg: fmt.Sprintf("there is no section [services %s]", shown(name.Text))}
			}
			v = section.Keys[service+".endpoint_url"]
		}
		if v.Text == "" {
			v, _ = l.get("endpoint_url")
		}
	}
	if v.Text == "" {
		return none, nil
	}
	if err := checkURL(v.Text); err != nil {
		return none, &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, From: fromFlag(v), Name: "endpoint_url", Msg: err.Error()}
	}
	return v, nil
}

// at is the endpoint e for requests about a role or key of partition.
//
// sts_regional_endpoints = legacy still means the global endpoint for the
// regions that existed before regional ones did, as it does for botocore.
func (b *builder) at(e Endpoint, region, partition string, l link) Endpoint {
	e.Region = stsRegion(region, partition)
	mode := b.o.Environment.STSRegional
	if v, ok := l.get("sts_regional_endpoints"); ok && mode == "" {
		mode = v.Text
	}
	if strings.EqualFold(mode, "legacy") && e.URL == "" && !e.FIPS && !e.DualStack && slices.Contains(legacyRegions, e.Region) {
		e.URL, e.Region = "https://sts.amazonaws.com", "us-east-1"
	}
	return e
}

// legacyRegions are those whose STS was the global one (AWS SDKs and Tools
// Reference Guide, "AWS STS Regional endpoints").
var legacyRegions = []string{
	"ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "aws-global", "ca-central-1", "eu-central-1", "eu-north-1",
	"eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

// variants reads the switches for FIPS and dual-stack endpoints.
func (b *builder) variants(l link) (e Endpoint, err error) {
	if e.FIPS, err = l.toggle("AWS_USE_FIPS_ENDPOINT", b.o.Environment.FIPS, "use_fips_endpoint"); err != nil {
		return e, err
	}
	e.DualStack, err = l.toggle("AWS_USE_DUALSTACK_ENDPOINT", b.o.Environment.DualStack, "use_dualstack_endpoint")
	return e, err
}

// toggle reads what is true or false, for which the SDKs let a variable, whose
// text is given, go before the profile's key.
func (l link) toggle(variable, text, key string) (bool, error) {
	v := awsconfig.Value{Text: text, Origin: awsconfig.Origin{File: variable}}
	if text == "" {
		v, _ = l.get(key)
	}
	if v.Text == "" {
		return false, nil
	}
	on, err := parseBool(v.Text)
	if err != nil {
		return false, &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, From: fromFlag(v), Name: key, Msg: key + " must be true or false"}
	}
	return on, nil
}

// checkURL accepts https anywhere and plain http on this machine alone: a
// code or a session sent in the clear is anybody's.
func checkURL(s string) error {
	if strings.Contains(s, "@") {
		return errors.New("the URL of an endpoint holds no user and no password") // and a message none
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%s is not the URL of an endpoint, such as https://sts.example.com", shown(s))
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return fmt.Errorf("%s is plain http to another machine: use https", shown(s))
	}
	return nil
}

func loopback(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// EndpointFor returns the STS endpoint for requests that belong to no
// profile.
func EndpointFor(region string, env Environment) (Endpoint, error) {
	b := builder{o: Options{Environment: env}}
	e, _, err := b.endpoint(link{})
	if region == "" {
		region = env.Region
	}
	e.Region = stsRegion(region, partitionOf(region))
	return e, err
}

// PortalURL is where the role's credentials are asked for: the configured URL,
// else AWS's own (endpoint rules of the SDKs' service sso).
func (h SSO) PortalURL() string {
	return cmp.Or(h.Endpoint, "https://portal.sso."+h.Region+domain(partitionOf(h.Region)))
}

// OIDCURL is where the sign-in is renewed: the configured URL, else AWS's own
// (endpoint rules of the SDKs' service sso-oidc).
func (h SSO) OIDCURL() string {
	return cmp.Or(h.OIDCEndpoint, "https://oidc."+h.Region+domain(partitionOf(h.Region)))
}

// SigninURL is where the sign-in is renewed: the configured URL, else AWS's own
// (endpoint rules of the SDKs' service signin).
func (h Login) SigninURL() string {
	host := ""
	switch partition := partitionOf(h.Region); partition {
	case "aws":
		host = h.Region + ".signin.aws.amazon.com"
	case "aws-cn":
		host = h.Region + ".signin.amazonaws.cn"
	case "aws-us-gov":
		host = h.Region + ".signin.amazonaws-us-gov.com"
	default:
		host = "signin." + h.Region + domain(partition)
	}
	return cmp.Or(h.Endpoint, "https://"+host)
}
