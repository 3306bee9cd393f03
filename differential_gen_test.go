//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/tools/txtar"

	"aws-switch-role/internal/emulator"
)

// generated begins the names of the cases that [generate] makes.
const generated = "generated_"

// generate makes cases in which what a person may write meets at random, and
// the same ones each time.
func generate() map[string][]byte {
	made := map[string][]byte{}
	for i := range uint64(80) {
		g := generator{Rand: rand.New(rand.NewPCG(i, 1))}
		made[fmt.Sprintf("%s%02d", generated, i)] = g.trial()
	}
	return made
}

// generator writes the files of one case.
type generator struct {
	*rand.Rand
	config, credentials, env strings.Builder
	files                    []txtar.File
}

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// may reports true once in n times.
func (g *generator) may(n int) bool { return g.IntN(n) == 0 }

func (g *generator) trial() []byte {
	profiles := []string{"x", "a", "b"}[:1+g.IntN(3)]
	for i, name := range profiles {
		g.header(name)
		g.set("role_arn", emulator.DemoRole([]string{"One", "Two", "Three"}[i]))
		g.roleKeys(i == 0)
		if i+1 < len(profiles) {
			g.set("source_profile", profiles[i+1])
		}
	}
	g.base()
	if g.may(4) {
		g.env.WriteString("AWS_DEFAULT_REGION=us-west-2\n")
	}
	if g.may(8) {
		g.env.WriteString("AWS_STS_REGIONAL_ENDPOINTS=" + g.pick("legacy", "regional") + "\n")
	}
	if g.may(8) {
		g.env.WriteString("AWS_ENDPOINT_URL_STS=https://variable.example.com\n")
	}
	config := g.config.String()
	if g.may(6) {
		config = strings.ReplaceAll(config, "\n", "\r\n")
	}
	a := txtar.Archive{Comment: []byte("Made at random.\n"), Files: append(g.files, txtar.File{Name: ".aws/config", Data: []byte(config)})}
	for _, f := range []struct{ name, text string }{{".aws/credentials", g.credentials.String()}, {fileEnv, g.env.String()}} {
		if f.text != "" {
			a.Files = append(a.Files, txtar.File{Name: f.name, Data: []byte(f.text)})
		}
	}
	return txtar.Format(&a)
}

func (g *generator) header(name string) {
	if g.may(5) {
		g.config.WriteString(g.pick("# a comment\n", "; another\n", "\n", "   \n"))
	}
	fmt.Fprintf(&g.config, g.pick("[profile %s]\n", "[profile %s]\n", "[profile  %s]\n", "[profile \"%s\"]\n"), name)
}

// set writes a line in one of the ways in which it can be written.
func (g *generator) set(key, value string) {
	if g.may(8) {
		key = strings.ToUpper(key)
	}
	g.config.WriteString(key + g.pick(" = ", " = ", "=", "  =\t", ": ") + value + "\n")
}

// roleKeys are what may stand in a role's profile; a region stands in that
// which is switched to.
func (g *generator) roleKeys(target bool) {
	if g.may(4) {
		g.set("external_id", g.pick("abc", "a=b", "123:4/5"))
	}
	if g.may(4) {
		g.set("role_session_name", g.pick("me", "me@example.com", "a.b-c_d"))
	}
	if g.may(4) {
		g.set("duration_seconds", g.pick("900", "1800", "3600", "7200"))
	}
	if target {
		g.set("region", g.pick("eu-west-1", "ap-east-1", "us-east-1"))
	}
	if g.may(5) {
		g.set("sts_regional_endpoints", g.pick("legacy", "regional"))
	}
	if g.may(8) {
		g.set("endpoint_url", "https://profile.example.com")
	}
	if g.may(8) {
		g.set("output", "json")
	}
}

// base gives the last profile something to start from, or not quite.
func (g *generator) base() {
	keys := "aws_access_key_id = " + emulator.DemoKeyID + "\naws_secret_access_key = " + emulator.DemoSecret + "\n"
	half, _, _ := strings.Cut(keys, "\n")
	session := "aws_access_key_id = @ID@\naws_secret_access_key = @SECRET@\naws_session_token = @TOKEN@\n"
	source := g.pick("default", "main", "Main Keys")
	switch g.IntN(9) {
	case 0, 1, 2:
		g.set("source_profile", source)
		fmt.Fprintf(&g.credentials, "[%s]\n%s", source, g.pick(keys, keys, session, half+"\n"))
	case 3:
		g.set("source_profile", "keys")
		g.header("keys")
		g.config.WriteString(keys)
	case 4:
		g.set("credential_source", g.pick("Environment", "Environment", "environment"))
		g.env.WriteString(g.pick("AWS_ACCESS_KEY_ID="+emulator.DemoKeyID+"\nAWS_SECRET_ACCESS_KEY="+emulator.DemoSecret+"\n", "AWS_ACCESS_KEY_ID="+emulator.DemoKeyID+"\n"))
	case 5:
		g.set("source_profile", "process")
		g.header("process")
		g.set("credential_process", "cat @HOME@/keys.json")
		g.files = append(g.files, txtar.File{Name: "keys.json", Data: []byte(`{"Version": 1, "AccessKeyId": "` + emulator.DemoKeyID + `", "SecretAccessKey": "` + emulator.DemoSecret + "\"}\n")})
	case 6:
		g.set("source_profile", "web")
		g.header("web")
		g.set("role_arn", emulator.DemoRole("Web"))
		g.set("web_identity_token_file", "@HOME@/token")
		g.files = append(g.files, txtar.File{Name: "token", Data: []byte("@JWT@\n")})
	case 7:
		g.set("source_profile", g.pick("x", "a", "nowhere"))
	case 8:
		// its own source is missing, and nothing else is there to start from
	}
}
