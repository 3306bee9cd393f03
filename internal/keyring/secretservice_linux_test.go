package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestGNOMEKeyring(t *testing.T) {
	address := gnomeKeyring(t)
	o := Options{Kind: SessionKeys, SessionBus: address}
	open := func(t *testing.T, o Options) *Opened {
		t.Helper()
		k, err := Open(t.Context(), SecretService, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { k.Close() })
		return k
	}

	suite(t, func() Keyring { return open(t, o) })

	t.Run("auto", func(t *testing.T) {
		k, err := Open(t.Context(), Auto, o)
		if err != nil || k.Choice != SecretService || len(k.Skipped) > 0 {
			t.Fatalf("Auto is %+v, %v", k, err)
		}
		k.Close()
	})

	t.Run("kinds", func(t *testing.T) {
		long := o
		long.Kind = AccessKeys
		if err := open(t, o).Set(t.Context(), "a", []byte("session")); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, long).Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a session key was found among access keys: %v", err)
		}
	})

	t.Run("secret-tool sees our items", func(t *testing.T) {
		out := secretTool(t, address, nil, "lookup", "application", "aws-switch-role", "kind", "session-key", "name", "a")
		if out != "session" {
			t.Errorf("got %q", out)
		}
	})

	t.Run("another collection", func(t *testing.T) {
		// Items of a keyring that is no longer the default are found, and not
		// left to be found again when they are set.
		secretTool(t, address, []byte("old"), "store", "--label=x", "--collection=session", "application", "aws-switch-role", "kind", "session-key", "name", "moved")
		k := open(t, o)
		if got, err := k.Get(t.Context(), "moved"); err != nil || string(got) != "old" {
			t.Errorf("Get: %q, %v", got, err)
		}
		if err := k.Set(t.Context(), "moved", []byte("new")); err != nil {
			t.Fatal(err)
		}
		if got, err := k.Get(t.Context(), "moved"); err != nil || string(got) != "new" {
			t.Errorf("Get: %q, %v", got, err)
		}
	})

	t.Run("envchain", func(t *testing.T) {
		for _, v := range []struct{ schema, namespace, key, value string }{
			{"envchain.EnvironmentVariable", "aws-main-account", "AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"},
			{"envchain.EnvironmentVariable", "aws-main-account", "AWS_SECRET_ACCESS_KEY", "SECRET/+="},
			{"envchain.EnvironmentVariable", "aws-main-account", "OTHER", "not asked for"},
			{"envchain.EnvironmentVariable", "aws-other", "AWS_ACCESS_KEY_ID", "other namespace"},
			{"org.example.Other", "aws-main-account", "AWS_SESSION_TOKEN", "other program"},
		} {
			secretTool(t, address, []byte(v.value), "store", "--label="+v.key, "xdg:schema", v.schema, "name", v.namespace, "key", v.key)
		}
		got, err := Envchain(t.Context(), o, "aws-main-account", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
		if err != nil || len(got) != 2 || string(got["AWS_ACCESS_KEY_ID"]) != "AKIAIOSFODNN7EXAMPLE" || string(got["AWS_SECRET_ACCESS_KEY"]) != "SECRET/+=" {
			t.Errorf("got %q, %v", got, err)
		}
		if got, err := Envchain(t.Context(), o, "nowhere", "AWS_ACCESS_KEY_ID"); !errors.Is(err, ErrNotFound) {
			t.Errorf("an unknown namespace: %q, %v", got, err)
		}
	})

	t.Run("aws-vault", func(t *testing.T) {
		payload := `{"AccessKeyID":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"SECRET"}`
		item, _ := json.Marshal(map[string]any{"Key": "work", "Data": []byte(payload), "Label": "aws-vault (work)", "Description": "", "KeychainNotTrustApplication": true})
		storeAWSVault(t, address, "work", item)
		secretTool(t, address, []byte("{}"), "store", "--label=work", "profile", "elsewhere")
		if got, err := AWSVault(t.Context(), o, "work"); err != nil || string(got) != payload {
			t.Errorf("got %q, %v", got, err)
		}
		for _, profile := range []string{"nobody", "elsewhere"} {
			if got, err := AWSVault(t.Context(), o, profile); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %q, %v", profile, got, err)
			}
		}
	})

	t.Run("nothing in clear", func(t *testing.T) {
		secret := "SECRET-ON-THE-BUS"
		capture := monitor(t, address)
		k := open(t, o)
		if err := k.Set(t.Context(), "seen", []byte(secret)); err != nil {
			t.Fatal(err)
		}
		if got, err := k.Get(t.Context(), "seen"); err != nil || string(got) != secret {
			t.Fatal(string(got), err)
		}
		if all := capture("GetSecret"); bytes.Contains(all, []byte(secret)) {
			t.Error("the secret shows on the bus")
		}
	})

	t.Run("locked", func(t *testing.T) {
		lock(t, address)
		ends(t, func() {
			k := open(t, o)
			if _, err := k.Get(t.Context(), "a"); !errors.Is(err, ErrLocked) {
				t.Errorf("Get: %v, want ErrLocked", err)
			}
			if _, err := k.Get(t.Context(), "nobody"); !errors.Is(err, ErrLocked) {
				t.Errorf("Get of what is not there: %v, want ErrLocked", err)
			}
			if err := k.Set(t.Context(), "a", []byte("x")); !errors.Is(err, ErrLocked) {
				t.Errorf("Set: %v, want ErrLocked", err)
			}
			if err := k.Delete(t.Context(), "a"); !errors.Is(err, ErrLocked) {
				t.Errorf("Delete: %v, want ErrLocked", err)
			}
			if _, err := Envchain(t.Context(), o, "aws-main-account", "AWS_ACCESS_KEY_ID"); !errors.Is(err, ErrLocked) {
				t.Errorf("Envchain: %v, want ErrLocked", err)
			}
			auto, err := Open(t.Context(), Auto, o)
			if err != nil || auto.Choice != Kernel || len(auto.Skipped) != 1 || !errors.Is(auto.Skipped[0], ErrLocked) {
				t.Errorf("Auto for session keys is %+v, %v", auto, err)
			}
			long := o
			long.Kind = AccessKeys
			auto, err = Open(t.Context(), Auto, long)
			if err != nil || auto.Choice != SecretService {
				t.Errorf("Auto for access keys is %+v, %v", auto, err)
			}
			auto.Close()
		})
	})
}

