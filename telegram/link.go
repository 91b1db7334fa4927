package telegram

import (
	"cmp"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// validURL accepts what Telegram keeps as a link to the same place. Of any other
// address it keeps nothing, or, as of mailto:a@b.org, makes another.
// https://github.com/tdlib/td/blob/master/td/telegram/LinkManager.cpp, check_link
func validURL(raw string) bool {
	if len(raw) > maxURL || !utf8.ValidString(raw) || strings.ContainsFunc(raw, notInURL) {
		return false
	}
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return validUser(u.User) && validHost(u)
	case "tg":
		return u.User == nil && command.MatchString(cmp.Or(u.Host, u.Opaque))
	}
	return false
}

func notInURL(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// command is what stands for the host in tg://resolve?domain=x, or tg:resolve?domain=x.
var command = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// validUser is stricter than Telegram: nothing in it needs to be escaped.
func validUser(u *url.Userinfo) bool { return u == nil || !strings.Contains(u.String(), "%") }

func validHost(u *url.URL) bool {
	name, port := u.Hostname(), u.Port()
	if port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	if strings.HasPrefix(u.Host, "[") {
		ip, err := netip.ParseAddr(name)
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	return strings.Contains(name, ".") && name != "." && !strings.ContainsFunc(name, notInHost)
}

func notInHost(r rune) bool {
	return r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_!$,~*'();&+=", r)
}
