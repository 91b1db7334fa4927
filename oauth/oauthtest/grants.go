package oauthtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// grant is what a person allowed the client.
type grant struct {
	scopes []string // none: whatever is asked for
}

// keep makes a refresh token of a grant. The lock is held.
func (s *Server) keep(g grant) string {
	token := "1//" + s.secret("refresh")
	s.refreshes[token] = g
	return token
}

// token is the honest answer to a request.
func (s *Server) token(form url.Values) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch form.Get("grant_type") {
	case GrantJWT:
		return s.assertion(form.Get("assertion"))
	case GrantRefresh:
		return s.refresh(form)
	case GrantCode:
		return s.exchangeCode(form)
	case GrantExchange:
		return s.exchange(form)
	}
	return refuse(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: "+form.Get("grant_type"))
}

// issue makes an access token, and the answer with it.
func (s *Server) issue(a Access, more map[string]any) answer {
	lifetime := s.Lifetime
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	s.issued++
	a.Expiry = s.Now().Add(lifetime)
	token := "ya29." + s.secret("access")
	s.accesses[token] = a
	fields := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(lifetime.Seconds())}
	if len(a.Scopes) > 0 {
		fields["scope"] = strings.Join(a.Scopes, " ")
	}
	for name, value := range more {
		fields[name] = value
	}
	return object(http.StatusOK, fields)
}

// checkClient refuses a client that is not ours; false: it is ours.
func checkClient(form url.Values) (answer, bool) {
	switch {
	case form.Get("client_id") != Client:
		return refuse(http.StatusUnauthorized, "invalid_client", "The OAuth client was not found."), true
	case form.Get("client_secret") != clientSecret:
		return refuse(http.StatusUnauthorized, "invalid_client", "Unauthorized"), true
	}
	return answer{}, false
}

func (s *Server) refresh(form url.Values) answer {
	if no, refused := checkClient(form); refused {
		return no
	}
	old := form.Get("refresh_token")
	g, known := s.refreshes[old]
	switch {
	case s.spent[old]:
		return refuse(http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked.")
	case !known:
		return refuse(http.StatusBadRequest, "invalid_grant", "Bad Request")
	}
	var more map[string]any
	if s.Rotate {
		delete(s.refreshes, old)
		s.spent[old] = true
		more = map[string]any{"refresh_token": s.keep(g)}
	}
	return s.issue(Access{Account: Person, Scopes: g.scopes}, more)
}

// exchange gives a token for another provider's.
func (s *Server) exchange(form url.Values) answer {
	if form.Get("subject_token") == "" || form.Get("audience") == "" {
		return refuse(http.StatusBadRequest, "invalid_request", "Invalid value for \"subject_token\"")
	}
	return s.issue(Access{Scopes: strings.Fields(form.Get("scope"))}, map[string]any{"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})
}

// covers reports whether all of scopes may be had.
func (s *Server) covers(scopes []string) bool {
	return s.Scopes == nil || !slices.ContainsFunc(scopes, func(asked string) bool { return !slices.Contains(s.Scopes, asked) })
}
