package testenv

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
	"github.com/redis/go-redis/v9"
)

// Group is several Redis servers of one test, in one container, so that they
// find each other where the test finds them.
type Group struct {
	// URL names all of them, for package cache and go-redis.
	URL       string
	Addresses []string // of the servers with data, the first masters before their replicas
	container *Container
}

// NewRedisCluster starts a Redis Cluster of three masters with a replica each.
// It fails over within about two seconds.
func NewRedisCluster(tb testing.TB) *Group {
	tb.Helper()
	g := newGroup(tb, 6, func(ports []string) string {
		return script(ports, "--cluster-enabled yes --cluster-node-timeout 1000 --cluster-config-file /tmp/$p.nodes --cluster-port $((p + 10000))")
	})
	g.URL = "redis://" + g.Addresses[0] + "?addr=" + strings.Join(g.Addresses[1:], "&addr=")
	g.exec(tb, append([]string{"redis-cli", "--cluster", "create"}, append(g.Addresses, "--cluster-replicas", "1", "--cluster-yes")...)...)
	g.await(tb, "CLUSTER INFO", func(ctx context.Context, c *redis.Client) bool {
		info, err := c.ClusterInfo(ctx).Result()
		nodes, nodesErr := c.ClusterNodes(ctx).Result()
		return err == nil && nodesErr == nil && strings.Contains(info, "cluster_state:ok") && strings.Count(nodes, "slave ") == 3 && synchronised(ctx, c)
	})
	return g
}

// NewRedisSentinel starts a master with two replicas, and three Sentinels that
// know it as "ccm". They fail over within about two seconds.
func NewRedisSentinel(tb testing.TB) *Group {
	tb.Helper()
	g := newGroup(tb, 6, func(ports []string) string {
		return script(ports[:1], "") + script(ports[1:3], "--replicaof 127.0.0.1 "+ports[0]) + fmt.Sprintf(`
for p in %s; do
  printf 'port %%s\nprotected-mode no\nsentinel monitor ccm 127.0.0.1 %s 2\nsentinel down-after-milliseconds ccm 1000\nsentinel failover-timeout ccm 4000\n' $p >/tmp/$p.conf
  redis-server /tmp/$p.conf --sentinel &
done
`, strings.Join(ports[3:], " "), ports[0])
	})
	sentinels := g.Addresses[3:]
	g.URL = "redis://" + sentinels[0] + "/0?master_name=ccm&addr=" + strings.Join(sentinels[1:], "&addr=")
	g.await(tb, "SENTINEL MASTER", func(ctx context.Context, c *redis.Client) bool {
		s := redis.NewSentinelClient(c.Options())
		defer s.Close()
		if c.Options().Addr != sentinels[0] {
			return synchronised(ctx, c)
		}
		m, err := s.Master(ctx, "ccm").Result()
		return err == nil && m["num-slaves"] == "2" && m["num-other-sentinels"] == "2"
	})
	g.Addresses = g.Addresses[:3]
	return g
}

