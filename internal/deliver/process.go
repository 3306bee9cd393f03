package deliver

import (
	"bytes"
	"encoding/json"
	"io"

	"aws-switch-role/internal/cred"
)

// Process writes c as the AWS SDKs want it from a profile's
// `credential_process`: version 1 of the JSON object that "Sourcing
// credentials with an external process" of the AWS SDKs and Tools Reference
// Guide defines, on one line. What c does not have is left out; SDKs keep
// credentials without an Expiration for as long as they run.
func Process(w io.Writer, c cred.Credentials) error {
	return writeJSON(w, struct {
		Version         int
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string `json:",omitempty"`
		Expiration      string `json:",omitempty"`
		AccountID       string `json:"AccountId,omitempty"`
	}{
		Version:         1,
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey.Reveal(),
		SessionToken:    c.SessionToken.Reveal(),
		Expiration:      timestamp(c.Expires),
		AccountID:       c.AccountID,
	})
}

// writeJSON writes v as one line of JSON in one write. HTML's characters stay
// as they are: not every reader of credentials decodes \u0026.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := b.WriteTo(w) // a short write is an error
	return err
}
