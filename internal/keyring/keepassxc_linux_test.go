package keyring

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// TestKeePassXC: its Secret Service is another than GNOME Keyring's, with no
// collections but the groups of a database that its user has exposed, and a
// prompt for all that is written. It is spared the suite: version 2.7.4 crashes
// when many write at once on a busy machine.
func TestKeePassXC(t *testing.T) {
	address := keePassXC(t)
	o := Options{Kind: SessionKeys, SessionBus: address}
	open := func(t *testing.T, o Options) *Opened {
		s := newSecretService(o)
		s.timeout = patience // a busy machine may take its time
		k := &Opened{Choice: SecretService, keyring: s}
		t.Cleanup(func() { k.Close() })
		return k
	}

	t.Run("set, get, overwrite, delete", func(t *testing.T) {
		k := open(t, o)
		if got, err := k.Get(t.Context(), "key"); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get of nothing: %q, %v", got, err)
		}
		for _, secret := range []string{"first", "\x00second\xff", strings.Repeat("x", MaxSecret)} {
			if err := k.Set(t.Context(), "key", []byte(secret)); err != nil {
				t.Fatal(err)
			}
			if got, err := open(t, o).Get(t.Context(), "key"); err != nil || string(got) != secret {
				t.Errorf("Get: %d bytes, %v; want the %d that were set", len(got), err, len(secret))
			}
		}
		if err := k.Delete(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
		if err := k.Delete(t.Context(), "key"); !errors.Is(err, ErrNotFound) {
			t.Errorf("Delete of nothing: %v", err)
		}
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
AutoSaveAfterEveryChange=false
AutoSaveOnExit=false
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
	soon(t, "KeePassXC", func() error {
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
