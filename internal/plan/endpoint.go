package plan

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// partition is one of AWS's partitions: the prefix of its regions' names, the
// region whose STS is used when none is named, and the domains of its hosts
// (the SDKs' partitions.json).
type partition struct{ prefix, name, region, domain, dualStack string }

// partitions are all of them; the last takes the regions of no other prefix.
var partitions = [...]partition{
	{"cn-", "aws-cn", "cn-north-1", ".amazonaws.com.cn", ".api.amazonwebservices.com.cn"},
	{"us-gov-", "aws-us-gov", "us-gov-west-1", ".amazonaws.com", ".api.aws"},
	{"us-iso-", "aws-iso", "us-iso-east-1", ".c2s.ic.gov", ".api.aws.ic.gov"},
	{"us-isob-", "aws-iso-b", "us-isob-east-1", ".sc2s.sgov.gov", ".api.aws.scloud"},
	{"eu-isoe-", "aws-iso-e", "eu-isoe-west-1", ".cloud.adc-e.uk", ".api.cloud-aws.adc-e.uk"},
	{"us-isof-", "aws-iso-f", "us-isof-south-1", ".csp.hci.ic.gov", ".api.aws.hci.ic.gov"},
	{"eusc-", "aws-eusc", "eusc-de-east-1", ".amazonaws.eu", ".api.amazonwebservices.eu"},
	{"", "aws", "us-east-1", ".amazonaws.com", ".api.aws"},
}

// partitionAround returns the partition that a region belongs to.
func partitionAround(region string) partition {
	i := slices.IndexFunc(partitions[:], func(p partition) bool { return strings.HasPrefix(region, p.prefix) })
	return partitions[i]
}

// partitionOf returns the name of a region's partition; that of "" is aws.
func partitionOf(region string) string { return partitionAround(region).name }

// hostOf is AWS's own host of a service in a region, by the endpoint rules that
// the SDKs have for sts, sso and sso-oidc alike. GovCloud's hosts are FIPS
// endpoints as they are.
func hostOf(service, region string, fips, dualStack bool) string {
	p := partitionAround(region)
	domain := p.domain
	if dualStack {
		domain = p.dualStack
	}
	if fips && (dualStack || p.name != "aws-us-gov") {
		service += "-fips"
	}
	return service + "." + region + domain
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
		return "", Fact{}, &Error{Kind: BadValue, Profile: owner, Origin: v.Origin, From: fromFlag(v), Name: "region", Msg: message.New("region-name", "%s is not the name of a region, such as eu-west-1", shown(v.Text))}
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
				return none, &Error{Kind: BadValue, Profile: l.Name, Origin: name.Origin, Name: "services", Msg: message.New("no-services-section", "there is no section [services %s]", shown(name.Text))}
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
		return none, &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, From: fromFlag(v), Name: "endpoint_url", Msg: message.Of(err)}
	}
	return v, nil
}

// at is the endpoint e for requests about a role or key of partition.
//
// sts_regional_endpoints = legacy still means the global endpoint for the
// regions that existed before regional ones did, as it does for botocore.
func (b *builder) at(e Endpoint, region, partition string, l link) (Endpoint, error) {
	e.Region = stsRegion(region, partition)
	if e.URL != "" || e.FIPS || e.DualStack {
		return e, nil
	}
	legacy, err := b.legacySTS(l)
	if legacy && slices.Contains(legacyRegions, e.Region) {
		e.URL, e.Region = "https://sts.amazonaws.com", "us-east-1"
	}
	return e, err
}

// legacySTS reads sts_regional_endpoints.
func (b *builder) legacySTS(l link) (bool, error) {
	const key = "sts_regional_endpoints"
	v := awsconfig.Value{Text: b.o.Environment.STSRegional, Origin: awsconfig.Origin{File: "AWS_STS_REGIONAL_ENDPOINTS"}}
	if v.Text == "" {
		v, _ = l.get(key)
	}
	switch strings.ToLower(v.Text) {
	case "legacy":
		return true, nil
	case "", "regional":
		return false, nil
	}
	return false, &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, From: fromFlag(v), Name: key,
		Msg: message.New("sts-regional", "%s is %s; it may be regional or legacy", key, shown(v.Text))}
}

// legacyRegions are those whose STS was the global one (AWS SDKs and Tools
// Reference Guide, "AWS STS Regional endpoints").
var legacyRegions = []string{
	"ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "aws-global", "ca-central-1", "eu-central-1", "eu-north-1",
	"eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

// OptIn reports whether an account must enable a region before any of its keys
// are known there (AWS Account Management, "AWS Regions"): all but those that
// AWS opened before March 2019.
func OptIn(region string) bool {
	return partitionOf(region) == "aws" && region != "" && !slices.Contains(legacyRegions, region) && region != "ap-northeast-2" && region != "ap-northeast-3"
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
		return false, &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, From: fromFlag(v), Name: key, Msg: message.New("not-a-bool", "%s must be true or false", key)}
	}
	return on, nil
}

// checkURL accepts https anywhere and plain http on this machine alone: a
// code or a session sent in the clear is anybody's.
func checkURL(s string) error {
	if strings.Contains(s, "@") {
		return message.New("url-with-password", "the URL of an endpoint holds no user and no password") // and a message none
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return message.New("endpoint-form", "%s is not the URL of an endpoint, such as https://sts.example.com", shown(s))
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return message.New("endpoint-plain-http", "%s is plain http to another machine: use https", shown(s))
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
// else AWS's own.
func (h SSO) PortalURL() string {
	return cmp.Or(h.Endpoint, "https://"+hostOf("portal.sso", h.Region, h.FIPS, h.DualStack))
}

// OIDCURL is where the sign-in is renewed: the configured URL, else AWS's own.
func (h SSO) OIDCURL() string {
	return cmp.Or(h.OIDCEndpoint, "https://"+hostOf("oidc", h.Region, h.FIPS, h.DualStack))
}

// SigninURL is where the sign-in is renewed: the configured URL, else AWS's own
// (endpoint rules of the SDKs' service signin, which has names of its own in
// the three oldest partitions, but for FIPS and dual-stack endpoints).
func (h Login) SigninURL() string {
	host := hostOf("signin", h.Region, h.FIPS, h.DualStack)
	switch partition := partitionOf(h.Region); {
	case h.FIPS && !h.DualStack:
		host = "signin-fips." + h.Region + partitionAround(h.Region).domain // in GovCloud, too
	case h.DualStack:
	case partition == "aws":
		host = h.Region + ".signin.aws.amazon.com"
	case partition == "aws-cn":
		host = h.Region + ".signin.amazonaws.cn"
	case partition == "aws-us-gov":
		host = h.Region + ".signin.amazonaws-us-gov.com"
	}
	return cmp.Or(h.Endpoint, "https://"+host)
}
