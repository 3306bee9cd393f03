package hop

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// AssignedRole is a role of an account that IAM Identity Center gives to a
// person. The account's name is the server's text.
type AssignedRole struct {
	AccountID, AccountName, Role string
}

// How the portal is asked for everything there is: a few requests at a time,
// and for as long as it takes when it is busy.
const (
	listers      = 8
	pageSize     = 100
	maxPages     = 10_000
	longestPause = 20 * time.Second
	patienceBusy = 2 * time.Minute // without any answer but that it is busy
)

// AssignedRoles lists the accounts and roles of whoever is signed in to the
// Identity Center of h, by account and role. progress is told how many of the
// accounts are done; it may be nil.
func (p *Performer) AssignedRoles(ctx context.Context, h plan.SSO, progress func(done, accounts int)) ([]AssignedRole, error) {
	var roles []AssignedRole
	s := p.ssoSignIn(h)
	err := p.signedIn(ctx, h, s, func(f *tokenFile) error {
		l := &lister{Performer: p, h: h, s: s, f: f}
		accounts, err := l.accounts(ctx)
		if err == nil {
			roles, err = l.roles(ctx, accounts, progress)
		}
		return err
	})
	slices.SortFunc(roles, func(a, b AssignedRole) int {
		return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.Role, b.Role))
	})
	return roles, err
}

// lister asks the portal with one sign-in. When the portal is busy, all of its
// requests wait together: eight that come back on their own keep it so.
type lister struct {
	*Performer
	h plan.SSO
	s signIn
	f *tokenFile

	mu    sync.Mutex // guards what follows
	pause time.Duration
	until time.Time
}

// listPage is an answer of ListAccounts or of ListAccountRoles.
type listPage struct {
	Accounts []struct {
		AccountID   string `json:"accountId"`
		AccountName string `json:"accountName"`
	} `json:"accountList"`
	Roles []struct {
		RoleName string `json:"roleName"`
	} `json:"roleList"`
	Next string `json:"nextToken"`
}

// accounts lists the accounts, without roles.
func (l *lister) accounts(ctx context.Context) ([]AssignedRole, error) {
	const op = "ListAccounts"
	var list []AssignedRole
	err := l.pages(ctx, op, "/assignment/accounts", nil, func(out listPage) error {
		for _, a := range out.Accounts {
			if !isAccountID(a.AccountID) {
				return l.strange(op)
			}
			list = append(list, AssignedRole{AccountID: a.AccountID, AccountName: a.AccountName})
		}
		return nil
	})
	return list, err
}

// What the lists may hold: both become lines of the config file. They are
// checked in loops, for every start would compile a regular expression.
const (
	digits    = "0123456789"
	roleChars = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_+=,.@-"
)

func isAccountID(s string) bool { return len(s) == 12 && strings.Trim(s, digits) == "" }

func isRoleName(s string) bool {
	return len(s) >= 1 && len(s) <= 64 && strings.Trim(s, roleChars) == ""
}

// strange says that a list holds what it may not.
func (l *lister) strange(op string) error {
	return &AnswerError{Op: op, Host: restCall{base: l.h.PortalURL()}.host(), Msg: message.New("sso-list-wrong", "the list holds what is no account or no role")}
}

// roles lists the roles of all accounts, a few accounts at a time.
func (l *lister) roles(ctx context.Context, accounts []AssignedRole, progress func(done, accounts int)) ([]AssignedRole, error) {
	const op = "ListAccountRoles"
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan AssignedRole)
	go func() {
		defer close(todo)
		for _, a := range accounts {
			select {
			case todo <- a:
			case <-ctx.Done():
				return
			}
		}
	}()
	var mu sync.Mutex // guards what follows
	var all []AssignedRole
	done := 0
	var workers sync.WaitGroup
	for range min(listers, len(accounts)) {
		workers.Go(func() {
			for a := range todo {
				var roles []AssignedRole
				err := l.pages(ctx, op, "/assignment/roles", url.Values{"account_id": {a.AccountID}}, func(out listPage) error {
					for _, r := range out.Roles {
						if !isRoleName(r.RoleName) {
							return l.strange(op)
						}
						roles = append(roles, AssignedRole{a.AccountID, a.AccountName, r.RoleName})
					}
					return nil
				})
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				all = append(all, roles...)
				if done++; progress != nil {
					progress(done, len(accounts))
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return all, nil
}

// pages asks for page after page of a list.
func (l *lister) pages(ctx context.Context, op, path string, query url.Values, add func(listPage) error) error {
	asked := url.Values{"max_result": {strconv.Itoa(pageSize)}}
	for name, values := range query {
		asked[name] = values
	}
	for range maxPages {
		var out listPage
		if err := l.page(ctx, restCall{op: op, method: http.MethodGet, path: path + "?" + asked.Encode()}, &out); err != nil {
			return err
		}
		if err := add(out); err != nil || out.Next == "" {
			return err
		}
		asked.Set("next_token", out.Next)
	}
	return &AnswerError{Op: op, Host: restCall{base: l.h.PortalURL()}.host(), Msg: message.New("sso-list-endless", "the list has no end")}
}

// page asks for one page, again and again while the portal says that it is
// asked too often.
func (l *lister) page(ctx context.Context, call restCall, out *listPage) error {
	begun := l.now()
	for {
		if !wait(ctx, l.due()) {
			return context.Cause(ctx)
		}
		_, err := l.portal(ctx, l.h, l.s, l.f, call, out)
		e, refused := errors.AsType[*APIError](err)
		busy := refused && (e.Status == http.StatusTooManyRequests || strings.HasPrefix(e.Code, "Throttling"))
		l.learn(busy)
		if !busy || l.now().Sub(begun) > patienceBusy {
			return err
		}
	}
}

// due is how long a request has to wait.
func (l *lister) due() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until.Sub(l.now())
}

// learn makes all wait twice as long as the last time when the portal was busy
// once they had waited, and less by and by when it was not.
func (l *lister) learn(busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	switch {
	case !busy:
		l.pause /= 2
	case !now.Before(l.until):
		l.pause = min(max(2*l.pause, time.Second), longestPause)
		l.until = now.Add(l.pause)
	}
}
