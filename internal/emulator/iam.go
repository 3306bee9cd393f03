package emulator

import (
	"cmp"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"time"
)

// maxKeys is how many access keys IAM allows a user.
const maxKeys = 2

var iamProtocol = protocol{"2010-05-08", map[string]operation{
	"CreateAccessKey":      {do: (*Server).createAccessKey},
	"DeleteAccessKey":      {do: (*Server).deleteAccessKey},
	"GetAccessKeyLastUsed": {do: (*Server).getAccessKeyLastUsed},
	"GetUser":              {do: (*Server).getUser},
	"ListAccessKeys":       {do: (*Server).listAccessKeys},
	"ListMFADevices":       {do: (*Server).listMFADevices},
	"UpdateAccessKey":      {do: (*Server).updateAccessKey},
}}

// iamUser returns the user that a call to IAM is about, UserName's or the
// caller's own, once the caller may do that.
func (s *Server) iamUser(c *call) (*user, error) {
	name, u := c.form.Get("UserName"), c.key.user
	if name != "" {
		u = nil
		for _, other := range s.users {
			if other.arn.account == c.key.identity.arn.account && other.arn.name() == name && !other.root() {
				u = other
			}
		}
	}
	if err := c.mayManage(u); err != nil {
		return nil, err
	}
	switch {
	case u != nil:
		return u, nil
	case name == "":
		return nil, invalid("Must specify userName when calling with non-User credentials")
	}
	return nil, fail(http.StatusNotFound, "NoSuchEntity", "The user with name %s cannot be found.", name)
}

// mayManage checks that the caller may do to u what the call asks; u is nil
// when there is no such user.
func (c *call) mayManage(u *user) error {
	if k := c.key; k.kind == federation || k.kind == userSession && k.mfa.IsZero() {
		return badToken() // no IAM for sessions without MFA
	}
	resource := "*"
	if u != nil {
		resource = u.arn.String()
	}
	if q := c.question("iam:"+c.action, resource); !q.who.may(q) {
		return accessDenied(q.who, q.action, q.resource)
	}
	return nil
}

// keysOf returns the user's keys, oldest first.
func (s *Server) keysOf(u *user) []*key {
	own := slices.Collect(maps.Values(s.keys))
	own = slices.DeleteFunc(own, func(k *key) bool { return k.user != u || k.kind != longTerm })
	slices.SortFunc(own, func(a, b *key) int {
		return cmp.Or(a.issued.Compare(b.issued), cmp.Compare(a.id, b.id))
	})
	return own
}

// keyOf returns the user's key that AccessKeyId names.
func (s *Server) keyOf(u *user, c *call) (*key, error) {
	id := c.form.Get("AccessKeyId")
	if k := s.keys[id]; k != nil && k.user == u && k.kind == longTerm {
		return k, nil
	}
	return nil, noSuchKey(id)
}

func noSuchKey(id string) error {
	return fail(http.StatusNotFound, "NoSuchEntity", "The Access Key with id %s cannot be found.", id)
}

func (k *key) status() string {
	if k.inactive {
		return "Inactive"
	}
	return "Active"
}

type getUserResult struct {
	XMLName xml.Name `xml:"GetUserResult"`
	User    struct {
		Path       string `xml:",omitempty"`
		UserName   string `xml:",omitempty"`
		UserID     string `xml:"UserId"`
		Arn        string
		CreateDate string
	}
}

func (s *Server) getUser(c *call) (any, error) {
	u, err := s.iamUser(c)
	if err != nil {
		return nil, err
	}
	var r getUserResult
	r.User.UserID, r.User.Arn, r.User.CreateDate = u.id, u.arn.String(), stamp(s.began)
	if !u.root() {
		r.User.Path, r.User.UserName = u.arn.path(), u.arn.name()
	}
	return r, nil
}

type listMFADevicesResult struct {
	XMLName     xml.Name `xml:"ListMFADevicesResult"`
	Devices     []member `xml:"MFADevices>member"`
	IsTruncated bool
}

// member is an element of any of IAM's lists, with what it has of these.
type member struct {
	UserName     string
	SerialNumber string `xml:",omitempty"`
	EnableDate   string `xml:",omitempty"`
	AccessKeyID  string `xml:"AccessKeyId,omitempty"`
	Status       string `xml:",omitempty"`
	CreateDate   string `xml:",omitempty"`
}