// secretTool runs libsecret's own program.
func secretTool(t *testing.T, address string, in []byte, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "secret-tool", "libsecret-tools"), args...)
	cmd.Env = []string{"DBUS_SESSION_BUS_ADDRESS=" + address, "HOME=" + scratch}
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("secret-tool %s: %v %s", args, err, exit.Stderr)
	}
	return string(out)
}

// rawBus connects to a bus without any of our own code.
func rawBus(t *testing.T, address string) *dbus.Conn {
	t.Helper()
	c, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func lock(t *testing.T, address string) {
	t.Helper()
	service := rawBus(t, address).Object(secretsName, secretsPath)
	collections, err := service.GetProperty(serviceIface + ".Collections")
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Call(serviceIface+".Lock", 0, collections.Value()).Err; err != nil {
		t.Fatal(err)
	}
}

// storeAWSVault stores an item as aws-vault's library does, in a collection of
// its own. GNOME Keyring would ask for the password of that; its internal
// interface takes one.
func storeAWSVault(t *testing.T, address, profile string, secret []byte) {
	t.Helper()
	c := rawBus(t, address)
	call := func(path dbus.ObjectPath, method string, args []any, returns ...any) {
		t.Helper()
		if err := c.Object(secretsName, path).Call(method, 0, args...).Store(returns...); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	var session, collection, item, prompt dbus.ObjectPath
	var output dbus.Variant
	call(secretsPath, "org.freedesktop.Secret.Service.OpenSession", []any{"plain", dbus.MakeVariant("")}, &output, &session)
	call(secretsPath, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.CreateWithMasterPassword", []any{
		map[string]dbus.Variant{"org.freedesktop.Secret.Collection.Label": dbus.MakeVariant("awsvault")},
		wireSecret{session, []byte{}, []byte("password"), "text/plain"},
	}, &collection)
	if collection != "/org/freedesktop/secrets/collection/awsvault" {
		t.Fatalf("the collection is %s", collection)
	}
	call(collection, "org.freedesktop.Secret.Collection.CreateItem", []any{
		map[string]dbus.Variant{
			"org.freedesktop.Secret.Item.Label":      dbus.MakeVariant(profile),
			"org.freedesktop.Secret.Item.Attributes": dbus.MakeVariant(map[string]string{"profile": profile}),
		},
		wireSecret{session, []byte{}, secret, "application/json"}, true,
	}, &item, &prompt)
}

// monitor captures a bus until the returned func is called, which waits until
// marker was captured and returns everything.
func monitor(t *testing.T, address string) func(marker string) []byte {
	t.Helper()
	path := filepath.Join(tempDir(t), "capture")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	cmd := exec.Command(program(t, "dbus-monitor", "dbus-bin"), "--address", address, "--pcap")
	cmd.Stdout = f
	start(t, cmd)
	until := func(marker string) (all []byte) {
		soon(t, "dbus-monitor has not seen "+marker, func() error {
			all, err = os.ReadFile(path)
			if err == nil && !bytes.Contains(all, []byte(marker)) {
				err = errors.New("not yet")
			}
			return err
		})
		return all
	}
	c := rawBus(t, address)
	soon(t, "dbus-monitor", func() error {
		_ = c.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err
		all, err := os.ReadFile(path)
		if err == nil && !bytes.Contains(all, []byte("GetId")) {
			err = errors.New("nothing captured")
		}
		return err
	})
	return func(marker string) []byte {
		until(marker)
		_ = c.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Err
		return until("ListNames")
	}
}

func TestWithoutBus(t *testing.T) {
	before := countOf("dbus-daemon") + countOf("dbus-launch")
	file := filepath.Join(tempDir(t), "bus")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"nothing set":           {},
		"no socket":             {RuntimeDir: tempDir(t)},
		"a file for a socket":   {RuntimeDir: filepath.Dir(file)},
		"nobody listens":        {SessionBus: "unix:path=" + file},
		"autolaunch":            {SessionBus: "autolaunch:"},
		"a program":             {SessionBus: "unixexec:path=/usr/bin/touch,argv1=" + file + ".run"},
		"the network":           {SessionBus: "tcp:host=127.0.0.1,port=1"},
		"not an address":        {SessionBus: "\x00;;unix:;unix:path=;unix:path=%zz;=,=", RuntimeDir: tempDir(t)},
		"set but not there":     {SessionBus: "unix:path=/nonexistent", RuntimeDir: tempDir(t)},
		"an abstract one, gone": {SessionBus: "unix:abstract=/tmp/asr-nobody,guid=0"},
	} {
		o.Kind = AccessKeys
		ends(t, func() {
			k, err := Open(t.Context(), SecretService, o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k.Get(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s: %v, want ErrUnavailable", name, err)
			}
			auto, err := Open(t.Context(), Auto, o)
			if err != nil || auto.Choice != None || len(auto.Skipped) != 3 {
				t.Errorf("%s: Auto is %+v, %v", name, auto, err)
			}
		})
	}
	if after := countOf("dbus-daemon") + countOf("dbus-launch"); after != before {
		t.Errorf("there are %d bus daemons, and were %d", after, before)
	}
	if _, err := os.Stat(file + ".run"); err == nil {
		t.Error("the program in an address was run")
	}
}

func TestBusAddresses(t *testing.T) {
	address, _ := testBus(t)
	path := strings.TrimPrefix(strings.Split(address, ",")[0], "unix:path=")
	for name, o := range map[string]Options{
		"as given":              {SessionBus: address},
		"second of two":         {SessionBus: "tcp:host=127.0.0.1,port=1;unix:path=/nonexistent;" + address},
		"escaped":               {SessionBus: "unix:guid=00,path=" + strings.ReplaceAll(path, "s", "%73")},
		"in the runtime folder": {RuntimeDir: filepath.Dir(path)},
	} {
		b, err := dialBus(t.Context(), o.SessionBus, o.RuntimeDir, time.Second)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b.conn.Close()
	}
	if got := busSockets("unix:abstract=/tmp/x,guid=1;unix:path=/y"); fmt.Sprint(got) != "[@/tmp/x /y]" {
		t.Errorf("busSockets: %q", got)
	}
}

// fake is a Secret Service that misbehaves as it is told. It has one item.
type fake struct {
	address string
	daemon  *os.Process
	conn    *dbus.Conn

	answer     string // to the prompt: "", "unlock" or "dismiss"
	secret     []byte
	attributes map[string]string
	slow       time.Duration
	refuseDH   bool
	garble     bool
	weak       bool
	empty      bool // no items, and no collection to put one into
	dies       bool // the bus, in the middle of GetSecret
	stops      bool // the bus, in the middle of GetSecret

	locked              bool
	prompted, dismissed chan struct{}
	cipher              sessionCipher
}

const (
	fakeCollection dbus.ObjectPath = secretsPath + "/collection/login"
	fakeItem       dbus.ObjectPath = fakeCollection + "/1"
	fakePrompt     dbus.ObjectPath = secretsPath + "/prompt/p1"
)

// serve puts f on a bus of its own and returns a client of it.
func (f *fake) serve(t *testing.T) *secretService {
	t.Helper()
	f.address, f.daemon = testBus(t)
	f.conn = rawBus(t, f.address)
	f.prompted, f.dismissed = make(chan struct{}, 9), make(chan struct{}, 9)
	if f.secret == nil {
		f.secret = []byte("SECRET-OF-THE-FAKE")
	}
	if f.attributes == nil {
		f.attributes = map[string]string{"application": "aws-switch-role", "kind": "session-key", "name": "a", "more": "x"}
	}
	export := func(path dbus.ObjectPath, iface string, methods map[string]any) {
		if err := f.conn.ExportMethodTable(methods, path, iface); err != nil {
			t.Fatal(err)
		}
	}
	export(secretsPath, serviceIface, map[string]any{
		"OpenSession": f.openSession,
		"ReadAlias": func(string) (dbus.ObjectPath, *dbus.Error) {
			if f.empty {
				return noObject, nil
			}
			return fakeCollection, nil
		},
		"SearchItems": func(map[string]string) (unlocked, locked []dbus.ObjectPath, _ *dbus.Error) {
			time.Sleep(f.slow)
			if f.empty {
				return nil, nil, nil
			}
			if f.locked {
				return nil, []dbus.ObjectPath{fakeItem}, nil
			}
			return []dbus.ObjectPath{fakeItem}, nil, nil
		},
		"Unlock": func([]dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
			return nil, fakePrompt, nil
		},
	})
	export(fakePrompt, promptIface, map[string]any{"Prompt": f.prompt, "Dismiss": func() *dbus.Error {
		f.dismissed <- struct{}{}
		return nil
	}})
	export(fakeCollection, propertyIface, map[string]any{"Get": func(string, string) (dbus.Variant, *dbus.Error) {
		return dbus.MakeVariant(f.locked), nil
	}})
	export(fakeItem, propertyIface, map[string]any{"Get": func(string, string) (dbus.Variant, *dbus.Error) {
		return dbus.MakeVariant(f.attributes), nil
	}})
	export(fakeItem, itemIface, map[string]any{"GetSecret": f.getSecret})
	if _, err := f.conn.RequestName(secretsName, 0); err != nil {
		t.Fatal(err)
	}
	s := newSecretService(Options{Kind: SessionKeys, SessionBus: f.address})
	s.timeout, s.promptTimeout = 20*time.Second, 2*time.Second
	t.Cleanup(func() { s.Close() })
	return s
}

func (f *fake) openSession(algorithm string, theirs dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	const session = secretsPath + "/session/s1"
	if algorithm == "plain" {
		f.cipher = sessionCipher{}
		return dbus.MakeVariant(""), session, nil
	}
	if f.refuseDH {
		return dbus.Variant{}, "", dbus.NewError("org.freedesktop.DBus.Error.NotSupported", nil)
	}
	if f.weak {
		return dbus.MakeVariant([]byte{1}), session, nil
	}
	a := newAgreement()
	var err error
	if f.cipher, err = a.cipher(theirs.Value().([]byte)); err != nil {
		return dbus.Variant{}, "", dbus.MakeFailedError(err)
	}
	return dbus.MakeVariant(a.public()), session, nil
}

func (f *fake) prompt(string) *dbus.Error {
	f.prompted <- struct{}{}
	if f.answer != "" {
		f.locked = f.answer != "unlock"
		time.AfterFunc(20*time.Millisecond, func() {
			_ = f.conn.Emit(fakePrompt, promptIface+".Completed", f.locked, dbus.MakeVariant([]dbus.ObjectPath{fakeItem}))
		})
	}
	return nil
}

func (f *fake) getSecret(session dbus.ObjectPath) (wireSecret, *dbus.Error) {
	switch {
	case f.dies:
		_ = f.daemon.Kill()
		time.Sleep(10 * time.Second)
	case f.stops:
		_ = f.daemon.Signal(unix.SIGSTOP)
	}
	parameters, value := f.cipher.seal(f.secret)
	if f.garble {
		value = value[:len(value)-1]
	}
	return wireSecret{session, parameters, value, "text/plain"}, nil
}

// TestMisbehaviour has a service do what services have been seen to do. Each
// ends in the right error within the bound.
func TestMisbehaviour(t *testing.T) {
	for name, c := range map[string]struct {
		fake      fake
		mayPrompt bool
		want      error
		shown     int           // prompts
		timeout   time.Duration // zero is longer than anything takes
	}{
		"behaves":                       {fake: fake{}},
		"behaves, asks and is unlocked": {fake: fake{locked: true, answer: "unlock"}, mayPrompt: true, shown: 1},
		"locked, nobody to ask":         {fake: fake{locked: true}, want: ErrLocked},
		"the prompt never ends":         {fake: fake{locked: true}, mayPrompt: true, want: ErrLocked, shown: 1},
		"the prompt is dismissed":       {fake: fake{locked: true, answer: "dismiss"}, mayPrompt: true, want: ErrDismissed, shown: 1},
		"the bus dies":                  {fake: fake{dies: true}, want: ErrUnavailable},
		"the bus stops":                 {fake: fake{stops: true}, want: ErrUnavailable, timeout: 300 * time.Millisecond},
		"slow":                          {fake: fake{slow: 5 * time.Second}, want: ErrUnavailable, timeout: 300 * time.Millisecond},
		"too large":                     {fake: fake{secret: make([]byte, MaxSecret+1)}, want: ErrSize},
		"far too large":                 {fake: fake{secret: make([]byte, 2*maxTraffic)}, want: errTraffic},
		"empty":                         {fake: fake{secret: []byte{}}, want: ErrSize},
		"another's item":                {fake: fake{attributes: map[string]string{"application": "aws-switch-role", "kind": "session-key", "name": "b"}}, want: ErrNotFound},
		"garbled":                       {fake: fake{garble: true}, want: ErrUnavailable},
		"a weak key":                    {fake: fake{weak: true}, want: ErrUnavailable},
		"no encryption":                 {fake: fake{refuseDH: true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.fake
			s := f.serve(t)
			s.mayPrompt = c.mayPrompt
			if c.timeout > 0 {
				s.timeout = c.timeout
			}
			k := &Opened{SecretService, nil, s}
			ends(t, func() {
				got, err := k.Get(t.Context(), "a")
				if !errors.Is(err, c.want) || c.want == nil && string(got) != string(f.secret) || c.want != nil && got != nil {
					t.Errorf("Get: %d bytes, %v; want %v", len(got), err, c.want)
				}
			})
			if len(f.prompted) != c.shown {
				t.Errorf("%d prompts were shown, want %d", len(f.prompted), c.shown)
			}
			if gaveUp := c.shown > 0 && f.answer == ""; gaveUp != (len(f.dismissed) > 0) {
				t.Errorf("prompts taken away: %d", len(f.dismissed))
			}
			if f.stops {
				_ = f.daemon.Signal(unix.SIGCONT)
			}
		})
	}
}

func TestPromptEndsWithItsContext(t *testing.T) {
	f := fake{locked: true}
	s := f.serve(t)
	s.mayPrompt, s.promptTimeout = true, time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-f.prompted
		cancel()
	}()
	ends(t, func() {
		if _, err := s.Get(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("Get: %v", err)
		}
	})
	select {
	case <-f.dismissed:
	case <-time.After(patience):
		t.Error("the prompt stays on the screen")
	}
}