// NewRedisTLS starts a Redis 8 for this test alone, that speaks TLS with this
// certificate and key, in PEM, and has these users, as an ACL file has them. Its
// URL has neither the scheme nor a user: it is where it listens.
func NewRedisTLS(tb testing.TB, certificate, key string, users ...string) *Container {
	tb.Helper()
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	const start = `
printf '%s' "$CERTIFICATE" >/tmp/certificate; printf '%s' "$KEY" >/tmp/key; printf '%s' "$USERS" >/tmp/users
exec redis-server --port 0 --tls-port 6379 --bind '* -::*' --tls-cert-file /tmp/certificate --tls-key-file /tmp/key \
  --tls-ca-cert-file /tmp/certificate --tls-auth-clients no --aclfile /tmp/users --save ''
`
	c, err := createWith(redisServer, &dockertest.RunOptions{
		Cmd: []string{"sh", "-c", start}, ExposedPorts: []string{redisServer.port},
		Env:          []string{"CERTIFICATE=" + certificate, "KEY=" + key, "USERS=" + strings.Join(users, "\n") + "\n"},
		PortBindings: map[docker.Port][]docker.PortBinding{docker.Port(redisServer.port): {{HostIP: "127.0.0.1", HostPort: port}}},
	})
	if err != nil {
		Omit(tb, err)
	}
	c.tb, c.address = tb, net.JoinHostPort("127.0.0.1", port)
	c.server.ping = func(ctx context.Context, address string) error {
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	tb.Cleanup(func() { c.check(c.pool.Purge(c.resource)) })
	c.check(errors.Join(removeAtEnd(c), c.resource.Expire(uint(lifetime.Seconds())), c.await()))
	return c
}

// synchronised says whether a replica has its master's data, and could take its
// place; true of a master, and of a Sentinel.
func synchronised(ctx context.Context, c *redis.Client) bool {
	info, err := c.Info(ctx, "replication").Result()
	return err == nil && !strings.Contains(info, "master_link_status:down")
}

// Kill ends one of the servers, without a farewell to its clients.
func (g *Group) Kill(tb testing.TB, address string) {
	tb.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	g.exec(tb, "sh", "-c", "kill -9 $(cat /tmp/"+port+".pid)")
}

// script starts a server at each port, with these options.
func script(ports []string, options string) string {
	return fmt.Sprintf(`
for p in %s; do
  redis-server --port $p --bind '* -::*' --protected-mode no --save '' --repl-diskless-sync-delay 0 --dir /tmp --dbfilename $p.rdb %s &
  echo $! >/tmp/$p.pid
done
`, strings.Join(ports, " "), options)
}

func newGroup(tb testing.TB, n int, commands func(ports []string) string) *Group {
	tb.Helper()
	var ports, exposed, addresses []string
	bindings := map[docker.Port][]docker.PortBinding{}
	for range n {
		port, err := freePort()
		if err != nil {
			tb.Fatal(err)
		}
		ports, exposed, addresses = append(ports, port), append(exposed, port+"/tcp"), append(addresses, net.JoinHostPort("127.0.0.1", port))
		bindings[docker.Port(port+"/tcp")] = []docker.PortBinding{{HostIP: "127.0.0.1", HostPort: port}}
	}
	s := redisServer
	s.name = "Redis group"
	c, err := createWith(s, &dockertest.RunOptions{
		Cmd: []string{"sh", "-c", commands(ports) + "\nwait"}, ExposedPorts: exposed, PortBindings: bindings,
	})
	if err != nil {
		Omit(tb, err)
	}
	c.tb = tb
	tb.Cleanup(func() { c.check(c.pool.Purge(c.resource)) })
	c.check(errors.Join(removeAtEnd(c), c.resource.Expire(uint(lifetime.Seconds()))))
	g := &Group{Addresses: addresses, container: c}
	g.await(tb, "PING", func(ctx context.Context, c *redis.Client) bool { return c.Ping(ctx).Err() == nil })
	return g
}

// await polls until every server says so.
func (g *Group) await(tb testing.TB, what string, ok func(context.Context, *redis.Client) bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, address := range g.Addresses {
		client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1, DialerRetries: 1})
		for !ok(ctx, client) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				tb.Fatalf("testenv: %s no respondió bien a %s en %v: %s", address, what, patience, g.container.lastWords())
			}
		}
		client.Close()
	}
}

// exec runs a command in the container.
func (g *Group) exec(tb testing.TB, command ...string) {
	tb.Helper()
	var out bytes.Buffer
	code, err := g.container.resource.Exec(command, dockertest.ExecOptions{StdOut: &out, StdErr: &out})
	if err != nil || code != 0 {
		tb.Fatalf("testenv: %q: %d, %v: %s", command, code, err, out.String())
	}
}
