package oauthtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// code is what the page gave, and who may use it.
type code struct {
	redirect  string
	challenge string
	scopes    []string
	renewable bool // a refresh token comes with it
	expiry    time.Time
}

// codeLifetime is how long a code is good.
const codeLifetime = 10 * time.Minute

// serveConsent is the page where a person says yes at once, or no with Deny.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	fault := ""
	switch {
	case q.Get("client_id") != Client:
		fault = "invalid_client"
	case err != nil || back.Scheme != "http" || !isLoopback(back.Hostname()):
		fault = "redirect_uri_mismatch"
	case q.Get("response_type") != "code" || q.Get("scope") == "" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "":
		fault = "invalid_request"
	}
	if fault != "" {
		http.Error(w, "Error 400: "+fault, http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	scopes := slices.DeleteFunc(strings.Fields(q.Get("scope")), func(one string) bool { return !s.covers([]string{one}) })
	if s.Deny || len(scopes) == 0 {
		answer.Set("error", "access_denied")
	} else {
		answer.Set("scope", strings.Join(scopes, " "))
		answer.Set("code", s.consent(q, scopes))
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// consent makes the code of what a person allowed.
func (s *Server) consent(q url.Values, scopes []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := "4/" + s.secret("code")
	s.codes[name] = code{
		redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), scopes: scopes, expiry: s.Now().Add(codeLifetime),
		renewable: q.Get("access_type") == "offline" && (!s.consented || q.Get("prompt") == "consent"),
	}
	s.consented = true
	return name
}

// exchangeCode gives a token for a code, once.
func (s *Server) exchangeCode(form url.Values) answer {
	if no, refused := checkClient(form); refused {
		return no
	}
	name := form.Get("code")
	c, known := s.codes[name]
	delete(s.codes, name) // also if it is refused: nobody tries twice
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !known || !s.Now().Before(c.expiry):
		return refuse(http.StatusBadRequest, "invalid_grant", "Malformed auth code.")
	case form.Get("redirect_uri") != c.redirect:
		return refuse(http.StatusBadRequest, "redirect_uri_mismatch", "Bad Request")
	case form.Get("code_verifier") == "":
		return refuse(http.StatusBadRequest, "invalid_grant", "Missing code verifier.")
	case base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge:
		return refuse(http.StatusBadRequest, "invalid_grant", "Invalid code verifier.")
	}
	var more map[string]any
	if c.renewable {
		more = map[string]any{"refresh_token": s.keep(grant{scopes: c.scopes})}
	}
	return s.issue(Access{Account: Person, Scopes: c.scopes}, more)
}
