package keyring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Names of the Secret Service API 0.2 of freedesktop.org.
const (
	secretsName   = "org.freedesktop.secrets"
	secretsPath   = "/org/freedesktop/secrets"
	serviceIface  = "org.freedesktop.Secret.Service"
	collectIface  = "org.freedesktop.Secret.Collection"
	itemIface     = "org.freedesktop.Secret.Item"
	promptIface   = "org.freedesktop.Secret.Prompt"
	propertyIface = "org.freedesktop.DBus.Properties"

	noObject dbus.ObjectPath = "/"
)

// maxItems is how many items of one search are looked at.
const maxItems = 256

// secretService is the keyring behind the Secret Service of the user's session
// bus: GNOME Keyring, KWallet or KeePassXC.
type secretService struct {
	kind       Kind
	address    string // as in DBUS_SESSION_BUS_ADDRESS
	runtimeDir string
	mayPrompt  bool
	// timeout bounds an operation, a prompt not counted, and promptTimeout the
	// time that a person has for one.
	timeout, promptTimeout time.Duration

	mu     sync.Mutex // guards client
	client *secretClient
}

func newSecretService(o Options) *secretService {
	return &secretService{
		kind:       o.Kind,
		address:    o.SessionBus,
		runtimeDir: o.RuntimeDir,
		mayPrompt:  o.MayPrompt,
		// A cold GNOME Keyring is started by the bus in half a second.
		timeout:       2 * time.Second,
		promptTimeout: time.Minute,
	}
}

// promptError asks for a prompt of the service before the work can go on.
type promptError struct {
	prompt dbus.ObjectPath
	// silent says that the prompt may be over without anybody being asked:
	// KeePassXC has one for all that is written.
	silent bool
	// done, if any, is told what came of it.
	done func(result dbus.Variant)
}

func (promptError) Error() string { return ErrLocked.Error() }

// rounds is how many prompts one operation may need: to unlock, to write, and
// one to spare.
const rounds = 3

// run does work with a connection. Work that ends in a promptError is done
// again when the person has answered.
func (s *secretService) run(ctx context.Context, work func(context.Context, *secretClient) error) error {
	for range rounds {
		err := s.once(ctx, work)
		var needed promptError
		if !errors.As(err, &needed) {
			return err
		}
		if err := s.ask(ctx, needed); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: it asks again and again", ErrLocked)
}

// once does work within the time-out.
func (s *secretService) once(ctx context.Context, work func(context.Context, *secretClient) error) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	c, err := s.connect(bounded)
	if err != nil {
		return s.explain(ctx, err)
	}
	err = work(bounded, c)
	if err == nil || isOurs(err) {
		return err
	}
	return s.explain(ctx, err)
}

// isOurs reports whether err was made here and needs no explanation.
func isOurs(err error) bool {
	var needed promptError
	return errors.As(err, &needed) || slices.ContainsFunc([]error{ErrNotFound, ErrLocked, ErrUnavailable, ErrSize}, func(known error) bool {
		return errors.Is(err, known)
	})
}

func (s *secretService) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return explainBus(err)
}

// connect returns the connection, which is made at the first use and again
// when it was lost.
func (s *secretService) connect(ctx context.Context) (*secretClient, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil && s.client.conn.Connected() {
		s.client.wire.left.Store(maxTraffic)
		return s.client, nil
	}
	b, err := dialBus(ctx, s.address, s.runtimeDir, s.timeout)
	if err != nil {
		return nil, err
	}
	c := &secretClient{bus: b}
	if err := c.openSession(ctx); err != nil {
		_ = b.conn.Close()
		return nil, err
	}
	s.client = c
	return c, nil
}

// Close implements [io.Closer].
func (s *secretService) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return nil
	}
	err := s.client.conn.Close()
	s.client = nil
	return err
}

// ask has the service show a prompt and waits for the answer.
func (s *secretService) ask(ctx context.Context, needed promptError) error {
	limit := s.promptTimeout
	if !s.mayPrompt {
		if !needed.silent {
			return fmt.Errorf("%w, and nobody can be asked to unlock it", ErrLocked)
		}
		limit = s.timeout
	}
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := s.connect(asking)
	if err != nil {
		return s.explain(ctx, err)
	}
	result, dismissed, err := c.prompt(asking, needed.prompt)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case asking.Err() != nil:
		return fmt.Errorf("%w: nobody has answered its question within %v", ErrLocked, limit)
	case err != nil:
		return s.explain(ctx, err)
	case dismissed:
		return ErrDismissed
	}
	if needed.done != nil {
		needed.done(result)
	}
	return nil
}

