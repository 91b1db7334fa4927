// Package oauth finds Google credentials, keeps a token fresh, and makes an
// http.Client for Google's APIs of them. It imports golang.org/x/oauth2 and
// nothing of Google's.
//
//  1. [Find] takes a [Config] and looks for credentials. It needs no network.
//  2. [Credentials.Client] is an http.Client that sends the token along, for
//     google.golang.org/api (option.WithHTTPClient) or for calls of one's own;
//     [Credentials.Token] is the token alone.
//  3. [Authorize] asks a person, once, for a desktop client's token.
//
// Find takes the first of these that there is, and looks no further:
//
//  1. Config.JSON
//  2. Config.File
//  3. the file that GOOGLE_APPLICATION_CREDENTIALS names
//  4. what `gcloud auth application-default login` left: the file
//     application_default_credentials.json in $CLOUDSDK_CONFIG, or else in
//     $HOME/.config/gcloud (%APPDATA%\gcloud on Windows)
//
// It is the order of https://google.aip.dev/auth/4110, without the metadata
// server of Google's own machines.
//
// What a file may be is its [Kind]. A kind that fetches tokens from where the
// file says ([ExternalAccount]) is taken only if Config.Allow names it: such a
// file makes this process call an address, or run a program, of its author's
// choice. https://cloud.google.com/docs/authentication/external/externally-sourced-credentials
//
// One refresh is in flight at a time, whoever asks. A file that was replaced is
// read again at the next call. A refresh token that Google rotates is written
// back, at once or not at all, with mode 0600.
//
// Tests need no Google: package oauthtest is a fake of its token endpoint.
//
// Errors are of type [Error] and say in Spanish, for an operator, how to mend
// what is wrong. No error, and no printing of a value of this package, shows a
// key, a secret or a token.
package oauth
