//go:build unix

package main

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// difference is a way in which this program does otherwise than the AWS CLI.
type difference struct {
	name string
	text string // for users, in Markdown: the first line is a heading
	// settle makes two behaviours that differ in this way alike, and reports
	// whether they did differ so.
	settle func(c trial, theirs, ours *behaviour) bool
}

// settle makes the behaviours alike as far as the list goes and returns the
// names of the differences.
func settle(c trial, theirs, ours *behaviour) []string {
	var names []string
	for _, d := range differences {
		if unlike(theirs, ours) != "" && d.settle(c, theirs, ours) {
			names = append(names, d.name)
		}
	}
	return names
}

// unique is what is never the same twice: the AWS CLI's session names.
var unique = regexp.MustCompile(`(botocore-session-)\d+`)

// differencesFile tells users of the differences.
const differencesFile = "doc/differences.md"

// TestDifferencesDoc holds the page for users to the list.
func TestDifferencesDoc(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Where aws-switch-role differs from the AWS CLI, and why

A profile that works with ` + "`aws --profile X`" + ` works with ` + "`aws-switch-role X`" + `, as the same role, asked of the same
STS in the same way. What follows are all the exceptions. A test runs both programs with the same files in front of the
same AWS and fails when they differ in any other way, or when one of these differences is gone.
`)
	for _, d := range differences {
		heading, text, _ := strings.Cut(d.text, "\n")
		b.WriteString("\n## " + heading + "\n\n" + text + "\n")
	}
	if *update {
		if err := os.WriteFile(differencesFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := gocmp.Diff(string(read(t, differencesFile)), b.String()); d != "" {
		t.Errorf("the page is not what the list says, and -update rewrites it (-page +list):\n%s", d)
	}
}

// The differences that change all that follows stand first.
var differences = []difference{
	{
		name: "file that botocore refuses",
		text: `One bad line does not spoil a whole file
The AWS CLI refuses every profile of a file that has a section or a key twice, a line without =, text before the first
section, a byte order mark, or a byte that is not UTF-8. Here, as in the AWS SDKs, sections and keys that come twice are
merged, the last one winning, and a line that nobody understands counts against the profile it stands in, and no other.`,
		settle: lenient(`^ConfigParseError: Unable to parse config file: `, anyTrial),
	}, {
		name: "blanks in a header",
		text: `Blanks inside the brackets of a section do not count
[ profile x ] is the profile x, as it is for the AWS SDKs. The AWS CLI does not find it.`,
		settle: lenient(`^The config profile \(x\) could not be found`, inFiles(`(?m)^\[ profile x \]`)),
	}, {
		name: "profile default",
		text: `[profile default] goes before [default]
When the config file has both, the one with the word profile counts, as it does for the AWS SDKs. For the AWS CLI it is
the one that comes later.`,
		settle: lenient(`no credentials found$`, inFiles(`(?m)^\[profile default\]$(?s:.*)^\[default\]$`)),
	}, {
		name: "comment behind a value",
		text: `A comment may stand behind a value
A # or ; after a blank begins a comment, as it does for the AWS SDKs. The AWS CLI takes it for a part of the value, which
AWS then refuses.`,
		settle: lenient(`[a-z0-9A-Z] [#;] |'roleSessionName' failed`, inFiles(`(?m)^\w+ = \S+ [#;] `)),
	}, {
		name: "empty value",
		text: `An empty value is none
A key with nothing behind the = counts as left out, as it does for the AWS SDKs. The AWS CLI sends the nothing for some
keys, and fails.`,
		settle: lenient(`^Parameter validation failed:\s+Invalid length for parameter \w+, value: 0|^The credential source "" |contains both source_profile and credential_source|^Invalid endpoint: https://sts\.\.`, inFiles(`(?m)^\w+ =$`)),
	}, {
		name: "sts_regional_endpoints",
		text: `sts_regional_endpoints = LEGACY is legacy
Capitals do not matter here. The AWS CLI refuses them.`,
		settle: lenient(`^STS regional endpoints option LEGACY is invalid`, inFiles(`(?m)^sts_regional_endpoints =`)),
	}, {
		name: "endpoint without a region",
		text: `An endpoint_url needs no region, and neither does a console sign-in
Requests are signed for the region us-east-1 when none is named, and a sign-in of aws login is renewed there. The AWS CLI
fails.`,
		settle: lenient(`^You must specify a region`, inFiles(`(?m)^(endpoint_url|login_session) =`)),
	}, {
		name: "base from the environment",
		text: `Credentials in the environment are the base of a profile that names none
With envchain, or another wrapper that puts keys into the environment, or in a pod with a web identity, a profile needs
neither source_profile nor credential_source. The AWS CLI refuses such a profile.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return (c.sets("AWS_ACCESS_KEY_ID") || c.sets("AWS_WEB_IDENTITY_TOKEN_FILE")) && lenient(baseless, anyTrial)(c, theirs, ours)
		},
	}, {
		name: "own keys",
		text: `A role profile with keys of its own needs no source_profile
Its keys are the base, as if source_profile named the profile itself. The AWS CLI refuses such a profile.`,
		settle: lenient(`^Partial credentials found in assume-role`, inFiles(`(?m)^\[(profile )?x\]\n(\w+ =.*\n)*aws_access_key_id = `)),
	}, {
		name: "metadata service elsewhere",
		text: `The metadata service of EC2 is asked on EC2 alone
The AWS CLI asks it for every profile that leads to no credentials, wherever it runs, and by way of a proxy, too; away from
EC2 nothing answers, and it waits for seconds. Here such a profile has the instance's role where the kernel tells of EC2's
hardware, or where the service's address is configured (AWS_EC2_METADATA_SERVICE_ENDPOINT, ec2_metadata_service_endpoint).
Elsewhere it is an error at once.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return theirs.succeeded() && theirs.last().host == "169.254.169.254" && len(ours.calls) == 0 &&
				located.MatchString(ours.said) && strings.Contains(ours.said, "the profile has no keys and no role") && ours.becomes(c, theirs)
		},
	}, {
		name: "refusal of a container",
		text: `A refusal of the container's endpoint is final
Where it takes another token, or knows no such container, it is asked once. The AWS CLI asks it three times.`,
		settle: func(_ trial, theirs, ours *behaviour) bool {
			if theirs.last().action != "GetContainerCredentials" || theirs.last().refused == "" || len(theirs.calls) != 3 || len(ours.calls) != 1 {
				return false
			}
			theirs.calls = theirs.calls[:1]
			return true
		},
	}, {
		name: "include_profile",
		text: `include_profile includes a profile
aws-vault's key is honoured where the AWS CLI, which does not know it, finds no credentials.`,
		settle: lenient(`no credentials found$`, inFiles(`(?m)^include_profile = `)),
	}, {
		name: "role by account and name",
		text: `aws_account_id and role_name name a role
The keys of AWS Extend Switch Roles are honoured where a profile has no role_arn. The AWS CLI does not know them.`,
		settle: lenient(`no credentials found$`, inFiles(`(?m)^role_name = `)),
	}, {
		name: "granted",
		text: `A profile that granted has written is one of IAM Identity Center
The AWS CLI asks granted for the credentials, and fails where it is not installed any more. Here granted_sso_start_url and
its companions are read, and the sign-in is this program's own.`,
		settle: lenient(`No such file or directory: '/no/such/granted'$`, inFiles(`(?m)^granted_sso_start_url = `)),
	}, {
		name: "no profile",
		text: `Without a profile's name nothing is switched to
The AWS CLI takes the profile default. Here a name is asked for, as a role is not to be taken by accident: on a terminal
by the picker, else by an error.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return len(c.args) == 0 && theirs.succeeded() && strings.Contains(ours.said, ": no profile was named, and neither ") && ours.becomes(c, theirs)
		},
	}, {
		name: "profile over variables",
		text: `A profile that AWS_PROFILE names goes before credentials in the environment
The AWS CLI prefers AWS_ACCESS_KEY_ID, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME to a profile unless --profile names it. Here
it is one and the same how a profile was named: in a shell whose environment holds the keys of one role, AWS_PROFILE would
otherwise have no effect at all.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return len(c.args) == 0 && c.sets("AWS_PROFILE") && (c.sets("AWS_ACCESS_KEY_ID") || c.sets("AWS_ROLE_ARN")) && ours.succeeded() && theirs.who != ours.who && ours.becomes(c, theirs)
		},
	}, {
		name: "AWS_PROFILE over AWS_DEFAULT_PROFILE",
		text: `AWS_PROFILE goes before AWS_DEFAULT_PROFILE
It does for the AWS SDKs. Version 1 of the AWS CLI has it the other way round.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return len(c.args) == 0 && c.sets("AWS_PROFILE") && c.sets("AWS_DEFAULT_PROFILE") && theirs.succeeded() && ours.succeeded() && theirs.who != ours.who && ours.becomes(c, theirs)
		},
	}, {
		name: "partition",
		text: `A role is assumed in its own partition
Without a region, or with one of another partition, the STS that is asked is the one of the partition that the role's ARN
names: China's in cn-north-1, GovCloud's in us-gov-west-1. The AWS CLI asks where nobody knows the key.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			last := theirs.last()
			return !theirs.succeeded() && last.refused == "InvalidClientTokenId" && !strings.HasPrefix(last.params["RoleArn"], "arn:aws:") &&
				ours.succeeded() && last.host != ours.last().host && ours.becomes(c, theirs)
		},
	}, {
		name: "value that has no meaning",
		text: `A value without a meaning is an error
duration_seconds that is no whole number in plain digits, use_fips_endpoint or ignore_configured_endpoint_urls that is neither
true nor false: each is told with its file and line. The AWS CLI goes on as if the key were not there, or takes 1_800 for
1800.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return theirs.succeeded() && len(ours.calls) == 0 && meaningless.MatchString(ours.said) && ours.becomes(c, theirs)
		},
	}, {
		name: "refused before it is sent",
		text: `What AWS is bound to refuse is not sent
A role ARN, key id, region, role_session_name or external_id in a form that AWS does not take, a duration that is never
granted, a FIDO device: each is told with its file and line before any request, and before a code is asked for.
The AWS CLI sends it and tells AWS's answer.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return !theirs.succeeded() && theirs.last().refused != "" && len(ours.calls) == 0 && located.MatchString(ours.said) && ours.becomes(c, theirs)
		},
	}, {
		name: "duration in the middle",
		text: `duration_seconds of a role in the middle of a chain is an hour at most
AWS grants no more to a role that temporary credentials assume, and that session is only there to assume the next role with.
The AWS CLI sends what the profile says, and AWS refuses it.`,
		settle: lenient(`exceeds the 1 hour session limit for roles assumed by role chaining\.$`, inFiles(`(?im)^source_profile\s*[=:]\s*a\n`)),
	}, {
		name: "own region",
		text: `A profile's region goes before the environment's
So a switch inside a switched shell, whose AWS_REGION is that of the profile before, goes where the new profile says. The AWS
CLI prefers the variable; --region does so here.`,
		settle: regions(func(c trial) bool {
			return c.sets("AWS_DEFAULT_REGION") && inFiles(`(?im)^\[profile +"?x"?\]\n([^\[].*\n)*region\s*[=:]`)(c)
		}, `^sts\.us-west-2\.|^variable\.example\.com$`, `^sts\.(eu-west-1|ap-east-1|us-east-1)\.|^variable\.example\.com$`),
	}, {
		name: "AWS_REGION",
		text: `AWS_REGION counts, and goes before AWS_DEFAULT_REGION
It does for the AWS SDKs and for version 2 of the AWS CLI. Version 1 reads AWS_DEFAULT_REGION alone.`,
		settle: regions(func(c trial) bool { return c.sets("AWS_REGION") }, `^sts\.amazonaws\.com$|^sts\.eu-west-3\.`, `^sts\.eu-west-2\.`),
	}, {
		name: "region of the source",
		text: `A role without a region has that of its source
When the profile names none, the region of the profile that it is assumed from is taken. The AWS CLI takes none, and asks the
global endpoint.`,
		settle: regions(inFiles(`(?m)^\[(profile a|default)\]\n(\w+ =.*\n)*region = `), `^sts\.amazonaws\.com$`, `^sts\.eu-west-1\.`),
	}, {
		name: "DEFAULT",
		text: `Nothing is inherited from [DEFAULT]
For the AWS CLI the keys of a section of that name, in capitals, are keys of every section. For the AWS SDKs it is nothing.`,
		settle: regions(inFiles(`(?m)^\[DEFAULT\]$`), `^sts\.eu-west-1\.`, `^sts\.us-east-1\.`),
	}, {
		name: "tags and source identity",
		text: `session_tags, transitive_session_tags and source_identity are sent
aws-vault's keys are honoured. The AWS CLI does not know them.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return inFiles(`(?m)^(session_tags|source_identity) = `)(c) && eachCall(theirs, ours, func(a, b *call) bool {
				return deleteParams(b, regexp.MustCompile(`^(Tags\.member\.\d+\.(Key|Value)|TransitiveTagKeys\.member\.\d+|SourceIdentity)$`))
			})
		},
	}, {
		name: "duration of a web identity",
		text: `duration_seconds counts for a web identity's role, too
The AWS CLI reads it with AssumeRole alone, and has an hour with AssumeRoleWithWebIdentity.`,
		settle: func(c trial, theirs, ours *behaviour) bool {
			return inFiles(`(?m)^duration_seconds = 7200$`)(c) && eachCall(theirs, ours, func(a, b *call) bool {
				_, set := a.params["DurationSeconds"]
				return !set && b.action == "AssumeRoleWithWebIdentity" && b.params["DurationSeconds"] == "7200" && deleteParams(b, regexp.MustCompile(`^DurationSeconds$`))
			})
		},
	}, {
		name: "mfa session",
		text: `One MFA code buys a session of twelve hours
With a long-lived key and an mfa_serial, the code goes to GetSessionToken, and every role behind the same device is
assumed from that session. The AWS CLI spends a code on each role, each hour.`,
		settle: mfaSession,
	}, {
		name: "session of plain keys",
		text: `Plain keys buy a session
A profile of long-lived keys and nothing else is switched to with a session of twelve hours from GetSessionToken, so
that no child holds the key itself. The AWS CLI hands on the key; so does --no-session here.`,
		settle: plainSession,
	}, {
		name: "session name",
		text: `A session is named after its user
Where a profile has no role_session_name, the session has the name of the person who runs the program, as a trust
policy may demand, and as CloudTrail shows best. The AWS CLI names it botocore-session- and the time.`,
		settle: sessionName,
	}, {
		name: "duration",
		text: `The length of a session is always sent
Where a profile has no duration_seconds, an hour is asked for, which is what AWS gives when it is not asked.`,
		settle: duration,
	}, {
		name: "regional endpoint",
		text: `Without a region, STS is asked in us-east-1
The AWS CLI asks the global endpoint then, sts.amazonaws.com, whose sessions are refused in regions that have to be
opted in to. sts_regional_endpoints = legacy still means the global endpoint here, too.`,
		settle: regional,
	},
}

// What is said about a profile without credentials, about a value that is not
// one of its key's, and about a place in the files.
const baseless = `^Partial credentials found in assume-role, missing: source_profile or credential_source$|^Unable to retrieve credentials: no credentials found$`

var (
	located     = regexp.MustCompile(`^aws-switch-role: ~/\.aws/(config|credentials):\d+: profile \w+: `)
	meaningless = regexp.MustCompile(located.String() + `(duration_seconds must be a whole number|(use_fips_endpoint|ignore_configured_endpoint_urls) must be true or false)`)
)

// lenient settles that the AWS CLI fails with words that match pattern, in a
// case such as is given, and this program succeeds.
func lenient(pattern string, is func(trial) bool) func(trial, *behaviour, *behaviour) bool {
	words := regexp.MustCompile(pattern)
	return func(c trial, theirs, ours *behaviour) bool {
		return is(c) && !theirs.succeeded() && words.MatchString(theirs.said) && ours.succeeded() && ours.becomes(c, theirs)
	}
}

// regions settles that STS is asked in other regions, at hosts that match the
// patterns, in a case such as is given.
func regions(is func(trial) bool, theirHost, ourHost string) func(trial, *behaviour, *behaviour) bool {
	their, our := regexp.MustCompile(theirHost), regexp.MustCompile(ourHost)
	return func(c trial, theirs, ours *behaviour) bool {
		return is(c) && eachCall(theirs, ours, func(a, b *call) bool {
			if a.host == b.host && a.region == b.region || !their.MatchString(a.host) || !our.MatchString(b.host) {
				return false
			}
			b.host, b.region = a.host, a.region
			return true
		})
	}
}

func anyTrial(trial) bool { return true }

// inFiles tells the cases one of whose files matches pattern.
func inFiles(pattern string) func(trial) bool {
	re := regexp.MustCompile(pattern)
	return func(c trial) bool {
		for _, f := range c.home {
			if re.Match(bytes.ReplaceAll(f.Data, []byte("\r"), nil)) {
				return true
			}
		}
		return false
	}
}

// sets reports whether the case's environment has a variable.
func (c trial) sets(variable string) bool {
	return slices.ContainsFunc(c.env, func(e string) bool { return strings.HasPrefix(e, variable+"=") })
}

// nobody begins what is known of credentials that AWS does not know.
const nobody = "nobody, says AWS, whose key is "

func (o *behaviour) succeeded() bool { return o.who != "" && !strings.HasPrefix(o.who, nobody) }

// last is the last request.
func (o *behaviour) last() call {
	if len(o.calls) == 0 {
		return call{}
	}
	return o.calls[len(o.calls)-1]
}

// becomes makes o what the other is, as far as they are compared, if o came to
// be who the case says, which is nobody in a case that says nothing of it.
func (o *behaviour) becomes(c trial, other *behaviour) bool {
	if o.who != c.becomes {
		return false
	}
	*o = *other
	return true
}

func deleteParams(c *call, name *regexp.Regexp) bool {
	before := len(c.params)
	maps.DeleteFunc(c.params, func(k, _ string) bool { return name.MatchString(k) })
	return len(c.params) < before
}

// mfaSession takes a GetSessionToken with a code for the AssumeRole with the
// same code.
func mfaSession(_ trial, theirs, ours *behaviour) bool {
	for i, c := range ours.calls[:max(0, len(ours.calls)-1)] {
		next := &ours.calls[i+1]
		if c.action == "GetSessionToken" && c.code && c.refused == "" && c.params["DurationSeconds"] == "43200" && next.action == "AssumeRole" && next.caller == c.caller {
			next.code = true
			next.params["SerialNumber"] = c.params["SerialNumber"]
			ours.calls = slices.Delete(ours.calls, i, i+1)
			return true
		}
	}
	return false
}

// plainSession forgets a GetSessionToken by which a key was handed on, or
// found to be nobody's.
func plainSession(c trial, theirs, ours *behaviour) bool {
	if len(theirs.calls) > 0 || len(ours.calls) != 1 {
		return false
	}
	asked := ours.calls[0]
	if asked.action != "GetSessionToken" || asked.params["DurationSeconds"] != "43200" || asked.caller == "" {
		return false
	}
	if theirs.who != asked.caller && (theirs.who != nobody+asked.caller || asked.refused != "InvalidClientTokenId") {
		return false
	}
	if theirs.who == ours.who {
		ours.calls = nil
		return true
	}
	return asked.refused != "" && ours.becomes(c, theirs)
}

func sessionName(_ trial, theirs, ours *behaviour) bool {
	return theirs.replace(regexp.MustCompile(`\bbotocore-session-\d+$`)) && ours.replace(regexp.MustCompile(`\bjane$`))
}

// replace puts one name for all default session names, which pattern matches,
// and reports whether there was one.
func (o *behaviour) replace(pattern *regexp.Regexp) bool {
	found := false
	mend := func(s *string) {
		found = found || pattern.MatchString(*s)
		*s = pattern.ReplaceAllString(*s, "default")
	}
	mend(&o.who)
	for i := range o.calls {
		c := &o.calls[i]
		mend(&c.caller)
		if name, ok := c.params["RoleSessionName"]; ok {
			mend(&name)
			c.params["RoleSessionName"] = name
		}
	}
	return found
}

func duration(_ trial, theirs, ours *behaviour) bool {
	return eachCall(theirs, ours, func(a, b *call) bool {
		if _, set := a.params["DurationSeconds"]; set || b.params["DurationSeconds"] != "3600" || b.action == "GetSessionToken" {
			return false
		}
		delete(b.params, "DurationSeconds")
		return true
	})
}

func regional(_ trial, theirs, ours *behaviour) bool {
	return eachCall(theirs, ours, func(a, b *call) bool {
		global := map[string]string{
			"sts.us-east-1.amazonaws.com":      "sts.amazonaws.com",
			"sts-fips.us-east-1.amazonaws.com": "sts-fips.aws-global.amazonaws.com",
		}
		if a.host == b.host || a.host != global[b.host] {
			return false
		}
		b.host = a.host
		return true
	})
}

// eachCall settles the calls of the two pair by pair.
func eachCall(theirs, ours *behaviour, settle func(a, b *call) bool) bool {
	if len(theirs.calls) != len(ours.calls) {
		return false
	}
	found := false
	for i := range ours.calls {
		if settle(&theirs.calls[i], &ours.calls[i]) {
			found = true
		}
	}
	return found
}
