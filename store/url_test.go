package store_test

import (
	"net"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ outcome, url, user, password, addr, database string }{
		{"all parts", "mysql://ccm:s3creto@db.example.org:3307/gente", "ccm", "s3creto", "db.example.org:3307", "gente"},
		{"port 3306 by default", "mysql://ccm:s3creto@db/gente", "ccm", "s3creto", "db:3306", "gente"},
		{"this host by default", "mysql:///gente", "", "", "127.0.0.1:3306", "gente"},
		{"a Python driver", "mysql+pymysql://u:p@h/d", "u", "p", "h:3306", "d"},
		{"another Python driver", "mysql+mysqldb://u:p@h/d", "u", "p", "h:3306", "d"},
		{"MariaDB", "mariadb+mariadbconnector://u:p@h/d", "u", "p", "h:3306", "d"},
		{"schemes in any case", "MySQL://u:p@h/d", "u", "p", "h:3306", "d"},
		{"raw characters of a password", "mysql://u:a#b/c?d[e]f%g:h&i=j k+l@h/d", "u", "a#b/c?d[e]f%g:h&i=j k+l", "h:3306", "d"},
		{"an @ of a password", "mysql://u:p%40ss@h/d", "u", "p@ss", "h:3306", "d"},
		{"percent codes beside a raw percent", "mysql://u:100%25%zz%@h/d", "u", "100%%zz%", "h:3306", "d"},
		{"an @ of a user", "mysql://u@proxy:p@h/d", "u@proxy", "p", "h:3306", "d"},
		{"a user alone", "mysql://u@h/d", "u", "", "h:3306", "d"},
		{"an empty password", "mysql://u:@h/d", "u", "", "h:3306", "d"},
		{"IPv6", "mysql://u:p@[::1]:3307/d", "u", "p", "[::1]:3307", "d"},
		{"IPv6 without a port", "mysql://u:p@[fe80::1]/d", "u", "p", "[fe80::1]:3306", "d"},
		{"a Unix socket", "mysql://u:p@/d?unix_socket=/run/mysqld.sock", "u", "p", "/run/mysqld.sock", "d"},
		{"blanks around", "  mysql://u:p@h/d\n", "u", "p", "h:3306", "d"},
		{"a driver's DSN", "u:p@ss/w?rd@tcp(h:3307)/d", "u", "p@ss/w?rd", "h:3307", "d"},
		{"a DSN by socket", "u:p@unix(/run/mysqld.sock)/d", "u", "p", "/run/mysqld.sock", "d"},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			is := is.New(t)
			got, err := store.ParseURL(c.url)
			is.NoErr(err)
			is.Equal(got.User, c.user)
			is.Equal(got.Passwd, c.password)
			is.Equal(got.Addr, c.addr)
			is.Equal(got.DBName, c.database)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ outcome, url, says string }{
		{"nothing", "", "URL is empty"},
		{"another database", "postgres://u:s3creto@h/d", "another kind of database"},
		{"another database by its driver", "mysql+pymysql+x://u:s3creto@h/d", "another kind of database"},
		{"an @ that is not escaped", "mysql://u:s3creto@mas@h/d", "%40"},
		{"a port that is none", "mysql://u:s3creto@h:tres/d", "port"},
		{"a port that is too high", "mysql://u:s3creto@h:99999/d", "port"},
		{"no database", "mysql://u:s3creto@h:3306", "no database"},
		{"a DSN without a database", "u:s3creto@tcp(h:3306)/", "no database"},
		{"no form at all", "u:s3creto@h/d", "user:password@tcp(host:3306)/database"},
		{"words", "s3creto", "mysql://user:password@host:3306/database"},
		{"a time-out that is no number", "mysql://u:s3creto@h/d?connect_timeout=pronto", "connect_timeout"},
		{"a switch that is no switch", "mysql://u:s3creto@h/d?ssl_disabled=quizá", "ssl_disabled"},
		{"a TLS mode that is none", "mysql://u:s3creto@h/d?ssl_mode=segura", "VERIFY_CA"},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			is := is.New(t)
			_, err := store.Open(store.Config{URL: c.url})
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), c.says))
			is.True(!strings.Contains(err.Error(), "s3creto"))
		})
	}
}

