package keyring

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// TestKeePassXC: its Secret Service is another than GNOME Keyring's, with no
// collections but the groups of a database that its user has exposed.
func TestKeePassXC(t *testing.T) {
	address := keePassXC(t)
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

	t.Run("secret-tool sees our items", func(t *testing.T) {
		if err := open(t, o).Set(t.Context(), "a", []byte("session")); err != nil {
			t.Fatal(err)
		}
		out := secretTool(t, address, nil, "lookup", "application", "aws-switch-role", "kind", "session-key", "name", "a")
		if out != "session" {
			t.Errorf("got %q", out)
		}
	})

	t.Run("envchain", func(t *testing.T) {
		secretTool(t, address, []byte("SECRET"), "store", "--label=main.KEY", "xdg:schema", "envchain.EnvironmentVariable", "name", "main", "key", "KEY")
		if got, err := Envchain(t.Context(), o, "main", "KEY", "OTHER"); err != nil || len(got) != 1 || string(got["KEY"]) != "SECRET" {
			t.Errorf("got %q, %v", got, err)
		}
	})

	t.Run("locked", func(t *testing.T) {
		bus := rawBus(t, address)
		collections, err := bus.Object(secretsName, secretsPath).GetProperty(serviceIface + ".Collections")
		if err != nil {
			t.Fatal(err)
		}
		var done []dbus.ObjectPath
		var prompt dbus.ObjectPath
		err = bus.Object(secretsName, secretsPath).Call(serviceIface+".Lock", 0, collections.Value()).Store(&done, &prompt)
		if err == nil && prompt != noObject {
			err = bus.Object(secretsName, prompt).Call(promptIface+".Prompt", 0, "").Err
		}
		if err != nil {
			t.Fatal(err)
		}
		within(t, 30*time.Second, "locking the database", func() error {
			isLocked, err := locked(bus)
			if err == nil && !isLocked {
				err = errors.New("it is still open")
			}
			return err
		})
		if _, err := open(t, o).Get(t.Context(), "a"); !errors.Is(err, ErrLocked) {
			t.Errorf("Get: %v, want ErrLocked", err)
		}
		k, err := Open(t.Context(), Auto, o)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		if k.Choice == SecretService {
			t.Error("Auto has not passed over a locked keyring for session keys")
		}
	})
}

// keePassXCDatabase is one whose only group is exposed to the Secret Service.
const keePassXCDatabase = `<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile>
<Meta>
	<DatabaseName>login</DatabaseName>
	<MemoryProtection><ProtectPassword>True</ProtectPassword></MemoryProtection>
	<RecycleBinEnabled>False</RecycleBinEnabled>
	<CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{00112233-4455-6677-8899-aabbccddeeff}</Value></Item></CustomData>
</Meta>
<Root><Group><UUID>ABEiM0RVZneImaq7zN3u/w==</UUID><Name>Root</Name></Group></Root>
</KeePassFile>`

// keePassXCSettings turn its Secret Service on, and its questions off.
const keePassXCSettings = `[General]
ConfigVersion=2
FirstRun=false
UpdateCheckMessageShown=true
[GUI]
CheckForUpdates=false
[FdoSecrets]
Enabled=true
ShowNotification=false
ConfirmAccessItem=false
ConfirmDeleteItem=false
UnlockBeforeSearch=false
`

// keePassXC starts a KeePassXC without a screen on a bus of its own. Its
// database is open.
func keePassXC(t *testing.T) (address string) {
	t.Helper()
	address, _ = testBus(t)
	dir := tempDir(t)
	for name, text := range map[string]string{"login.xml": keePassXCDatabase, ".config/keepassxc/keepassxc.ini": keePassXCSettings} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "DBUS_SESSION_BUS_ADDRESS=" + address, "QT_QPA_PLATFORM=offscreen", "LANG=C.UTF-8"}
	database := filepath.Join(dir, "login.kdbx")
	make := exec.Command(program(t, "keepassxc-cli", "keepassxc"), "import", "-q", "-p", "-t", "100", filepath.Join(dir, "login.xml"), database)
	make.Env = env
	make.Stdin = strings.NewReader("password\npassword\n")
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("keepassxc-cli: %v\n%s", err, out)
	}
	cmd := exec.Command(program(t, "keepassxc", "keepassxc"), "--pw-stdin", database)
	cmd.Env = env
	cmd.Stdin = strings.NewReader("password\n")
	start(t, cmd)
	bus := rawBus(t, address)
	within(t, 30*time.Second, "KeePassXC", func() error {
		// It shows the database before that is open.
		isLocked, err := locked(bus)
		if err == nil && isLocked {
			err = errors.New("the database is not open")
		}
		return err
	})
	return address
}

// locked reports whether the default collection is.
func locked(bus *dbus.Conn) (bool, error) {
	var collection dbus.ObjectPath
	if err := bus.Object(secretsName, secretsPath).Call(serviceIface+".ReadAlias", 0, "default").Store(&collection); err != nil {
		return false, err
	}
	value, err := bus.Object(secretsName, collection).GetProperty(collectIface + ".Locked")
	if err != nil {
		return false, err
	}
	var is bool
	return is, value.Store(&is)
}