func (s *Server) listMFADevices(c *call) (any, error) {
	u, err := s.iamUser(c)
	if err != nil {
		return nil, err
	}
	var r listMFADevicesResult
	for _, d := range u.devices {
		r.Devices = append(r.Devices, member{UserName: u.arn.name(), SerialNumber: d.Serial, EnableDate: stamp(s.began)})
	}
	return r, nil
}

type listAccessKeysResult struct {
	XMLName     xml.Name `xml:"ListAccessKeysResult"`
	Keys        []member `xml:"AccessKeyMetadata>member"`
	IsTruncated bool
}

func (s *Server) listAccessKeys(c *call) (any, error) {
	u, err := s.iamUser(c)
	if err != nil {
		return nil, err
	}
	var r listAccessKeysResult
	for _, k := range s.keysOf(u) {
		r.Keys = append(r.Keys, member{UserName: u.arn.name(), AccessKeyID: k.id, Status: k.status(), CreateDate: stamp(k.issued)})
	}
	return r, nil
}

type createAccessKeyResult struct {
	XMLName   xml.Name `xml:"CreateAccessKeyResult"`
	AccessKey struct {
		UserName        string
		AccessKeyID     string `xml:"AccessKeyId"`
		Status          string
		SecretAccessKey string
		CreateDate      string
	}
}

func (s *Server) createAccessKey(c *call) (any, error) {
	u, err := s.iamUser(c)
	if err != nil {
		return nil, err
	}
	if len(s.keysOf(u)) >= maxKeys {
		return nil, fail(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
	}
	k := s.issue("AKIA", c.now)
	k.user, k.identity, k.pending = u, u.identity(), c.now.Add(s.options.KeyDelay)
	var r createAccessKeyResult
	a := &r.AccessKey
	a.UserName, a.AccessKeyID, a.Status, a.SecretAccessKey, a.CreateDate = u.arn.name(), k.id, k.status(), k.secret, stamp(k.issued)
	return r, nil
}

type updateAccessKeyResult struct {
	XMLName xml.Name `xml:"UpdateAccessKeyResult"`
}

func (s *Server) updateAccessKey(c *call) (any, error) {
	u, err := s.iamUser(c)
	if err != nil {
		return nil, err
	}
	status := c.form.Get("Status")
	if status != "Active" && status != "Inactive" {
		v := validation{}
		v.reject("'"+status+"'", "status", "Member must satisfy enum value set: [Active, Inactive]")
		return nil, v.err()
	}
	k, err := s.keyOf(u, c)
	if err != nil {
		return nil, err
	}
	k.inactive = status == "Inactive"
	return updateAccessKeyResult{}, nil
}

type deleteAccessKeyResult struct {
	XMLName xml.Name `xml:"DeleteAccessKeyResult"`
}

func (s *Server) deleteAccessKey(c *call) (any, error) {
	u, err := s.iamUser(c)
	if err != nil {
		return nil, err
	}
	k, err := s.keyOf(u, c)
	if err != nil {
		return nil, err
	}
	delete(s.keys, k.id)
	return deleteAccessKeyResult{}, nil
}

type getAccessKeyLastUsedResult struct {
	XMLName  xml.Name `xml:"GetAccessKeyLastUsedResult"`
	UserName string
	LastUsed struct {
		LastUsedDate string `xml:",omitempty"`
		ServiceName  string
		Region       string
	} `xml:"AccessKeyLastUsed"`
}

// getAccessKeyLastUsed is about a key of the caller's account, whoever owns it.
func (s *Server) getAccessKeyLastUsed(c *call) (any, error) {
	id := c.form.Get("AccessKeyId")
	k := s.keys[id]
	if k == nil || k.kind != longTerm || k.identity.arn.account != c.key.identity.arn.account {
		if err := c.mayManage(nil); err != nil {
			return nil, err
		}
		return nil, noSuchKey(id)
	}
	if err := c.mayManage(k.user); err != nil {
		return nil, err
	}
	r := getAccessKeyLastUsedResult{UserName: k.user.arn.name()}
	r.LastUsed.ServiceName, r.LastUsed.Region = "N/A", "N/A"
	if !k.used.at.IsZero() {
		r.LastUsed.LastUsedDate = stamp(k.used.at)
		r.LastUsed.ServiceName, r.LastUsed.Region = k.used.service, k.used.region
	}
	return r, nil
}

// stamp is a time as the XML of AWS has it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