func TestURL(t *testing.T) {
	for _, c := range []struct{ outcome, url, want string }{
		{"plain parts", store.URL("ccm", "clave", "db", 3306, "gente"), "mysql://ccm:clave@db:3306/gente"},
		{"no port", store.URL("ccm", "clave", "db", 0, "gente"), "mysql://ccm:clave@db/gente"},
		{"no password", store.URL("ccm", "", "db", 0, "gente"), "mysql://ccm@db/gente"},
		{"nobody", store.URL("", "", "", 0, "gente"), "mysql:///gente"},
		{"IPv6", store.URL("ccm", "", "::1", 3306, "gente"), "mysql://ccm@[::1]:3306/gente"},
		{"a socket", store.URL("ccm", "", "/run/s.sock", 3306, "gente"), "mysql://ccm@/gente?unix_socket=%2Frun%2Fs.sock"},
		{"what must be escaped", store.URL("a:b", "p@s/s?w%d", "db", 1, "d/?"), "mysql://a%3Ab:p%40s%2Fs%3Fw%25d@db:1/d%2F%3F"},
	} {
		t.Run(c.outcome, func(t *testing.T) { is.New(t).Equal(c.url, c.want) })
	}
}

func TestWarnings(t *testing.T) {
	warnings := func(t *testing.T, raw string) []string {
		t.Helper()
		s, err := store.Open(store.Config{URL: raw})
		is.New(t).NoErr(err)
		defer s.Close()
		return s.Warnings()
	}
	t.Run("known parameters are silent", func(t *testing.T) {
		is.New(t).Equal(warnings(t, "mysql+pymysql://u:p@h/d?charset=utf8&use_unicode=1&connect_timeout=3&read_timeout=2.5&SSL-Mode=required"), nil)
	})
	t.Run("unknown ones are named without a value", func(t *testing.T) {
		is := is.New(t)
		got := warnings(t, "mysql://u:p@h/d?local_infile=1&init_command=secreto&local_infile=2")
		is.Equal(len(got), 2)
		is.True(strings.Contains(got[0], "«local_infile»"))
		is.True(strings.Contains(got[1], "«init_command»"))
		is.True(!strings.Contains(got[1], "secreto"))
	})
	t.Run("what is no name is not shown", func(t *testing.T) {
		got := warnings(t, "mysql://u:p@h/d?w$rd#=1")
		is := is.New(t)
		is.Equal(len(got), 1)
		is.True(!strings.Contains(got[0], "w$rd"))
	})
	t.Run("a DSN's variables are named", func(t *testing.T) {
		is := is.New(t)
		got := warnings(t, "u:p@tcp(h)/d?sql_mode=ANSI&autocommit=0")
		is.Equal(len(got), 2)
		is.True(strings.Contains(got[0], "«autocommit»"))
	})
}

// FuzzURL: whatever the parts hold, they come out of the URL as they went in.
func FuzzURL(f *testing.F) {
	f.Add("ccm", "s3creto", "db.example.org", uint16(3306), "gente")
	f.Add("a@b:c/d", "#/?[%@:&=+ ñ", "::1", uint16(0), "x/y?z%")
	f.Add("", "", "", uint16(1), "d")
	f.Fuzz(func(t *testing.T, user, password, host string, port uint16, database string) {
		if database == "" || strings.ContainsAny(host, "/@?:[]") && net.ParseIP(host) == nil {
			t.Skip()
		}
		got, err := store.ParseURL(store.URL(user, password, host, int(port), database))
		if err != nil {
			t.Fatal(err)
		}
		if got.User != user || got.Passwd != password || got.DBName != database {
			t.Fatalf("%q %q %q came out as %q %q %q", user, password, database, got.User, got.Passwd, got.DBName)
		}
		if gotHost, _, err := net.SplitHostPort(got.Addr); err != nil || host != "" && gotHost != host {
			t.Fatalf("host %q came out as %q", host, got.Addr)
		}
	})
}

// FuzzParse: no text is a panic, and no error shows a password.
func FuzzParse(f *testing.F) {
	f.Add("mysql://ccm:", "@db:3306/gente?charset=utf8")
	f.Add("", "@tcp(db)/gente?tls=raro")
	f.Add("mysql://u:a@", "/d?x=")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "s3cr3t0"
		if strings.Contains(strings.ToLower(before), "ssl") {
			t.Skip() // the path of a certificate may be shown
		}
		_, err := store.Connector(store.Config{URL: before + secret + after})
		if err != nil && utf8.ValidString(err.Error()) && strings.Contains(err.Error(), secret) {
			t.Fatal(err)
		}
	})
}
