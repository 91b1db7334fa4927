package oauthtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"golang.org/x/oauth2"

	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// In a test, NewServer does what the first lines do here.
func Example() {
	fake := oauthtest.New()
	server := httptest.NewServer(fake)
	defer server.Close()
	fake.URL = server.URL

	g, err := oauth.Find(context.Background(), oauth.Config{JSON: fake.ServiceAccount(), Scopes: []string{oauth.DriveReadonly}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		if _, err := g.Token(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(g.Account())
	fmt.Println("tokens:", fake.Issued())
	// Output:
	// robot@proyecto.iam.gserviceaccount.com
	// tokens: 1
}

// Google is busy once; the second call gets the token.
func ExampleServer_Script() {
	fake := oauthtest.New()
	server := httptest.NewServer(fake)
	defer server.Close()
	fake.URL = server.URL
	fake.Script(oauthtest.Fault{Grant: oauthtest.GrantRefresh, Status: 503})

	g, err := oauth.Find(context.Background(), oauth.Config{JSON: fake.AuthorizedUser()})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = g.Token(context.Background())
	var refusal *oauth2.RetrieveError
	fmt.Println(errors.As(err, &refusal), refusal.ErrorCode)
	_, err = g.Token(context.Background())
	fmt.Println(err)
	// Output:
	// true backend_error
	// <nil>
}
