// Package oauthtest is a fake of Google's token endpoint, for tests of programs
// that sign in to Google. It works with any client that reads its addresses from
// the credentials, in any language.
//
//  1. Call [NewServer] in a test. [New] makes a server without a test: it is an
//     http.Handler, whose URL is set once it listens.
//  2. Take credentials from it, which point at it: [Server.ServiceAccount],
//     [Server.AuthorizedUser], [Server.DesktopClient] with [Server.Token],
//     [Server.ExternalAccount]. [WriteFile] puts them into a file.
//  3. Look at what was asked with [Server.Calls] and [Server.Issued].
//  4. Make calls fail with [Server.Script], or truthfully: [Server.Revoke],
//     Server.Deny, Server.Scopes, and another Server.Now.
//  5. A fake of one of Google's APIs asks [Server.Bearer] whose token it got.
//
// In short:
//
//	fake := oauthtest.NewServer(t)
//	file := oauthtest.WriteFile(t, fake.ServiceAccount())
//	g, err := oauth.Find(ctx, oauth.Config{File: file, Scopes: scopes})
//	…
//	fake.Issued()
//
// All that is secret in what it hands out has [Secret] in it, the private keys
// apart, so that a test can look for what must be shown nowhere.
//
// # What is faithful
//
//   - The signed assertion of a service account (RFC 7523): signature, key, iss,
//     aud, scope, sub, and iat and exp against Server.Now.
//   - Refresh tokens, which rotate with Server.Rotate: the one before is then
//     refused.
//   - The page where a person allows a client, and its code, once, with the
//     verifier of PKCE (RFC 7636) and the address it was made for. Without
//     prompt=consent Google leaves the refresh token out the second time.
//   - The token exchange of workload identity (RFC 8693), whoever the subject is.
//   - Google's errors, their statuses and their texts:
//     https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
//
// # What is not
//
//   - A code without PKCE, which Google allows, is refused: a client must not
//     forget it.
//   - The person at the page needs no session, and answers at once.
//   - No ID tokens, no token information, no revocation by HTTP.
package oauthtest
