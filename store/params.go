package store

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// param applies the value of one query parameter.
type param func(t *target, o *tlsOptions, value string) error

// params are the query parameters that count, those of PyMySQL and mysqlclient.
// https://pymysql.readthedocs.io/en/latest/modules/connections.html
var params = map[string]param{
	"charset":     ignored, // always utf8mb4, which holds whatever another would
	"use_unicode": ignored,

	"connect_timeout": func(t *target, _ *tlsOptions, v string) (err error) { t.Timeout, err = seconds(v); return },
	"read_timeout":    func(t *target, _ *tlsOptions, v string) (err error) { t.ReadTimeout, err = seconds(v); return },
	"write_timeout":   func(t *target, _ *tlsOptions, v string) (err error) { t.WriteTimeout, err = seconds(v); return },
	"unix_socket": func(t *target, _ *tlsOptions, v string) error {
		t.Net, t.Addr = "unix", v
		return nil
	},

	"ssl":                 func(_ *target, o *tlsOptions, v string) error { return o.setSwitch(v) },
	"ssl_mode":            func(_ *target, o *tlsOptions, v string) error { return o.setMode(v) },
	"ssl_ca":              func(_ *target, o *tlsOptions, v string) error { o.ca = v; return nil },
	"ssl_cert":            func(_ *target, o *tlsOptions, v string) error { o.cert = v; return nil },
	"ssl_key":             func(_ *target, o *tlsOptions, v string) error { o.key = v; return nil },
	"ssl_disabled":        func(_ *target, o *tlsOptions, v string) (err error) { o.disabled, err = boolean(v); return },
	"ssl_verify_cert":     func(_ *target, o *tlsOptions, v string) error { return setBool(&o.verifyCert, v) },
	"ssl_verify_identity": func(_ *target, o *tlsOptions, v string) error { return setBool(&o.verifyHost, v) },
	"ssl_check_hostname":  func(_ *target, o *tlsOptions, v string) error { return setBool(&o.verifyHost, v) },
}

// aliases are other spellings that hosting providers hand out.
var aliases = map[string]string{"sslmode": "ssl_mode", "tls": "ssl", "sslrootcert": "ssl_ca"}

func ignored(*target, *tlsOptions, string) error { return nil }

// setParams applies what it knows of a query string and warns of the rest.
func (t *target) setParams(query string) error {
	var o tlsOptions
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		rawName, value, _ := strings.Cut(pair, "=")
		name := strings.ReplaceAll(strings.ToLower(rawName), "-", "_")
		if alias, ok := aliases[name]; ok {
			name = alias
		}
		apply, ok := params[name]
		if !ok {
			t.warn(rawName)
			continue
		}
		if err := apply(t, &o, unescapeQuery(value)); err != nil {
			return fmt.Errorf("has a parameter %s that %w", name, err)
		}
	}
	return t.setTLS(o)
}

func unescapeQuery(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return unescape(s)
}

func boolean(v string) (bool, error) {
	switch v = strings.ToLower(strings.TrimSpace(v)); {
	case slices.Contains([]string{"1", "true", "yes", "on", "y", "t"}, v):
		return true, nil
	case slices.Contains([]string{"0", "false", "no", "off", "n", "f", ""}, v):
		return false, nil
	}
	return false, errors.New("must be true or false")
}

func setBool(to **bool, v string) error {
	b, err := boolean(v)
	*to = &b
	return err
}
