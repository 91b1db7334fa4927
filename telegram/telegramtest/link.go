package telegramtest

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// link gives e the address, or makes it a mention for tg://user?id=N; false:
// it is no address the server takes, and the text stays plain.
func (e *Entity) link(raw string) bool {
	if id := mentioned(raw); id != 0 {
		e.Type, e.User = "text_mention", id
		return true
	}
	checked, err := checkLink(raw)
	e.Type, e.URL = "text_link", checked
	return err == nil
}

// mentioned is the id in tg://user?id=N, 0 in any other link.
func mentioned(raw string) int64 {
	rest, ok := strings.CutPrefix(strings.ToLower(raw), "tg:")
	if !ok {
		return 0
	}
	rest, ok = strings.CutPrefix(strings.TrimPrefix(rest, "//"), "user")
	if !ok {
		return 0
	}
	rest, ok = strings.CutPrefix(strings.TrimPrefix(rest, "/"), "?")
	if !ok {
		return 0
	}
	rest, _, _ = strings.Cut(rest, "#")
	for pair := range strings.SplitSeq(rest, "&") {
		if value, ok := strings.CutPrefix(pair, "id="); ok {
			id, _ := strconv.ParseInt(value, 10, 64)
			return max(id, 0)
		}
	}
	return 0
}

// checkLink writes a link as the server keeps it, or says why it takes none
// (tdlib/td, LinkManager::check_link and parse_url).
func checkLink(raw string) (string, error) {
	link, err := cleanLink(raw)
	if err != nil {
		return "", fmt.Errorf("URL '%s' is invalid: %w", raw, err)
	}
	return link, nil
}

func cleanLink(raw string) (string, error) {
	own := ""
	for _, scheme := range []string{"tg", "ton", "tonsite"} {
		if len(raw) > len(scheme) && strings.EqualFold(raw[:len(scheme)+1], scheme+":") {
			own, raw = scheme, strings.TrimPrefix(raw[len(scheme)+1:], "//")
			break
		}
	}
	u, err := parseURL(raw)
	if err != nil {
		return "", err
	}
	if own != "" {
		return u.inside(own)
	}
	if !strings.Contains(u.host, ".") && !strings.HasPrefix(u.host, "[") {
		return "", errors.New("Wrong HTTP URL")
	}
	return cmp.Or(u.scheme, "http") + "://" + u.user + u.host + u.port + u.query, nil
}

// webURL is a link taken apart; what is there includes its separator.
type webURL struct{ scheme, user, host, port, query string }

// inside is a link of Telegram's own schemes, whose host is a command.
func (u webURL) inside(scheme string) (string, error) {
	if u.scheme != "" || u.user != "" || u.port != "" || strings.HasPrefix(u.host, "[") {
		if scheme == "tg" {
			return "", errors.New("Wrong tg URL")
		}
		return "", errors.New("Wrong ton URL")
	}
	for _, c := range []byte(u.host) {
		if !isAlnum(c) && c != '-' && c != '_' && (scheme != "tonsite" || c != '.') {
			return "", errors.New("Unallowed characters in URL host")
		}
	}
	query := u.query
	if strings.HasPrefix(query, "/?") {
		query = query[1:]
	}
	return scheme + "://" + u.host + query, nil
}

func parseURL(raw string) (webURL, error) {
	var u webURL
	if i := strings.IndexAny(raw, ":/?#@[]"); i >= 0 && strings.HasPrefix(raw[i:], "://") {
		u.scheme = strings.ToLower(raw[:i])
		if u.scheme != "http" && u.scheme != "https" {
			return u, errors.New("Unsupported URL protocol")
		}
		raw = raw[i+3:]
	}
	authority := raw
	if i := strings.IndexAny(raw, "/?#"); i >= 0 {
		authority, u.query = raw[:i], raw[i:]
	}
	if i := strings.LastIndexAny(authority, ":]@"); i > 0 && authority[i] == ':' {
		port, err := strconv.ParseUint(authority[i+1:], 10, 16)
		if err != nil || port == 0 {
			return u, errors.New("Wrong port number specified in the URL")
		}
		authority, u.port = authority[:i], ":"+strconv.FormatUint(port, 10)
	}
	u.host = authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		u.user, u.host = authority[:i+1], authority[i+1:]
	}
	u.host = strings.ToLower(u.host)
	u.query = cleanQuery(u.query)
	return u, u.check()
}

func (u webURL) check() error {
	switch {
	case u.host == "":
		return errors.New("URL host is empty")
	case u.host == ".":
		return errors.New("Host is invalid")
	case strings.HasPrefix(u.host, "[") && strings.HasSuffix(u.host, "]"):
		if ip, err := netip.ParseAddr(strings.Trim(u.host, "[]")); err != nil || !ip.Is6() || ip.Zone() != "" {
			return errors.New("Wrong IPv6 address specified in the URL")
		}
		return nil
	}
	if err := checkPart(u.host, "host", ""); err != nil {
		return err
	}
	return checkPart(strings.TrimSuffix(u.user, "@"), "userinfo", ":")
}

// checkPart allows what RFC 3986 does, and all that is not ASCII.
func checkPart(part, name, more string) error {
	for i := 0; i < len(part); i++ {
		switch c := part[i]; {
		case isAlnum(c), c >= 0x80, strings.IndexByte(".-_!$,~*'();&+="+more, c) >= 0:
		case c == '%' && i+2 < len(part) && isHex(part[i+1]) && isHex(part[i+2]):
			i += 2
		case c == '%':
			return fmt.Errorf("Wrong percent-encoded symbol in URL %s", name)
		default:
			return fmt.Errorf("Disallowed character in URL %s", name)
		}
	}
	return nil
}

// cleanQuery is all behind the host, with a slash at its beginning and no blank.
func cleanQuery(query string) string {
	for query != "" && isSpace(query[len(query)-1]) {
		query = query[:len(query)-1]
	}
	var out strings.Builder
	if !strings.HasPrefix(query, "/") {
		out.WriteByte('/')
	}
	for _, c := range []byte(query) {
		if c <= ' ' {
			fmt.Fprintf(&out, "%%%02X", c)
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}
