package cache

import (
	"errors"
	"net/url"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

var errConfigURL = errors.New("cache: Config.URL is not a Redis address: it should read redis://user:password@host:6379/0, or rediss:// for TLS, with reserved characters of the password percent-encoded; ?addr=host2:6379 more nodes of a Cluster, ?master_name=… Sentinels")

// dialler makes the client of a URL, which dials at its first use. It is
// impatient, for callers wait, and makes one attempt. An error may not quote
// the password, as go-redis' do.
func dialler(raw string) (redis.UniversalClient, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errConfigURL
	}
	switch query := u.Query(); {
	case query.Has("master_name"):
		return sentinels(raw)
	case query.Has("addr"):
		return cluster(raw)
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

func cluster(raw string) (redis.UniversalClient, error) {
	o, err := redis.ParseClusterURL(raw)
	if err != nil {
		return nil, errConfigURL
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	o.DisableIdentity, o.MaintNotificationsConfig = true, quiet()
	return redis.NewClusterClient(o), nil
}

func sentinels(raw string) (redis.UniversalClient, error) {
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
