package testenv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

// A deferred call, or one in TestMain, is lost when a test panics or the binary
// is killed. So a child process does the removing: the test binary itself,
// started once more with reaperEnv set, reads container ids until its input
// ends, which happens however the parent ends.
const reaperEnv = "CCM_TESTENV_REAPER"

func init() {
	if os.Getenv(reaperEnv) == "" {
		return
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // meant for the parent, whose end is what counts
	if err := reap(os.Stdin); err != nil {
		os.Exit(1) // there is nobody to tell: sweep is what remains
	}
	os.Exit(0)
}

func reap(ids io.Reader) error {
	pool, err := dockertest.NewPool("")
	if err != nil {
		return err
	}
	var failures []error
	var all []string
	for lines := bufio.NewScanner(ids); lines.Scan(); {
		all = append(all, lines.Text())
	}
	for _, id := range all {
		failures = append(failures, remove(pool.Client, id))
	}
	return errors.Join(failures...)
}

// remove removes a container with its data; one that is gone, or on its way, is
// no error.
func remove(client *docker.Client, id string) error {
	err := client.RemoveContainer(docker.RemoveContainerOptions{ID: id, Force: true, RemoveVolumes: true})
	var gone *docker.NoSuchContainer
	var failure *docker.Error
	if errors.As(err, &gone) || errors.As(err, &failure) && failure.Status == http.StatusConflict {
		return nil
	}
	return err
}

// child is the process that removes the containers of this one.
type child struct {
	command *exec.Cmd
	ids     io.WriteCloser
}

var (
	reaperMu sync.Mutex
	reaper   *child // nil before the first container
)

// removeAtEnd has c removed when this process ends, at the latest.
func removeAtEnd(c *Container) error {
	reaperMu.Lock()
	defer reaperMu.Unlock()
	if reaper == nil {
		var err error
		if reaper, err = startReaper(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(reaper.ids, c.id())
	return err
}

func startReaper() (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), reaperEnv+"=1")
	ids, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &child{command: command, ids: ids}, command.Start()
}

// removeAll removes every container that this process started.
func removeAll() {
	reaperMu.Lock()
	defer reaperMu.Unlock()
	if reaper == nil {
		return
	}
	if err := errors.Join(reaper.ids.Close(), reaper.command.Wait()); err != nil {
		fmt.Fprintln(os.Stderr, "testenv: quedaron contenedores sin borrar:", err)
	}
}
