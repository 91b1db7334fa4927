package main

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/oauth/oauthtest"
)

func TestWithoutCredentialsItUsesTheFakes(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), nil, func(string) (string, bool) { return "", false }, &out))
	is.True(strings.HasPrefix(out.String(), "Con service_account "+oauthtest.Robot))
	for _, name := range []string{"2026-11-13.xlsx", "2026-11-20.xlsx", "2026-11-27.xlsx"} { // of both pages
		is.True(strings.Contains(out.String(), name))
	}
}

func TestItUsesTheCredentialsOfTheEnvironment(t *testing.T) {
	is := is.New(t)
	fake := startFakes()
	t.Cleanup(fake.stop)
	env := map[string]string{
		"GOOGLE_APPLICATION_CREDENTIALS": oauthtest.WriteFile(t, fake.DesktopClient()),
		"GOOGLE_TOKEN_PATH":              oauthtest.WriteFile(t, fake.Token()),
		"GOOGLE_DRIVE_API_URL":           fake.drive,
	}
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	var out strings.Builder
	is.NoErr(run(t.Context(), []string{"-folder", fakeFolder}, lookup, &out))
	is.True(strings.Contains(out.String(), "2026-11-27.xlsx"))
	is.Equal(fake.Issued(), 1)

	fake.Revoke()
	err := run(t.Context(), nil, lookup, &out)
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "fue revocado")) // the cure goes through Google's library
	is.True(!strings.Contains(err.Error(), oauthtest.Secret))
}

func TestAnotherFolderIsEmpty(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), []string{"-folder", "otra"}, func(string) (string, bool) { return "", false }, &out))
	is.True(!strings.Contains(out.String(), ".xlsx"))
}
