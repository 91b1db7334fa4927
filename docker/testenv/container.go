package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

const (
	label = "org.ccmwf.testenv"
	// lifetime ends a container that outlived its test binary.
	lifetime = 30 * time.Minute
	// patience is how long a server may take from its start to its first answer.
	patience = 90 * time.Second
)

// Container is a server that one test owns.
type Container struct {
	server   server
	address  string // 127.0.0.1:port, the same after Stop and Start
	pool     *dockertest.Pool
	resource *dockertest.Resource
	tb       testing.TB
}

// URL returns where the server listens, the same for its whole life:
// mysql://root:…@127.0.0.1:port/ccm or redis://127.0.0.1:port/0.
func (c *Container) URL() string { return c.url(c.server.database) }

// Pause freezes the server: it accepts connections and never answers.
func (c *Container) Pause() {
	c.tb.Helper()
	c.check(c.pool.Client.PauseContainer(c.id()))
}

// Unpause lets a paused server go on.
func (c *Container) Unpause() {
	c.tb.Helper()
	c.check(c.pool.Client.UnpauseContainer(c.id()))
}

// Stop kills the server, without a farewell: connections break, and new ones
// are refused.
func (c *Container) Stop() {
	c.tb.Helper()
	c.check(c.pool.Client.KillContainer(docker.KillContainerOptions{ID: c.id()}))
	_, err := c.pool.Client.WaitContainer(c.id())
	c.check(err)
}

// Start starts a stopped server and waits until it answers.
func (c *Container) Start() {
	c.tb.Helper()
	c.check(c.pool.Client.StartContainer(c.id(), nil))
	c.check(c.await())
}

func (c *Container) id() string { return c.resource.Container.ID }

func (c *Container) url(database string) string {
	return c.server.scheme + "://" + c.server.userinfo + c.address + "/" + database
}

func (c *Container) check(err error) {
	c.tb.Helper()
	if err != nil {
		c.tb.Fatalf("testenv: %s: %v", c.server.name, err)
	}
}

// storage says where a server keeps its data.
type storage bool

const (
	inMemory storage = true  // fast, gone at Stop
	onDisk   storage = false // survives Stop and Start
)

// run starts a container and waits until its server answers.
func run(s server, where storage) (*Container, error) {
	c, err := create(s, where)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	err = errors.Join(removeAtEnd(c), c.resource.Expire(uint(lifetime.Seconds())), c.await())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, errors.Join(err, c.pool.Purge(c.resource)))
	}
	return c, nil
}

func create(s server, where storage) (*Container, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c, err := createWith(s, &dockertest.RunOptions{
		Env: s.env, Cmd: s.command, ExposedPorts: []string{s.port},
		PortBindings: map[docker.Port][]docker.PortBinding{docker.Port(s.port): {{HostIP: "127.0.0.1", HostPort: port}}},
	}, func(host *docker.HostConfig) {
		if where == inMemory && s.data != "" {
			host.Tmpfs = map[string]string{s.data: ""}
		}
	})
	if err != nil {
		return nil, err
	}
	c.address = net.JoinHostPort("127.0.0.1", port)
	return c, nil
}

// createWith starts a container of the server's image, as options say.
func createWith(s server, options *dockertest.RunOptions, more ...func(*docker.HostConfig)) (*Container, error) {
	pool, err := dockertest.NewPool("")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	if err := pool.Client.PingWithContext(ctx); err != nil {
		return nil, fmt.Errorf("no hay respuesta de Docker: %w", err)
	}
	if err := sweep(pool.Client); err != nil {
		return nil, err
	}
	options.Repository, options.Tag, options.Labels = s.repository, s.tag, map[string]string{label: s.name}
	more = append(more, func(host *docker.HostConfig) { host.PublishAllPorts = false })
	resource, err := pool.RunWithOptions(options, more...)
	if err != nil {
		return nil, err
	}
	return &Container{server: s, pool: pool, resource: resource}, nil
}

// freePort finds a port that a stopped container keeps: it is below those that
// the system gives to outgoing connections
// (https://docs.kernel.org/networking/ip-sysctl.html, ip_local_port_range), and
// taken at random, since other test binaries look for one too.
func freePort() (string, error) {
	const first, last = 20_000, 32_767
	var failure error
	for range 100 {
		port := strconv.Itoa(first + rand.IntN(last-first+1))
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			failure = err
			continue
		}
		return port, l.Close()
	}
	return "", failure
}

// await polls until the server answers; one that ended gives its last words.
func (c *Container) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := c.server.ping(ctx, c.address)
		if err == nil {
			return nil
		}
		state, inspectErr := c.pool.Client.InspectContainer(c.id())
		if inspectErr != nil {
			return inspectErr
		}
		if !state.State.Running {
			return fmt.Errorf("terminó con código %d: %s", state.State.ExitCode, c.lastWords())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("no respondió en %v: %w: %s", patience, err, c.lastWords())
		}
	}
}

func (c *Container) lastWords() string {
	var log bytes.Buffer
	err := c.pool.Client.Logs(docker.LogsOptions{
		Container: c.id(), OutputStream: &log, ErrorStream: &log, Stdout: true, Stderr: true, Tail: "20",
	})
	if err != nil {
		return err.Error()
	}
	return log.String()
}

// sweep removes the containers of test binaries that were killed together with
// the child that should have removed them.
func sweep(client *docker.Client) error {
	found, err := client.ListContainers(docker.ListContainersOptions{All: true, Filters: map[string][]string{"label": {label}}})
	if err != nil {
		return err
	}
	for _, c := range found {
		if time.Since(time.Unix(c.Created, 0)) > lifetime {
			if err := remove(client, c.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
