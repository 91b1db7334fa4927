package oauth_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ccmwf/ccm/oauth"
)

// A failure tells an operator what to do.
func ExampleFind() {
	_, err := oauth.Find(context.Background(), oauth.Config{File: "/run/secrets/google.json", Scopes: []string{oauth.DriveReadonly}})
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		fmt.Println(e.File)
		fmt.Println(e.Hint)
	}
	// Output:
	// /run/secrets/google.json
	// no existe: revise la ruta, y en un contenedor que el archivo esté montado
}

// What goes to Google's APIs goes through the client.
func ExampleCredentials_Client() {
	c, err := oauth.Find(context.Background(), oauth.Config{
		JSON: []byte(`{"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := c.Client() // for drive.NewService(ctx, option.WithHTTPClient(client))
	fmt.Println(c.Kind(), client.Timeout)
	// Output: authorized_user 0s
}
