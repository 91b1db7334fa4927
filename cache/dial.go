package cache

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

var errConfigURL = errors.New("cache: Config.URL is not a Redis address: it should read redis://user:password@host:6379/0, or rediss:// for TLS, with reserved characters of the password percent-encoded; ?addr=host2:6379 more nodes of a Cluster, ?master_name=… Sentinels")

// Dial makes the client of a URL as Config.URL has it, for who shares one
// between a Backend (Config.Redis) and something else. It dials at its first use,
// makes one attempt, and waits for patience at each step; zero: [DefaultPatience]. An error
// does not show the URL.
func Dial(raw string, patience time.Duration) (redis.UniversalClient, error) {
	if patience == 0 {
		patience = DefaultPatience
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil, !havePorts(append(u.Query()["addr"], u.Host)),
		u.Fragment != "",                          // a # begins the rest of a password that was not encoded
		u.Scheme != "unix" && u.Hostname() == "",  // go-redis would go to this machine's
		strings.HasPrefix(path.Base(u.Path), "-"): // a database is no less than 0
		return nil, errConfigURL
	}
	for _, name := range []string{"read_only", "replica_only", "route_by_latency", "route_randomly"} {
		if u.Query().Has(name) {
			return nil, fmt.Errorf("cache: Config.URL has %s, and a cache must read from masters: a replica may not know yet what was invalidated", name)
		}
	}
	switch query := u.Query(); {
	case query.Has("master_name"):
		return sentinels(raw, patience)
	case query.Has("addr"):
		return cluster(raw, patience)
	}
	o, err := redis.ParseURL(raw)
	if err != nil {
		return nil, errConfigURL
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	// One round trip at connecting, nothing that a Redis of another kind lacks.
	o.DisableIdentity, o.MaintNotificationsConfig = true, quiet()
	return redis.NewClient(o), nil
}

// havePorts reports whether the ports of the addresses that have one can be.
func havePorts(addresses []string) bool {
	for _, a := range addresses {
		if _, port, err := net.SplitHostPort(a); err == nil && port != "" {
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return false
			}
		}
	}
	return true
}

func cluster(raw string, patience time.Duration) (redis.UniversalClient, error) {
	o, err := redis.ParseClusterURL(raw)
	if err != nil {
		return nil, errConfigURL
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	o.DisableIdentity, o.MaintNotificationsConfig = true, quiet()
	return redis.NewClusterClient(o), nil
}

func sentinels(raw string, patience time.Duration) (redis.UniversalClient, error) {
	o, err := redis.ParseFailoverURL(raw)
	if err != nil || o.MasterName == "" {
		return nil, errConfigURL
	}
	if o.Username == "" && o.Password == "" { // go-redis takes the URL's for the Sentinels' own
		o.Username, o.Password, o.SentinelUsername, o.SentinelPassword = o.SentinelUsername, o.SentinelPassword, "", ""
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	o.DisableIdentity = true
	return redis.NewFailoverClient(o), nil
}

func quiet() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
