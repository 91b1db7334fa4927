package stack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
)

func TestTheWatchTellsTheChatOnceAndWhenItIsMended(t *testing.T) {
	is := is.New(t)
	s := newStack(t, "--profile", "dev")
	s.env = append(s.env, "COMPOSE_PROJECT_NAME="+s.project, "COMPOSE_PROFILES=dev")
	s.up()
	watch := func() error {
		cmd := exec.Command("docker/vps/vigila")
		cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		return err
	}
	s.compose("stop", "redis")
	is.NoErr(watch()) // it starts what is missing
	is.Equal(len(s.messages()), 0)

	is.NoErr(os.Remove(filepath.Join(s.dir, "docker/dev/redis_password"))) // another file: ccm-api keeps the one before
	s.write("docker/dev/redis_password", "otra")
	s.compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", "redis")
	is.True(watch() != nil)
	is.True(watch() != nil)
	is.Equal(len(s.messages()), 1)
	is.True(strings.Contains(s.messages()[0], "fallo caché"))

	s.compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", "ccm-api")
	is.NoErr(watch())
	is.Equal(len(s.messages()), 2)
}

func TestTheUnitsOfTheWatchAreValid(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("OMITIDO: no hay systemd-analyze")
	}
	dir := t.TempDir()
	for _, name := range []string{"ccm-vigila.service", "ccm-vigila.timer"} {
		unit, err := os.ReadFile("../vps/" + name)
		if err != nil {
			t.Fatal(err)
		}
		root, err := filepath.Abs("../..")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(string(unit), "/srv/ccm", root)), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("systemd-analyze", "verify", filepath.Join(dir, name)).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
