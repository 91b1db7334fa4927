package store

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// URL makes a URL for [Config] of its parts, each of which may hold any
// character. An empty host is the driver's 127.0.0.1, port 0 is 3306, and a host
// that begins with / is the path of a Unix socket.
func URL(user, password, host string, port int, database string) string {
	u := "mysql://"
	switch {
	case password != "":
		u += url.UserPassword(user, password).String() + "@"
	case user != "":
		u += url.User(user).String() + "@"
	}
	socket := ""
	switch {
	case strings.HasPrefix(host, "/"):
		socket = "?unix_socket=" + url.QueryEscape(host)
	case port != 0:
		u += net.JoinHostPort(host, strconv.Itoa(port))
	case strings.Contains(host, ":"):
		u += "[" + host + "]"
	default:
		u += host
	}
	return u + "/" + strings.ReplaceAll(url.PathEscape(database), "@", "%40") + socket
}

// target is where a URL leads, and what was odd in it.
type target struct {
	*mysql.Config
	warnings []string
}

var (
	scheme   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	drivable = regexp.MustCompile(`^(mysql|mariadb)(\+[A-Za-z0-9]+)?://$`)
)

// parseURL reads every form of [Config].URL. No error holds a part of the URL
// that could be a piece of a password.
func parseURL(raw string) (*target, error) {
	raw = strings.TrimSpace(raw)
	found := scheme.FindString(raw)
	if found == "" {
		return parseDSN(raw)
	}
	if !drivable.MatchString(strings.ToLower(found)) {
		return nil, errors.New("store: the URL is of another kind of database: it must begin with mysql:// or mariadb://")
	}
	t := &target{Config: newDriverConfig()}
	if err := t.parse(raw[len(found):]); err != nil {
		return nil, fmt.Errorf("store: the URL %w", err)
	}
	return t, nil
}

// parse reads what follows the scheme, by the grammar of SQLAlchemy:
// https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls
func (t *target) parse(rest string) error {
	user, password, rest := cutUserInfo(rest)
	t.User, t.Passwd = unescape(user), unescape(password)
	if strings.Contains(rest, "@") {
		return errors.New("has one @ too many: inside the password or a parameter it must be written %40")
	}
	rest, query, _ := strings.Cut(rest, "?")
	address, database, _ := strings.Cut(rest, "/")
	if err := t.setAddress(address); err != nil {
		return err
	}
	if t.DBName = unescape(database); t.DBName == "" {
		return errors.New("names no database: add /database after the host")
	}
	return t.setParams(query)
}

// cutUserInfo splits "user:password@" off. The user goes up to the first : or /
// and the password from there to the next @, so that it may hold anything else.
func cutUserInfo(s string) (user, password, rest string) {
	end := strings.IndexAny(s, ":/")
	if end >= 0 && s[end] == ':' {
		if secret, rest, ok := strings.Cut(s[end+1:], "@"); ok {
			return s[:end], secret, rest
		}
	}
	if end < 0 {
		end = len(s)
	}
	if at := strings.LastIndexByte(s[:end], '@'); at >= 0 {
		return s[:at], "", s[at+1:]
	}
	return "", "", s
}

// unescape decodes each %XX, and leaves a % that begins none as it is.
func unescape(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// setAddress reads host, host:port, [v6] or [v6]:port.
func (t *target) setAddress(address string) error {
	host, port := address, ""
	if inner, after, ok := strings.Cut(address, "]"); ok && strings.HasPrefix(inner, "[") {
		host, port = inner[1:], after
	} else if i := strings.IndexByte(address, ':'); i >= 0 {
		host, port = address[:i], address[i:]
	}
	port = strings.TrimPrefix(port, ":")
	if port == "" {
		port = "3306"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("has a port that is no number from 1 to 65535")
	}
	if host == "" {
		host = "127.0.0.1"
	}
	t.Net, t.Addr = "tcp", net.JoinHostPort(host, port)
	return nil
}

// newDriverConfig is how this package drives every connection.
func newDriverConfig() *mysql.Config {
	c := mysql.NewConfig()
	c.InterpolateParams = true // one round trip a query, not three
	c.Logger = &mysql.NopLogger{}
	return c
}

// parseDSN reads go-sql-driver's own form. Its parser's errors are not shown,
// because they may quote a password that was cut at the wrong place.
func parseDSN(raw string) (*target, error) {
	dsn, err := mysql.ParseDSN(raw)
	if err != nil {
		return nil, errors.New("store: the URL is neither mysql://user:password@host:3306/database nor a DSN of go-sql-driver, user:password@tcp(host:3306)/database; if it is a DSN, look at its parameters")
	}
	if dsn.DBName == "" {
		return nil, errors.New("store: the DSN names no database: add it after the last /")
	}
	t := &target{Config: newDriverConfig()}
	t.User, t.Passwd, t.Net, t.Addr, t.DBName = dsn.User, dsn.Passwd, dsn.Net, dsn.Addr, dsn.DBName
	t.TLS, t.AllowFallbackToPlaintext = dsn.TLS, dsn.AllowFallbackToPlaintext
	if dsn.TLSConfig == "" {
		if err := t.setTLS(tlsOptions{}); err != nil {
			return nil, err
		}
	}
	t.Timeout, t.ReadTimeout, t.WriteTimeout = dsn.Timeout, dsn.ReadTimeout, dsn.WriteTimeout
	t.ServerPubKey, t.MaxAllowedPacket = dsn.ServerPubKey, dsn.MaxAllowedPacket
	t.AllowCleartextPasswords, t.AllowNativePasswords = dsn.AllowCleartextPasswords, dsn.AllowNativePasswords
	for name := range dsn.Params {
		t.warn(name)
	}
	slices.Sort(t.warnings)
	return t, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,40}$`)

// warn notes that a parameter is not passed on. What does not look like a name
// is not shown: it may be a piece of a password.
func (t *target) warn(name string) {
	text := fmt.Sprintf("el parámetro «%s» de la URL de la base de datos no se conoce y se omite", name)
	if !plainName.MatchString(name) {
		text = "la URL de la base de datos tiene un parámetro sin nombre válido, que se omite"
	}
	if !slices.Contains(t.warnings, text) {
		t.warnings = append(t.warnings, text)
	}
}

// seconds reads a time-out as PyMySQL writes it.
func seconds(value string) (time.Duration, error) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || n <= 0 || n > 24*60*60 {
		return 0, errors.New("must be a number of seconds over 0")
	}
	return time.Duration(n * float64(time.Second)), nil
}
