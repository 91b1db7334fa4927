package stack_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/matryer/is"
)

// newWatch is a running stack, and a pass of the watch over it with settings that
// the environment has besides.
func newWatch(t *testing.T, settings ...string) (*stack, func(settings ...string) (string, error)) {
	t.Helper()
	s := newStack(t, "--profile", "dev")
	s.env = append(append(s.env, "COMPOSE_PROJECT_NAME="+s.project, "COMPOSE_PROFILES=dev"), settings...)
	return s, func(settings ...string) (string, error) {
		cmd := exec.Command("docker/vps/vigila")
		cmd.Dir, cmd.Env = s.dir, append(append(os.Environ(), s.env...), settings...)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		return string(out), err
	}
}

func TestTheWatchTellsTheChatOnceAndWhenItIsMended(t *testing.T) {
	is := is.New(t)
	s, watch := newWatch(t)
	s.up()
	s.compose("stop", "redis")
	_, err := watch()
	is.NoErr(err) // it starts what is stopped
	is.Equal(len(s.messages()), 0)

	is.NoErr(os.Remove(filepath.Join(s.dir, "docker/dev/redis_password"))) // another file: ccm-api keeps the one before
	s.write("docker/dev/redis_password", "otra")
	s.compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", "redis")
	for range 2 {
		_, err = watch()
		is.True(err != nil)
	}
	is.Equal(len(s.messages()), 1)
	is.True(strings.Contains(s.messages()[0], "fallo caché"))

	s.compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", "ccm-api")
	_, err = watch()
	is.NoErr(err)
	is.Equal(len(s.messages()), 2)

	s.compose("rm", "--force", "--stop", "redis")
	s.fault(`{"Method": "sendMessage", "Status": 502}`)
	for range 2 {
		out, err := watch()
		is.True(err != nil)
		is.True(strings.Contains(out, "No existe ningún contenedor de redis"))
	}
	is.Equal(len(s.messages()), 2) // Telegram did not confirm the first: it counts as said
	is.Equal(s.compose("ps", "--all", "--quiet", "redis"), "")
}

// What .env and the checkout say meanwhile is of a deployment that nobody has
// asked for yet.
func TestTheWatchDeploysNothing(t *testing.T) {
	is := is.New(t)
	ports := portPair(t)
	s, watch := newWatch(t, "CCM_PORT="+ports[0]+"-"+ports[1])
	s.up("--scale", "ccm-api=2")
	containers := func() []string {
		ids := strings.Fields(s.compose("ps", "--all", "--quiet"))
		slices.Sort(ids)
		return ids
	}
	before := containers()
	nowhere := tag + "-no-hay"
	s.write(".env", "CCM_TAG="+nowhere+"\nLOG_LEVEL=DEBUG\n")
	next := []string{"CCM_TAG=" + nowhere, "CCM_PORT=" + ports[0]}

	s.compose("stop", "ccm-api")
	_, err := watch(next...)
	is.NoErr(err)
	is.Equal(containers(), before)
	is.Equal(len(strings.Fields(s.compose("ps", "--quiet", "--status", "running", "ccm-api"))), 2) // two replicas stay two

	// Neither can start, and the chat is told all the same, with the image that they have.
	s.compose("stop", "ccm-api")
	for _, port := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		is.NoErr(err)
		defer l.Close()
	}
	s.compose("stop", "redis")
	_, err = watch(next...)
	is.True(err != nil)
	is.Equal(len(s.messages()), 1)
	is.True(strings.Contains(s.messages()[0], "ccm-api-1: exited"))
	is.Equal(containers(), before)
	is.True(exec.Command("docker", "image", "inspect", "ccm-api:"+nowhere).Run() != nil) // none was built
}

func TestTwoPassesOfTheWatchDoNotOverlap(t *testing.T) {
	is := is.New(t)
	s, watch := newWatch(t) // nothing runs: there is nothing to start, and nobody to tell
	lock := exec.Command("flock", "docker/vps/vigila", "sleep", "60")
	lock.Dir, lock.SysProcAttr = s.dir, &syscall.SysProcAttr{Setpgid: true}
	is.NoErr(lock.Start())
	held := func() bool {
		try := exec.Command("flock", "--nonblock", "docker/vps/vigila", "true")
		try.Dir = s.dir
		return try.Run() != nil
	}
	eventually(t, "the lock is held", held)
	out, err := watch()
	is.NoErr(err)
	is.True(strings.Contains(out, "otra pasada"))
	is.NoErr(syscall.Kill(-lock.Process.Pid, syscall.SIGKILL))
	_ = lock.Wait() // killed

	out, err = watch()
	is.True(err != nil)
	is.True(strings.Contains(out, "No existe ningún contenedor de ccm-api"))
	is.True(strings.Contains(out, "El aviso no salió"))
	is.Equal(s.compose("ps", "--all", "--quiet"), "")
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
