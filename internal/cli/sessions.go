package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/plan"
)

func (a *app) sessionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sessions list|clear",
		Short: "Show or drop the cached sessions",
		Long: `Show or drop the temporary sessions that switches have left in the cache. They
are sealed under a key in the keyring; to list them opens no keyring.`,
		Example: `  aws-switch-role sessions list
  aws-switch-role sessions clear sub-account`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("sessions list, or sessions clear [PROFILE... | --all]")
		},
	}
	cmd.AddCommand(a.sessionsListCommand(), a.sessionsClearCommand())
	return cmd
}

// listedSession is a line of sessions list in JSON.
type listedSession struct {
	Kind        string    `json:"kind"`
	Role        string    `json:"role,omitempty"`
	SessionName string    `json:"session_name,omitempty"`
	Device      string    `json:"mfa_device,omitempty"`
	Region      string    `json:"region,omitempty"`
	Profile     string    `json:"profile,omitempty"`
	AccessKeyID string    `json:"source_access_key_id,omitempty"`
	Made        time.Time `json:"made"`
	Expires     time.Time `json:"expires"`
}

func (a *app) sessionsListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [--json]",
		Short:   "List the cached sessions, the first to end first",
		Example: "  aws-switch-role sessions list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := a.cached(cmd.Context(), &switchFlags{}).List()
			if err != nil {
				return err
			}
			if asJSON {
				out := []listedSession{}
				for _, s := range list {
					out = append(out, listedSession{s.Hop, s.Role, s.SessionName, s.Device, s.Region, s.Profile, s.AccessKeyID, s.Made.UTC(), s.Expires.UTC()})
				}
				return writeJSON(a.stdout, out)
			}
			if len(list) == 0 {
				_, err := fmt.Fprintln(a.stderr, "no cached sessions")
				return err
			}
			t := a.newTable("SESSION", "OF", "PROFILE", "REGION", "LEFT")
			t.whole = []string{"LEFT"}
			for _, s := range list {
				t.add(row{cells: []string{sessionName(s), s.AccessKeyID, s.Profile, s.Region, status{Expires: s.Expires}.left(a.now())}})
			}
			return a.print(t)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// sessionName says in a few words what a cached session is.
func sessionName(s cache.About) string {
	switch {
	case s.Role != "":
		return s.Role
	case s.Device != "":
		return "MFA session, " + s.Device
	}
	return s.Hop
}

func (a *app) sessionsClearCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "clear [PROFILE... | --all]",
		Short: "Drop the cached sessions of profiles, or all of them",
		Long: `Drop the cached sessions that a switch to the profiles would use, the MFA
session that they share among them. With --all every session is dropped, every
sign-in of aws-switch-role sso login, and the key that they were sealed under:
copies in a backup are dead.`,
		Example: `  aws-switch-role sessions clear sub-account
  aws-switch-role sessions clear --all`,
		ValidArgsFunction: a.completeMany,
		RunE: func(cmd *cobra.Command, profiles []string) error {
			f, err := a.standing()
			if err != nil {
				return err
			}
			dir := a.cached(cmd.Context(), f)
			switch {
			case all && len(profiles) > 0, !all && len(profiles) == 0:
				return usagef("sessions clear takes profiles, or --all")
			case all:
				return a.clearAll(cmd.Context(), f, dir)
			}
			var keys []plan.Key
			for _, name := range profiles {
				p, err := a.plan(f, name)
				if err != nil {
					return err
				}
				for i := range p.Hops {
					keys = append(keys, p.Key(i))
				}
			}
			n, err := dir.Remove(func(s cache.About) bool { return slices.Contains(keys, s.Key) })
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stderr, "dropped %s\n", counted(n, "session"))
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "drop every session, and the key that they were sealed under")
	return cmd
}

// clearAll drops every session, and the key.
func (a *app) clearAll(ctx context.Context, f *switchFlags, dir *cache.Dir) error {
	list, err := dir.List()
	if err != nil {
		return err
	}
	if err := errors.Join(dir.Clear(), a.dropSignIns(dir)); err != nil {
		return err
	}
	k, err := a.openKeyring(ctx, f, keyring.SessionKeys)
	if err != nil {
		return err
	}
	defer k.Close()
	if k.Choice != keyring.None {
		if err := keyring.DropSessionKey(ctx, k); err != nil {
			return fmt.Errorf("the sessions are dropped, the key that they were sealed under is not: %w", err)
		}
	}
	_, err = fmt.Fprintf(a.stderr, "dropped %s\n", counted(len(list), "session"))
	return err
}

// dropSignIns removes the sealed sign-ins, which open under the key of the
// sessions alone.
func (a *app) dropSignIns(dir *cache.Dir) error {
	vault := dir.Vault(a.folders().signIns)
	names, err := vault.Names()
	for _, name := range names {
		err = errors.Join(err, vault.Remove(name))
	}
	return err
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
