package keeper

import (
	"encoding/json"
	"io"
	"time"

	"aws-switch-role/internal/cred"
)

// Orders are what a keeper is told, once, when it begins.
type Orders struct {
	// Dir is the session directory, which ends with the shell.
	Dir string
	// Environ is the environment that the switch was started in: the
	// keeper's own has no credentials in it.
	Environ []string
	// Switch says what the shell is, in words that the package passes on.
	Switch json.RawMessage
	// Sessions are those that exist already, by names that the package passes
	// on.
	Sessions map[string]cred.Credentials
	// Admission is filled in by Start.
	Admission Admission
}

// ordersText is how orders go through the pipe, secrets included.
type ordersText struct {
	Dir      string
	Environ  []string
	Switch   json.RawMessage
	Sessions map[string]sessionText
	Key      []byte
	Shell    int
}

type sessionText struct {
	ID, Secret, Token, Account string
	Expires                    time.Time
}

func writeOrders(w io.Writer, o Orders) error {
	t := ordersText{
		Dir: o.Dir, Environ: o.Environ, Switch: o.Switch, Sessions: map[string]sessionText{},
		Key: o.Admission.Key, Shell: o.Admission.Shell,
	}
	for name, c := range o.Sessions {
		t.Sessions[name] = sessionText{c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(), c.AccountID, c.Expires}
	}
	return json.NewEncoder(w).Encode(t)
}

func readOrders(r io.Reader) (Orders, error) {
	var t ordersText
	if err := json.NewDecoder(r).Decode(&t); err != nil {
		return Orders{}, err
	}
	o := Orders{
		Dir: t.Dir, Environ: t.Environ, Switch: t.Switch, Sessions: map[string]cred.Credentials{},
		Admission: Admission{Key: t.Key, Shell: t.Shell},
	}
	for name, s := range t.Sessions {
		o.Sessions[name] = cred.Credentials{
			AccessKeyID: s.ID, SecretAccessKey: cred.NewSecret(s.Secret), SessionToken: cred.NewSecret(s.Token),
			Expires: s.Expires, AccountID: s.Account,
		}
	}
	return o, nil
}
