package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
	"aws-switch-role/internal/term"
)

func (a *app) explainCommand() *cobra.Command {
	f := &switchFlags{}
	var asJSON, trust, online bool
	cmd := &cobra.Command{
		Use:   "explain [flags] [PROFILE|ROLE_ARN]",
		Short: "Show what a switch would do: every hop, and the line it comes from",
		Long: `Show the chain that a switch would walk, hop by hop: each value with the file
and line it comes from, what is kept from earlier switches, what will be asked
for, and where requests will go. Nothing is asked or sent.

With --trust-policy, print what each role of the chain needs: the trust policy
to hand to the owner of its account, and the permission of the caller. Who the
caller is, no file tells for a plain key: with --online AWS is asked.`,
		Example: `  aws-switch-role explain sub-account
  aws-switch-role explain sub-account --trust-policy --external-id a1b2`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := onlyProfile(cmd, args)
			if err != nil {
				return err
			}
			if online && !trust {
				return usagef("--online goes with --trust-policy; to try the chain itself: aws-switch-role doctor --online")
			}
			if err := f.complete(a, cmd.Flags()); err != nil {
				return err
			}
			name, err := a.chosenProfile(cmd.Context(), f, args)
			if err != nil {
				return err
			}
			p, err := a.plan(f, name)
			if err != nil {
				return err
			}
			if trust {
				return a.printGrants(cmd, f, p, online, asJSON)
			}
			kept := a.kept(cmd, f, p)
			if asJSON {
				return a.printChainJSON(p, kept)
			}
			var text strings.Builder
			err = plan.Print(&text, p, a.sentence, func(i int) string {
				if kept[i].IsZero() {
					return ""
				}
				return a.sentence(message.New("draw-kept", "a session until %s (%s): nothing before it is asked or sent", kept[i].Local().Format("15:04"), status{Expires: kept[i]}.left(a.now())))
			})
			if err != nil {
				return err
			}
			_, err = io.WriteString(a.stdout, term.CleanText(text.String()))
			return err
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&trust, "trust-policy", false, "print the trust policy and the permission that each role needs")
	cmd.Flags().BoolVar(&online, "online", false, "with --trust-policy, ask AWS who the caller is")
	return cmd
}

// kept says of each hop until when a usable session of it is cached; the zero
// time stands for none. No keyring is opened for it.
func (a *app) kept(cmd *cobra.Command, f *switchFlags, p plan.Plan) []time.Time {
	until := make([]time.Time, len(p.Hops))
	if f.noCache {
		return until
	}
	list, err := a.cached(cmd.Context(), f).List()
	if err != nil {
		a.log().Debug("the cache cannot be listed", "error", err)
	}
	sessions := map[plan.Key]cache.About{}
	for _, s := range list {
		sessions[s.Key] = s
	}
	for i := range p.Hops {
		if s, ok := sessions[p.Key(i)]; ok && p.Kept(i) && s.Expires.Sub(a.now()) > p.MinLeft(i) && !f.renews(p, i) {
			until[i] = s.Expires
		}
	}
	return until
}

// chainJSON is a plan in JSON.
type chainJSON struct {
	Profile   string    `json:"profile"`
	Account   string    `json:"account,omitempty"`
	Role      string    `json:"role,omitempty"`
	Region    string    `json:"region,omitempty"`
	Protected bool      `json:"protected"`
	Hops      []hopJSON `json:"hops"`
}

type hopJSON struct {
	Kind   string      `json:"kind"`
	What   string      `json:"what"`
	Values []valueJSON `json:"values"`
	Device string      `json:"mfa_device,omitempty"`
	Kept   time.Time   `json:"kept_until,omitzero"`
}

type valueJSON struct {
	Name string `json:"name"`
	Text string `json:"text"`
	From string `json:"from"`
}

