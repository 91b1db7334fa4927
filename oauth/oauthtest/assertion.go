package oauthtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// claims are what a service account signs.
// https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
type claims struct {
	Issuer   string `json:"iss"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

const (
	// longest is how long an assertion may be good.
	longest = time.Hour
	// skew is how far a client's clock may be ahead.
	skew = 5 * time.Minute
)

// assertion gives a token for a signed assertion.
func (s *Server) assertion(jwt string) answer {
	no := func(description string) answer { return refuse(http.StatusBadRequest, "invalid_grant", description) }
	c, signed, ok := s.open(jwt)
	switch {
	case !ok:
		return no("Bad Request")
	case c.Issuer != Robot:
		return no("Invalid grant: account not found")
	case !signed:
		return no("Invalid JWT Signature.")
	case !s.isTimely(c):
		return no("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case c.Audience != s.tokenURL():
		return no("Invalid JWT: Failed audience check. The right audience is " + s.tokenURL())
	case c.Scope == "":
		return refuse(http.StatusBadRequest, "invalid_scope", "Empty or missing scope not allowed.")
	case c.Subject != "" && (!slices.Contains(s.Subjects, c.Subject) || !s.covers(strings.Fields(c.Scope))):
		return refuse(http.StatusUnauthorized, "unauthorized_client",
			"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.")
	case !s.covers(strings.Fields(c.Scope)):
		return refuse(http.StatusBadRequest, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
	}
	return s.issue(Access{Account: Robot, Subject: c.Subject, Scopes: strings.Fields(c.Scope)}, nil)
}

// open reads an assertion; signed: a key that was handed out, and not revoked,
// signed it.
func (s *Server) open(jwt string) (c claims, signed, ok bool) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return c, false, false
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	if !decode(parts[0], &header) || !decode(parts[1], &c) {
		return c, false, false
	}
	signature, err := unbase64(parts[2])
	key := s.keys[header.KeyID]
	if err != nil || header.Algorithm != "RS256" || key == nil {
		return c, false, true
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return c, rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil, true
}

// unbase64 takes padding as well, which Google does and older clients write.
func unbase64(part string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
}

func decode(part string, into any) bool {
	data, err := unbase64(part)
	return err == nil && json.Unmarshal(data, into) == nil
}

func (s *Server) isTimely(c claims) bool {
	now, issued, expires := s.Now(), time.Unix(c.Issued, 0), time.Unix(c.Expires, 0)
	return issued.Before(now.Add(skew)) && expires.After(now) && expires.Sub(issued) <= longest
}
