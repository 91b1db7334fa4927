package oauth

import (
	"encoding/json"
	"slices"
	"strings"
)

// tokenFile is what Config.TokenFile holds. What google-auth for Python writes
// as JSON is read too.
type tokenFile struct {
	ClientID     string   `json:"client_id"`
	RefreshToken string   `json:"refresh_token"`
	Scopes       []string `json:"scopes"`
}

// readTokenFile reads the refresh token of a client.
func readTokenFile(cfg Config, client string) (string, error) {
	fail := func(hint string, cause error) (string, error) {
		return "", &Error{File: cfg.TokenFile, Kind: DesktopClient, Hint: hint, Err: cause}
	}
	if cfg.TokenFile == "" {
		return "", &Error{File: cfg.File, Kind: DesktopClient, Hint: hintTokenFile, Err: errNoRefresh}
	}
	data, err := readFile(cfg.TokenFile)
	if err != nil {
		return "", tokenFileError(err)
	}
	var t tokenFile
	if err := decode(cfg.TokenFile, data, &t); err != nil {
		return "", tokenFileError(err)
	}
	switch {
	case t.RefreshToken == "":
		return fail(hintNoRefresh, errNoRefresh)
	case t.ClientID != "" && t.ClientID != client:
		return fail(hintOther, errOther)
	case len(t.Scopes) > 0 && !granted(t.Scopes, cfg.Scopes):
		return fail(hintGranted, errNotGranted)
	}
	return t.RefreshToken, nil
}

// tokenFileError gives an error of the token's file the cure that such a file
// has: it is not downloaded but made.
func tokenFileError(err error) error {
	e := err.(*Error) //nolint:errorlint // readFile and decode return no other
	e.Kind = DesktopClient
	switch e.Hint {
	case hintMissing:
		e.Hint = hintNoToken
	case hintNotJSON:
		e.Hint = "no es JSON: " + authorizeAgain
	}
	return e
}

// granted reports whether scopes cover those that are wanted: one covers itself
// and its narrower forms, as …/auth/drive does …/auth/drive.readonly.
func granted(scopes, wanted []string) bool {
	for _, w := range wanted {
		covered := func(have string) bool { return have == w || strings.HasPrefix(w, have+".") }
		if !slices.ContainsFunc(scopes, covered) {
			return false
		}
	}
	return true
}

// saveRefreshToken puts a refresh token into a JSON file in the place of the old
// one, and leaves the rest of it as it is. A file that does not hold the old one
// was replaced meanwhile, and is left alone: nil.
func saveRefreshToken(file, old, token string) (*seen, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	if err := decode(file, data, &fields); err != nil {
		return nil, err
	}
	var held string
	if json.Unmarshal(fields["refresh_token"], &held) != nil || held != old {
		return nil, nil
	}
	if fields["refresh_token"], err = json.Marshal(token); err != nil {
		return nil, err
	}
	return saveJSON(file, fields)
}

func saveJSON(file string, v any) (*seen, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err
	}
	info, err := writeFile(file, append(data, '\n'))
	if err != nil {
		return nil, &Error{File: file, Hint: hintUnsaved, Err: err}
	}
	return &seen{file, info}, nil
}