func TestNoDefaultCollection(t *testing.T) {
	f := fake{empty: true}
	s := f.serve(t)
	_, get := s.Get(t.Context(), "a")
	for _, err := range []error{get, s.probe(t.Context()), s.Set(t.Context(), "a", []byte("x"))} {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	}
}

// TestCaptureWouldShowIt proves that a capture shows what is not encrypted,
// and that the one of TestGNOMEKeyring so means something.
func TestCaptureWouldShowIt(t *testing.T) {
	f := fake{refuseDH: true}
	s := f.serve(t)
	capture := monitor(t, f.address)
	if _, err := s.Get(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(capture("GetSecret"), f.secret) {
		t.Error("the capture does not show a secret in clear")
	}
}

// TestComesBack has the connection lost between two calls.
func TestComesBack(t *testing.T) {
	s := (&fake{}).serve(t)
	for range 2 {
		if _, err := s.Get(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		s.client.conn.Close()
	}
}

// TestSilentBus listens where a bus should be, and says nothing.
func TestSilentBus(t *testing.T) {
	socket := filepath.Join(tempDir(t), "bus")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	before := goleak.IgnoreCurrent()
	s := newSecretService(Options{Kind: SessionKeys, RuntimeDir: filepath.Dir(socket)})
	ends(t, func() {
		if _, err := s.Get(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Get: %v", err)
		}
	})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// TestLongUse reads more than one operation may, in many.
func TestLongUse(t *testing.T) {
	s := (&fake{secret: bytes.Repeat([]byte("x"), MaxSecret)}).serve(t)
	for range maxTraffic/MaxSecret + 8 {
		if _, err := s.Get(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCancelledAlone has one of two callers on a connection give up.
func TestCancelledAlone(t *testing.T) {
	f := &fake{slow: 150 * time.Millisecond}
	s := f.serve(t)
	other := make(chan error)
	go func() {
		_, err := s.Get(t.Context(), "a")
		other <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the impatient one: %v", err)
	}
	if err := <-other; err != nil {
		t.Errorf("the patient one: %v", err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	f := &fake{}
	s := f.serve(t)
	before := goleak.IgnoreCurrent()
	if _, err := s.Get(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

func BenchmarkGNOMEKeyring(b *testing.B) {
	o := Options{Kind: SessionKeys, SessionBus: gnomeKeyring(b)}
	s := newSecretService(o)
	if err := s.Set(b.Context(), sessionKeyName, make([]byte, 32)); err != nil {
		b.Fatal(err)
	}
	s.Close()
	for b.Loop() {
		k, err := Open(b.Context(), Auto, o)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Get(b.Context(), sessionKeyName); err != nil {
			b.Fatal(err)
		}
		k.Close()
	}
}