// attributes are what our items are found by.
func (s *secretService) attributes(name string) map[string]string {
	return map[string]string{"application": application, "kind": string(s.kind), "name": name}
}

// Get implements [Keyring].
func (s *secretService) Get(ctx context.Context, name string) (secret []byte, err error) {
	err = s.run(ctx, func(ctx context.Context, c *secretClient) error {
		items, err := c.find(ctx, s.attributes(name), secretsPath)
		if err != nil {
			return err
		}
		secret, err = c.secret(ctx, items[0])
		return err
	})
	return secret, err
}

// Set implements [Keyring]. The new item is there before the old ones, which
// may be in another collection, are deleted.
func (s *secretService) Set(ctx context.Context, name string, secret []byte) error {
	label := fmt.Sprintf("%s: %s %s", application, strings.ReplaceAll(string(s.kind), "-", " "), name)
	var made dbus.ObjectPath // once there is the new item
	return s.run(ctx, func(ctx context.Context, c *secretClient) error {
		if made == "" {
			collection, err := c.defaultCollection(ctx)
			if err != nil {
				return err
			}
			item, err := c.create(ctx, collection, label, s.attributes(name), secret)
			if needed, ok := errors.AsType[promptError](err); ok {
				needed.done = func(result dbus.Variant) {
					if path, ok := result.Value().(dbus.ObjectPath); ok && path != noObject {
						made = path
					}
				}
				return needed
			}
			if err != nil {
				return err
			}
			made = item
		}
		items, err := c.find(ctx, s.attributes(name), secretsPath)
		if err != nil {
			return err
		}
		for _, i := range items {
			if i.path != made {
				if err := c.delete(ctx, i); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Delete implements [Keyring].
func (s *secretService) Delete(ctx context.Context, name string) error {
	asked := false
	return s.run(ctx, func(ctx context.Context, c *secretClient) error {
		items, err := c.find(ctx, s.attributes(name), secretsPath)
		if asked && errors.Is(err, ErrNotFound) {
			return nil // the prompt has deleted it
		}
		if err != nil {
			return err
		}
		for _, i := range items {
			if err := c.delete(ctx, i); err != nil {
				asked = errors.As(err, new(promptError))
				return err
			}
		}
		return nil
	})
}

// probe returns nil when the service can be used: for session keys, without
// asking anybody.
func (s *secretService) probe(ctx context.Context) error {
	err := s.once(ctx, func(ctx context.Context, c *secretClient) error {
		var unlocked, locked []dbus.ObjectPath
		kind := map[string]string{"application": application, "kind": string(s.kind)}
		if err := c.do(ctx, secretsPath, serviceIface+".SearchItems", []any{kind}, &unlocked, &locked); err != nil || len(unlocked) > 0 {
			return err
		}
		_, err := c.defaultCollection(ctx)
		return err
	})
	if errors.As(err, new(promptError)) {
		if s.kind == AccessKeys {
			return nil
		}
		return ErrLocked
	}
	return err
}

// envchain reads variables that envchain keeps: items of its schema with the
// attributes name, the namespace, and key, the variable.
func (s *secretService) envchain(ctx context.Context, namespace string, variables []string) (map[string][]byte, error) {
	var values map[string][]byte
	err := s.run(ctx, func(ctx context.Context, c *secretClient) error {
		values = map[string][]byte{}
		items, err := c.find(ctx, map[string]string{"xdg:schema": "envchain.EnvironmentVariable", "name": namespace}, secretsPath)
		if err != nil {
			return err
		}
		for _, i := range items {
			variable := i.attributes["key"]
			if _, twice := values[variable]; twice || !slices.Contains(variables, variable) {
				continue
			}
			if values[variable], err = c.secret(ctx, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(values) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return values, nil
}

// awsVault reads what aws-vault keeps for a profile. Its keyring library puts
// items with the attribute profile into a collection of its own, each a JSON
// object whose Data is what aws-vault has given it.
func (s *secretService) awsVault(ctx context.Context, profile string) ([]byte, error) {
	var stored struct {
		Key  string
		Data []byte
	}
	err := s.run(ctx, func(ctx context.Context, c *secretClient) error {
		items, err := c.find(ctx, map[string]string{"profile": profile}, secretsPath+"/collection/awsvault")
		if err != nil {
			return err
		}
		secret, err := c.secret(ctx, items[0])
		if err != nil {
			return err
		}
		if json.Unmarshal(secret, &stored) != nil || stored.Key != profile || checkSecret(stored.Data) != nil {
			return fmt.Errorf("%w: the item of %q is not one of aws-vault's", ErrUnavailable, profile)
		}
		return nil
	})
	return stored.Data, err
}

// secretClient speaks the Secret Service API over a bus. Its methods end with
// their context.
type secretClient struct {
	bus
	session dbus.ObjectPath
	cipher  sessionCipher
}

// wireSecret is the API's Secret struct, (oayays).
type wireSecret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

// item is an item of the service, whose attributes are no secrets.
type item struct {
	path       dbus.ObjectPath
	attributes map[string]string
}

func (c *secretClient) do(ctx context.Context, path dbus.ObjectPath, method string, args []any, returns ...any) error {
	return c.call(ctx, secretsName, path, method, args, returns...)
}

func (c *secretClient) property(ctx context.Context, path dbus.ObjectPath, iface, name string, value any) error {
	var v dbus.Variant
	if err := c.do(ctx, path, propertyIface+".Get", []any{iface, name}, &v); err != nil {
		return err
	}
	if err := v.Store(value); err != nil {
		return fmt.Errorf("%w: property %s: %w", ErrUnavailable, name, err)
	}
	return nil
}

// openSession agrees on how secrets travel: encrypted, so that they show in no
// capture of the bus; as they are only where the service refuses anything else.
func (c *secretClient) openSession(ctx context.Context) error {
	agreement := newAgreement()
	var theirs dbus.Variant
	err := c.do(ctx, secretsPath, serviceIface+".OpenSession",
		[]any{dhAlgorithm, dbus.MakeVariant(agreement.public())}, &theirs, &c.session)
	var reply dbus.Error
	if errors.As(err, &reply) && reply.Name == "org.freedesktop.DBus.Error.NotSupported" {
		c.cipher = sessionCipher{}
		return c.do(ctx, secretsPath, serviceIface+".OpenSession", []any{"plain", dbus.MakeVariant("")}, &theirs, &c.session)
	}
	if err != nil {
		return err
	}
	public, ok := theirs.Value().([]byte)
	if !ok {
		return fmt.Errorf("%w: the service's half of the key is no bytes", ErrUnavailable)
	}
	c.cipher, err = agreement.cipher(public)
	return err
}

// defaultCollection returns the collection that new items go to, unlocked.
func (c *secretClient) defaultCollection(ctx context.Context) (dbus.ObjectPath, error) {
	var path dbus.ObjectPath
	if err := c.do(ctx, secretsPath, serviceIface+".ReadAlias", []any{"default"}, &path); err != nil {
		return "", err
	}
	if path == noObject {
		return "", fmt.Errorf("%w: the Secret Service has no default collection", ErrUnavailable)
	}
	var locked bool
	if err := c.property(ctx, path, collectIface, "Locked", &locked); err != nil {
		return "", err
	}
	if locked {
		return path, c.unlock(ctx, path)
	}
	return path, nil
}

// find returns the items under a path that have all of the attributes, in the
// order of their paths, unlocked; or ErrNotFound. It believes a service that
// there are none only when the default collection is unlocked, since some, such
// as KeePassXC, do not show the items of a locked one.
func (c *secretClient) find(ctx context.Context, attributes map[string]string, under string) ([]item, error) {
	items, locked, err := c.search(ctx, attributes, under)
	if err != nil || len(items) > 0 {
		return items, err
	}
	if len(locked) > 0 {
		if err := c.unlock(ctx, locked...); err != nil {
			return nil, err
		}
	} else if _, err := c.defaultCollection(ctx); err != nil {
		return nil, err
	}
	items, _, err = c.search(ctx, attributes, under)
	if err == nil && len(items) == 0 {
		err = ErrNotFound
	}
	return items, err
}

// search returns the unlocked items under a path, and the paths of locked ones.
func (c *secretClient) search(ctx context.Context, attributes map[string]string, under string) (items []item, locked []dbus.ObjectPath, err error) {
	var unlocked []dbus.ObjectPath
	if err := c.do(ctx, secretsPath, serviceIface+".SearchItems", []any{attributes}, &unlocked, &locked); err != nil {
		return nil, nil, err
	}
	elsewhere := func(p dbus.ObjectPath) bool { return !strings.HasPrefix(string(p), under+"/") }
	unlocked = slices.DeleteFunc(unlocked, elsewhere)
	locked = slices.DeleteFunc(locked, elsewhere)
	slices.Sort(unlocked)
	for _, path := range unlocked[:min(len(unlocked), maxItems)] {
		i := item{path: path}
		if err := c.property(ctx, path, itemIface, "Attributes", &i.attributes); err != nil {
			return nil, nil, err
		}
		// A service that finds too much would have us hand out another's secret.
		if hasAll(i.attributes, attributes) {
			items = append(items, i)
		}
	}
	return items, locked, nil
}

func hasAll(m, want map[string]string) bool {
	for k, v := range want {
		if got, ok := m[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// unlock unlocks what needs no prompt, and returns a promptError for the rest.
func (c *secretClient) unlock(ctx context.Context, objects ...dbus.ObjectPath) error {
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	if err := c.do(ctx, secretsPath, serviceIface+".Unlock", []any{objects}, &unlocked, &prompt); err != nil {
		return err
	}
	if prompt != noObject {
		return promptError{prompt: prompt}
	}
	for _, o := range objects {
		if !slices.Contains(unlocked, o) {
			return ErrLocked
		}
	}
	return nil
}

// prompt shows a prompt and waits until the person is done with it. One that
// is given up is taken off the screen.
func (c *secretClient) prompt(ctx context.Context, prompt dbus.ObjectPath) (result dbus.Variant, dismissed bool, err error) {
	completed, stop, err := c.await(ctx, prompt, promptIface, "Completed")
	if err != nil {
		return result, false, err
	}
	defer stop()
	defer func() {
		if ctx.Err() != nil {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
			defer cancel()
			_ = c.do(last, prompt, promptIface+".Dismiss", nil)
		}
	}()
	if err := c.do(ctx, prompt, promptIface+".Prompt", []any{""}); err != nil {
		return result, false, err
	}
	for {
		select {
		case signal, ok := <-completed:
			if !ok {
				return result, false, dbus.ErrClosed
			}
			if signal.Path != prompt || signal.Name != promptIface+".Completed" {
				continue
			}
			err := dbus.Store(signal.Body, &dismissed, &result)
			return result, dismissed, err
		case <-ctx.Done():
			return result, false, ctx.Err()
		}
	}
}

func (c *secretClient) secret(ctx context.Context, i item) ([]byte, error) {
	var s wireSecret
	if err := c.do(ctx, i.path, itemIface+".GetSecret", []any{c.session}, &s); err != nil {
		return nil, err
	}
	if len(s.Value) > MaxSecret+blockSize {
		return nil, checkSecret(s.Value)
	}
	return c.cipher.open(s.Parameters, s.Value)
}

// create creates an item, replacing one of the same attributes.
func (c *secretClient) create(ctx context.Context, collection dbus.ObjectPath, label string, attributes map[string]string, secret []byte) (dbus.ObjectPath, error) {
	parameters, value := c.cipher.seal(secret)
	var path, prompt dbus.ObjectPath
	err := c.do(ctx, collection, collectIface+".CreateItem", []any{
		map[string]dbus.Variant{
			itemIface + ".Label":      dbus.MakeVariant(label),
			itemIface + ".Attributes": dbus.MakeVariant(attributes),
		},
		wireSecret{c.session, parameters, value, "application/octet-stream"},
		true,
	}, &path, &prompt)
	if err == nil && prompt != noObject {
		err = promptError{prompt: prompt, silent: true}
	}
	return path, err
}

func (c *secretClient) delete(ctx context.Context, i item) error {
	var prompt dbus.ObjectPath
	if err := c.do(ctx, i.path, itemIface+".Delete", nil, &prompt); err != nil {
		return err
	}
	if prompt != noObject {
		return promptError{prompt: prompt, silent: true}
	}
	return nil
}
