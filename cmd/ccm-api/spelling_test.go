package main

import (
	"strings"
	"testing"

	"github.com/matryer/is"
)

func TestSettingInTwoSpellingsIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		file    map[string]string
		want    string // "": none
	}{
		"upper and lower":   {[]string{"database_url=s3creto", "DATABASE_URL=s3creto2"}, nil, "DATABASE_URL: está en el entorno como DATABASE_URL y como database_url, con valores distintos: deje uno solo"},
		"neither in upper":  {[]string{"Api_Port=1", "api_port=2"}, nil, "API_PORT: está en el entorno como Api_Port y como api_port, con valores distintos: deje uno solo"},
		"three of them":     {[]string{"API_PORT=1", "Api_Port=1", "api_port=2"}, nil, "API_PORT: está en el entorno como API_PORT y como Api_Port y como api_port, con valores distintos: deje uno solo"},
		"the file's path":   {[]string{"DATABASE_URL_FILE=/a", "database_url_file=/b"}, nil, "DATABASE_URL_FILE: está en el entorno como DATABASE_URL_FILE y como database_url_file, con valores distintos: deje uno solo"},
		"in the .env":       {nil, map[string]string{"API_PORT": "1", "api_port": "2"}, "API_PORT: está en .env como API_PORT y como api_port, con valores distintos: deje uno solo"},
		"equal values":      {[]string{"API_PORT=1", "api_port= '1' "}, nil, ""},
		"one without value": {[]string{"API_PORT=", "api_port=1"}, nil, ""},
		"no setting":        {[]string{"HTTP_PROXY=a", "http_proxy=b"}, nil, ""},
		"one of each place": {[]string{"API_PORT=1"}, map[string]string{"api_port": "2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			a := &app{environ: c.environ, file: c.file, filePath: ".env"}
			err := a.spelledTwice(allSettings())
			if c.want == "" {
				is.NoErr(err)
				return
			}
			is.True(err != nil)
			is.Equal(err.Error(), c.want)
		})
	}
}

func TestEnvironmentTakesTheSpellingWithAValue(t *testing.T) {
	is := is.New(t)
	for _, environ := range []string{"A= a=1", "a=1 A=", "A=1 a=", "A=1 a=2", "a=2 A=1"} {
		got, _ := environment(strings.Fields(environ))("a")
		is.Equal(got, "1")
	}
}