func (a *app) printChainJSON(p plan.Plan, kept []time.Time) error {
	out := chainJSON{Profile: p.Profile, Region: p.Region, Protected: p.Protected}
	if arn, err := plan.ParseRoleARN(p.RoleARN()); err == nil {
		out.Account, out.Role = arn.Account, p.RoleARN()
	}
	for i, h := range p.Hops {
		j := hopJSON{Kind: kindOf(h), What: plan.Describe(h), Values: []valueJSON{}, Kept: kept[i]}
		for _, f := range p.Facts[i] {
			j.Values = append(j.Values, valueJSON(f))
		}
		switch h := h.(type) {
		case plan.SessionToken:
			j.Device = h.MFA.Serial
		case plan.AssumeRole:
			j.Device = h.MFA.Serial
		}
		out.Hops = append(out.Hops, j)
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// kindOf is the name of a hop in JSON: that of its type, as in "AssumeRole".
func kindOf(h plan.Hop) string { return strings.TrimPrefix(fmt.Sprintf("%T", h), "plan.") }

// grantJSON is what a role needs, in JSON.
type grantJSON struct {
	Role       string          `json:"role"`
	Caller     string          `json:"caller"`
	Guess      bool            `json:"caller_is_wider"`
	Trust      json.RawMessage `json:"trust_policy"`
	Permission json.RawMessage `json:"permission"`
}

func (a *app) printGrants(cmd *cobra.Command, f *switchFlags, p plan.Plan, online, asJSON bool) error {
	caller := ""
	if online {
		var err error
		if caller, err = a.sourceARN(cmd, f, p); err != nil {
			return err
		}
	}
	grants, err := plan.Grants(p, caller)
	if err != nil {
		return err
	}
	if asJSON {
		out := []grantJSON{}
		for _, g := range grants {
			out = append(out, grantJSON{g.Role.String(), g.Caller, g.Guess, json.RawMessage(g.Trust), json.RawMessage(g.Permission)})
		}
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	}
	var parts []string
	for _, g := range grants {
		parts = append(parts,
			a.sentence(message.New("grant-trust", "Trust policy of %s, in account %s:", g.Role, g.Role.Account))+"\n"+string(g.Trust),
			a.sentence(message.New("grant-permission", "Permission of %s:", g.Holder))+"\n"+string(g.Permission))
		if g.Guess {
			parts = append(parts, a.sentence(message.New("grant-guess", "The caller's own ARN stands in no file: all of its account is trusted here. With --online it is asked for.")))
		}
	}
	_, err = io.WriteString(a.stdout, term.CleanText(strings.Join(parts, "\n\n")+"\n"))
	return err
}

// sourceARN asks AWS who the credentials belong to that the chain starts from.
func (a *app) sourceARN(cmd *cobra.Command, f *switchFlags, p plan.Plan) (string, error) {
	source := p
	source.Hops, source.Facts = p.Hops[:1], p.Facts[:1]
	c, err := a.credentials(cmd.Context(), f, source)
	if err != nil {
		return "", err
	}
	var at plan.Endpoint
	switch h := p.Hops[1].(type) {
	case plan.SessionToken:
		at = h.Endpoint.Endpoint()
	case plan.AssumeRole:
		at = h.Endpoint
	}
	performer := a.performer(f)
	performer.CABundle = a.inHome(p.CABundle)
	id, err := performer.Identity(cmd.Context(), at, c)
	return id.ARN, err
}

// draw shows the chain of a plan on the terminal, as explain does, with a mark
// at the hop where a switch has ended and the values that shaped that one.
func (a *app) draw(e *session.HopError) {
	if !a.onTerminal() || len(e.Plan.Hops) < 2 {
		return
	}
	y := term.NewStyler(true, a.getenv("NO_COLOR"), a.getenv("TERM"))
	for i, h := range e.Plan.Hops {
		mark := y.Green(a.sentence(stateText("ok")))
		switch {
		case i == e.Index:
			mark = y.Red(a.sentence(message.New("draw-here", "<- here")))
		case i > e.Index:
			mark = y.Dim(a.sentence(stateText("not reached")))
		}
		fmt.Fprintf(a.stderr, "  %d. %s  %s\n", i+1, a.sentence(plan.Description(h)), mark)
		if i != e.Index {
			continue
		}
		for _, f := range e.Plan.Facts[i] {
			text := f.Text
			if strings.HasSuffix(f.Name, "_process") {
				text = "…" // a command line may hold a password
			}
			fmt.Fprintf(a.stderr, "     %s\n", y.Dim(fmt.Sprintf("%-20s %s  %s", f.Name, clean(text), clean(a.tilde(f.From)))))
		}
	}
}
